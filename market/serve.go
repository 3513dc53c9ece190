package market

import (
	"cmp"
	"math/bits"
	"slices"
)

func (b book) sum() (total uint64) {
	for i := range b {
		total += b[i].remaining
	}
	return total
}

// allocate gives the orders that are willing, which come first, their fills of a volume: the best limits in full and pro
// rata within the last. It reports whether an order had to be left out because its share would be below its smallest fill;
// the fills mean nothing then.
func (b book) allocate(willing int, volume uint64) (leftOut bool) {
	for i := range b {
		b[i].fill = 0
	}
	for from := 0; from < willing && volume > 0; {
		to := from + 1
		for to < willing && b[to].limit == b[from].limit {
			to++
		}
		level := b[from:to]
		total := level.sum()
		if total > volume {
			if level.leaveOut(volume, total) {
				return true
			}
			level.proRata(volume, total)
			return false
		}
		for i := range level {
			level[i].fill = level[i].remaining
		}
		volume -= total
		from = to
	}
	return false
}

// leaveOut marks the orders of one limit whose exact share of the available quantity would be below their smallest fill. The one
// that asks for the largest part of its quantity goes first, since its share goes to the others.
func (b book) leaveOut(available, total uint64) (leftOut bool) {
	var demanding []*entry
	for i := range b {
		if b[i].least > 0 {
			demanding = append(demanding, &b[i])
		}
	}
	slices.SortFunc(demanding, compareDemands)
	for _, e := range demanding {
		if total <= available || !less(available, e.remaining, e.least, total) {
			break
		}
		e.out, leftOut = true, true
		total -= e.remaining
	}
	return leftOut
}

// compareDemands puts the order first whose smallest fill is the largest part of its quantity; ties by ID.
func compareDemands(a, b *entry) int {
	switch {
	case less(b.least, a.remaining, a.least, b.remaining):
		return -1
	case less(a.least, b.remaining, b.least, a.remaining):
		return 1
	}
	return cmp.Compare(a.id, b.id)
}

// less tells whether a*b < c*d, in 128 bits.
func less(a, b, c, d uint64) bool {
	hi1, lo1 := bits.Mul64(a, b)
	hi2, lo2 := bits.Mul64(c, d)
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// proRata gives each the floor of its exact share, and the units left over to the largest remainders, ties by ID.
func (b book) proRata(available, total uint64) {
	remainders := make([]share, len(b))
	left := available
	for i := range b {
		e := &b[i]
		hi, lo := bits.Mul64(e.remaining, available)
		fill, remainder := bits.Div64(hi, lo, total)
		e.fill = fill
		left -= fill
		remainders[i] = share{remainder, e.id, int32(i)}
	}
	largestFirst(remainders)
	for _, r := range remainders[:left] {
		b[r.place].fill++
	}
}
