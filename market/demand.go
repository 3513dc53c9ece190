package market

import (
	"cmp"
	"math/bits"
	"slices"
)

// settle chooses the orders that take part, and returns the tree of their lots. Orders without a smallest fill always do. Those with
// one are left out first where they could not have it beside these alone. Then they are left out one by one: the order at the margin
// that asks for the largest part of its lots goes first, for as long as its share would not be enough. An order that trades nothing is left out
// too. Then those left out are let in again, best limit first, where one gets its smallest fill and all that are in keep theirs, until
// none can be. So no order that does not trade has an effect on price and fills.
func (b *books) settle() *tree {
	if !b.gather() {
		return b.newTree()
	}
	for side, n, quiet := buyers, 0, 0; quiet < 2 && n < hopelessPasses; side, n, quiet = 1-side, n+1, quiet+1 {
		if b.leaveOutHopeless(side) {
			quiet = -1
		}
	}
	t := b.newTree()
	b.leaveOut(t)
	for s := range b.sides {
		b.serve(s, t)
	}
	for s, side := range b.sides {
		for i := range side {
			if e := &side[i]; e.state == in && e.least > 0 && e.fill == 0 {
				e.state = waiting
				b.levels[s][e.level] -= e.lots
			}
		}
	}
	for side, quiet := buyers, 0; quiet < 2 && b.effort.steps > 0; side, quiet = 1-side, quiet+1 {
		if b.join(side) {
			quiet = -1
		}
	}
	return b.newTree()
}

// gather lets every order in that is not gone, and adds the lots of each level up. It reports whether one names a smallest fill.
func (b *books) gather() (demanding bool) {
	for s, side := range b.sides {
		if b.levels[s] == nil {
			b.levels[s] = make([]uint64, len(b.limits))
		}
		clear(b.levels[s])
		for i := range side {
			e := &side[i]
			if e.state == gone {
				continue
			}
			e.state = in
			b.levels[s][e.level] += e.lots
			demanding = demanding || e.least > 0
		}
	}
	return demanding
}

// ratio is the part of an order's lots that it asks for.
type ratio struct{ least, lots uint64 }

func (e *entry) ratio() ratio { return ratio{e.least, e.lots} }

// compare orders by size.
func (r ratio) compare(other ratio) int {
	high, low := bits.Mul64(r.least, other.lots)
	otherHigh, otherLow := bits.Mul64(other.least, r.lots)
	return cmp.Or(cmp.Compare(high, otherHigh), cmp.Compare(low, otherLow))
}

// fits tells whether a share of so many lots among a total is that part at least.
func (r ratio) fits(part, total uint64) bool {
	return total <= part || r.compare(ratio{part, total}) <= 0
}

// hopelessPasses bounds the passes of leaveOutHopeless; more than a few help only traders that want to make the auction slow.
const hopelessPasses = 16

// leaveOutHopeless leaves out the orders of a side that could not have their smallest fill even if no other of their side named one,
// and reports whether there are any.
func (b *books) leaveOutHopeless(s int) (found bool) {
	side, other := b.sides[s], b.levels[1-s]
	firm := make([]uint64, len(other)) // lots of orders without a smallest fill
	for i := range side {
		if e := &side[i]; e.state == in && e.least == 0 {
			firm[e.level] += e.lots
		}
	}
	v := newView(firm, other)
	for i := range side {
		e := &side[i]
		if e.state != in || e.least == 0 {
			continue
		}
		if room := v.room(e.level); !e.ratio().fits(room, firm[e.level]+e.lots) {
			e.state = waiting
			b.levels[s][e.level] -= e.lots
			found = true
		}
	}
	return found
}

// view goes over the levels of a side, from the best on.
type view struct {
	own, other     []uint64
	level          int32
	willing, above uint64 // lots of the other side that meet the level, and of its own that are better
}

func newView(own, other []uint64) view {
	v := view{own: own, other: other}
	for _, lots := range other {
		v.willing += lots
	}
	return v
}

// room is how many lots there are for a level, which is not before the last one asked for.
func (v *view) room(level int32) uint64 {
	for ; v.level < level; v.level++ {
		v.above += v.own[v.level]
		v.willing -= v.other[len(v.other)-1-int(v.level)]
	}
	return v.willing - min(v.willing, v.above)
}

