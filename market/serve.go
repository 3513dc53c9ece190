package market

import (
	"math/bits"
	"slices"
	"strings"
)

func (b book) sum() (total uint64) {
	for _, e := range b {
		total += e.left
	}
	return total
}

// allocate gives out a volume, the best limits first and pro rata within the last. It reports whether an order had to be
// left out because its share would be below its smallest fill; the fills mean nothing then.
func (b book) allocate(volume uint64) (leftOut bool) {
	for from := 0; from < len(b) && volume > 0; {
		to := from + 1
		for to < len(b) && b[to].Price == b[from].Price {
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
		for _, e := range level {
			e.fill = e.left
		}
		volume -= total
		from = to
	}
	return false
}

// leaveOut marks the orders of one limit whose exact share of what is available would be below their smallest fill. The one
// that asks for the largest part of its quantity goes first, since what it would have had is the others'.
func (b book) leaveOut(available, total uint64) (leftOut bool) {
	level := slices.Clone(b)
	slices.SortFunc(level, compareDemands)
	for _, e := range level {
		if total <= available || !less(available, e.left, e.least(), total) {
			break
		}
		e.out, leftOut = true, true
		total -= e.left
	}
	return leftOut
}

// compareDemands puts the order first whose smallest fill is the largest part of its quantity; ties by ID.
func compareDemands(a, b *entry) int {
	switch {
	case less(b.least(), a.left, a.least(), b.left):
		return -1
	case less(a.least(), b.left, b.least(), a.left):
		return 1
	}
	return strings.Compare(a.ID, b.ID)
}

// least is the smallest fill where it asks for anything: one unit, or nothing, is no demand.
func (e *entry) least() uint64 {
	if e.MinFill <= 1 {
		return 0
	}
	return e.MinFill
}

// less tells whether a*b < c*d, in 128 bits.
func less(a, b, c, d uint64) bool {
	hi1, lo1 := bits.Mul64(a, b)
	hi2, lo2 := bits.Mul64(c, d)
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// proRata gives each the floor of its exact share, and the units left over to the largest remainders, ties by ID.
func (b book) proRata(available, total uint64) {
	remainders := make(map[*entry]uint64, len(b))
	left := available
	for _, e := range b {
		hi, lo := bits.Mul64(e.left, available)
		e.fill, remainders[e] = bits.Div64(hi, lo, total)
		left -= e.fill
	}
	level := slices.Clone(b)
	slices.SortFunc(level, func(a, b *entry) int {
		switch {
		case remainders[a] > remainders[b]:
			return -1
		case remainders[a] < remainders[b]:
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, e := range level[:left] {
		e.fill++
	}
}
