package market

import (
	"cmp"
	"slices"
)

// deal is the outcome of a round.
type deal struct {
	interval interval
	placed   uint64 // lots in pairs
	volume   uint64 // of them, those that are traded: without the pairs of orders that got less than their smallest fill
	pairs    []pairing
	capped   []cut // orders that have made all their trades, with lots of their fill left
	broken   []end // orders that got less than their smallest fill
	limited  bool  // at any time trades were too few to place all fills
}

// pairing is a trade between two orders, by their places in the books.
type pairing struct {
	at   [2]int32
	lots uint64
}

// end names an order by its place in the books.
type end struct {
	side int
	at   int32
}

// cut is how much of an order its trades could place.
type cut struct {
	end
	placed uint64
}

// attempts bounds how often trade changes the book of a round; each change takes one clearing or two.
const attempts = 6

// trade holds a round: it clears the books and puts the orders into pairs. When trades are too few to place all fills, the round is
// cleared again. The smallest fills that were not placed are left out, if more is placed without them: they are crumbs that crowd out
// larger orders. If not, the orders that have made all their trades go on with the lots that they placed, and take no others' place.
func (b *books) trade() deal {
	d := b.attempt()
	limited, bound := len(d.capped) > 0, [2]uint64{}
	for n := 0; len(d.capped) > 0 && n < attempts && b.effort.clearings > 0; n++ {
		if crumbs, grown := b.crumbs(bound); len(crumbs) > 0 {
			b.effort.clearings--
			if again := b.attempt(); again.placed > d.placed {
				d, bound = again, grown
				continue
			}
			for _, e := range crumbs {
				e.state = in
			}
		}
		for _, c := range d.capped {
			b.entry(c.end).lots = c.placed
		}
		for _, e := range d.broken {
			b.entry(e).state = gone
		}
		b.effort.clearings--
		d = b.attempt()
	}
	d.limited = limited
	return d
}

func (b *books) entry(e end) *entry { return &b.sides[e.side][e.at] }

// places are those of the two orders in the input.
func (b *books) places(p pairing) (bid, offer int) {
	return int(b.sides[buyers][p.at[buyers]].place), int(b.sides[sellers][p.at[sellers]].place)
}

// attempt clears the books once.
func (b *books) attempt() deal {
	t := b.settle()
	for s := range b.sides {
		b.serve(s, t)
	}
	d := deal{interval: b.best(t)}
	b.pair(&d)
	d.volume = d.placed
	if len(d.capped) > 0 {
		b.cancel(&d)
	}
	return d
}

// pair lays the fills of both sides, the largest first, side by side. That takes at most one pair less than there are fills, and splits
// large ones rather than small ones.
func (b *books) pair(d *deal) {
	lists := [2][]int32{b.sides[buyers].largest(), b.sides[sellers].largest()}
	d.pairs = make([]pairing, 0, len(lists[buyers])+len(lists[sellers]))
	var made [2]int32 // trades of the two at hand
	for len(lists[buyers]) > 0 && len(lists[sellers]) > 0 {
		pair := [2]*entry{&b.sides[buyers][lists[buyers][0]], &b.sides[sellers][lists[sellers][0]]}
		lots := min(pair[buyers].fill-pair[buyers].placed, pair[sellers].fill-pair[sellers].placed)
		d.pairs = append(d.pairs, pairing{[2]int32{lists[buyers][0], lists[sellers][0]}, lots})
		d.placed += lots
		for s, e := range pair {
			e.placed += lots
			made[s]++
			full := e.placed == e.fill
			if !full && made[s] == e.trades {
				d.capped = append(d.capped, cut{end{s, lists[s][0]}, e.placed})
			}
			if full || made[s] == e.trades {
				lists[s] = lists[s][1:]
				made[s] = 0
			}
		}
	}
}

// largest lists the orders that have fills, the largest first, then as in the book.
func (b book) largest() []int32 {
	type fill struct {
		lots uint64
		at   int32
	}
	fills := make([]fill, 0, len(b))
	for i := range b {
		b[i].placed = 0
		if b[i].fill > 0 {
			fills = append(fills, fill{b[i].fill, int32(i)})
		}
	}
	slices.SortFunc(fills, func(a, b fill) int {
		if a.lots != b.lots {
			return cmp.Compare(b.lots, a.lots)
		}
		return cmp.Compare(a.at, b.at)
	})
	list := make([]int32, len(fills))
	for i := range fills {
		list[i] = fills[i].at
	}
	return list
}

// cancel undoes the matches of orders that did not get their smallest fill, since their trades were too few, or those of others. The
// matches of an order follow each other, so this costs a step for each.
func (b *books) cancel(d *deal) {
	for s, side := range b.sides {
		for i := range side {
			if e := &side[i]; e.placed > 0 && e.placed < e.least {
				d.broken = append(d.broken, end{s, int32(i)})
			}
		}
	}
	if len(d.broken) == 0 {
		return
	}
	kept := [2][]uint64{make([]uint64, len(b.sides[buyers])), make([]uint64, len(b.sides[sellers]))}
	first := [2][]int32{make([]int32, len(b.sides[buyers])), make([]int32, len(b.sides[sellers]))}
	for k, p := range slices.Backward(d.pairs) {
		for s, at := range p.at {
			kept[s][at] += p.lots
			first[s][at] = int32(k)
		}
	}
	for n := 0; n < len(d.broken); n++ {
		broken := d.broken[n]
		for k := first[broken.side][broken.at]; int(k) < len(d.pairs) && d.pairs[k].at[broken.side] == broken.at; k++ {
			p := &d.pairs[k]
			for s, at := range p.at {
				least := b.sides[s][at].least
				if enough := kept[s][at] >= least; enough && kept[s][at]-p.lots < least {
					d.broken = append(d.broken, end{s, at})
				}
				kept[s][at] -= p.lots
			}
			d.volume -= p.lots
			p.lots = 0
		}
	}
	d.pairs = slices.DeleteFunc(d.pairs, func(p pairing) bool { return p.lots == 0 })
}

// crumbs leaves out the orders of which nothing was placed though they have a fill, and those that were not served and are no larger
// than the largest of them, or after the first time than four times the bound of the time before.
func (b *books) crumbs(bound [2]uint64) (crumbs []*entry, grown [2]uint64) {
	for s, side := range b.sides {
		size := uint64(0)
		for i := range side {
			if e := &side[i]; e.state == in && e.fill > 0 && e.placed == 0 {
				size = max(size, e.fill)
			}
		}
		grown[s] = bound[s]
		if size == 0 {
			continue
		}
		grown[s] = max(size, min(bound[s], 1<<60)*4)
		for i := range side {
			if e := &side[i]; e.state != gone && e.placed == 0 && (e.fill > 0 || e.lots <= grown[s]) {
				e.state = gone
				crumbs = append(crumbs, e)
			}
		}
	}
	return crumbs, grown
}