// leaveOut leaves out the orders at the margin whose exact share would be below their smallest fill, until there is none. It costs
// O(log n) for each.
func (b *books) leaveOut(t *tree) {
	var queues [2][]int32 // of the demanding orders: by level, then the most demanding first
	var starts [2][]int32
	for s, side := range b.sides {
		starts[s] = make([]int32, len(b.limits)+1)
		for i := range side {
			if e := &side[i]; e.state == in && e.least > 0 {
				queues[s] = append(queues[s], int32(i))
				starts[s][e.level+1]++
			}
		}
		for level := range b.limits {
			starts[s][level+1] += starts[s][level]
		}
		slices.SortFunc(queues[s], func(i, j int32) int {
			one, other := &side[i], &side[j]
			if one.level != other.level {
				return cmp.Compare(one.level, other.level)
			}
			return cmp.Or(other.ratio().compare(one.ratio()), cmp.Compare(i, j))
		})
	}
	next := [2][]int32{slices.Clone(starts[buyers]), slices.Clone(starts[sellers])}
	for {
		m := t.margin()
		if m.part == 0 || next[m.side][m.level] == starts[m.side][m.level+1] {
			return
		}
		e := &b.sides[m.side][queues[m.side][next[m.side][m.level]]]
		if e.ratio().fits(m.part, m.total) {
			return
		}
		e.state = waiting
		next[m.side][m.level]++
		t.remove(m.side, e.level, e.lots)
	}
}

// join lets waiting orders of a side in, in one pass from the best limit, and reports whether it let one in. The other side only gains
// by it; of their own side the worst level with a smallest fill decides, since whenever it gets something all better levels get all.
func (b *books) join(s int) (joined bool) {
	side, own, other := b.sides[s], b.levels[s], b.levels[1-s]
	b.effort.steps -= len(side) + len(own)
	worst, strictest := int32(-1), ratio{}
	for i := range side {
		if e := &side[i]; e.state == in && e.least > 0 {
			if e.level > worst || e.ratio().compare(strictest) > 0 {
				strictest = e.ratio()
			}
			worst = e.level
		}
	}
	room, v := uint64(0), newView(own, other)
	if worst >= 0 {
		atWorst := v
		room = atWorst.room(worst)
	}
	for i := range side {
		e := &side[i]
		switch {
		case e.state != waiting:
			continue
		case e.level < worst:
			if room <= e.lots || !strictest.fits(room-e.lots, own[worst]) {
				continue
			}
			room -= e.lots
		default:
			demands := e.ratio()
			if e.level == worst && strictest.compare(demands) > 0 {
				demands = strictest
			}
			if !demands.fits(v.room(e.level), own[e.level]+e.lots) {
				continue
			}
			worst, strictest = e.level, demands
		}
		own[e.level] += e.lots
		e.state = in
		joined = true
	}
	return joined
}

// serve gives the orders of a side their fills: the better levels get all, the orders at the margin a part in proportion. The fills add
// up to the floor of the shares so far, in the order of the book, where the orders of an owner at one limit stand together: so an owner
// has its share of the level, rounded up or down, into however many orders it divides its lots.
func (b *books) serve(s int, t *tree) {
	c, m := t.cross(), t.margin()
	left := c.volume()
	side := b.sides[s]
	for i := range side {
		side[i].fill = 0
	}
	before := uint64(0) // lots of the level
	for i := 0; i < len(side) && left > 0; i++ {
		e := &side[i]
		switch {
		case e.state != in:
		case m.side != s || int(e.level) < m.level || m.part == m.total:
			e.fill = e.lots
			left -= e.fill
		default:
			e.fill = share(before+e.lots, m.part, m.total) - share(before, m.part, m.total)
			before += e.lots
			left -= e.fill
		}
	}
}

// share is the floor of lots * part / total.
func share(lots, part, total uint64) uint64 {
	high, low := bits.Mul64(lots, part)
	quotient, _ := bits.Div64(high, low, total)
	return quotient
}
