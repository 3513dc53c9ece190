package market

import "math/bits"

// tree adds up the lots of both sides below a limit, in logarithmic time: a Fenwick tree. Node r+1 is of the offers at the limit of
// rank r and of the bids at the one below.
type tree struct {
	nodes  []pair
	levels *[2][]uint64
	demand uint64 // of all bids
}

type pair struct{ supply, demand uint64 }

// newTree plants the tree over the lots that take part.
func (b *books) newTree() *tree {
	n := len(b.limits)
	t := &tree{nodes: make([]pair, n+1), levels: &b.levels}
	for r := range n {
		node := &t.nodes[r+1]
		node.supply += b.levels[sellers][r]
		node.demand += t.bids(r - 1)
		t.demand += t.bids(r)
		if up := r + 1 + (r+1)&-(r+1); up <= n {
			t.nodes[up].supply += node.supply
			t.nodes[up].demand += node.demand
		}
	}
	return t
}

// bids are the lots of the bids at a rank.
func (t *tree) bids(rank int) uint64 {
	if levels := t.levels[buyers]; rank >= 0 && rank < len(levels) {
		return levels[len(levels)-1-rank]
	}
	return 0
}

// offers are those of the offers.
func (t *tree) offers(rank int) uint64 {
	if levels := t.levels[sellers]; rank >= 0 && rank < len(levels) {
		return levels[rank]
	}
	return 0
}

// remove takes lots of a level away.
func (t *tree) remove(side int, level int32, lots uint64) {
	t.levels[side][level] -= lots
	if side == sellers {
		for i := int(level) + 1; i < len(t.nodes); i += i & -i {
			t.nodes[i].supply -= lots
		}
		return
	}
	t.demand -= lots
	for i := len(t.nodes) - int(level); i < len(t.nodes); i += i & -i {
		t.nodes[i].demand -= lots
	}
}

// crossing is where demand, which falls with the price, meets supply, which rises.
type crossing struct {
	rank   int    // the highest at which demand is not below supply; -1 if there is none
	supply uint64 // at this rank
	demand uint64 // at the next rank
}

func (t *tree) cross() crossing {
	at, sum := 0, pair{}
	for step := 1 << bits.Len(uint(len(t.nodes))); step > 0; step >>= 1 {
		next := at + step
		if next >= len(t.nodes) {
			continue
		}
		node := t.nodes[next]
		if sum.supply+node.supply+sum.demand+node.demand <= t.demand {
			at = next
			sum.supply += node.supply
			sum.demand += node.demand
		}
	}
	return crossing{rank: at - 1, supply: sum.supply, demand: t.demand - sum.demand - t.bids(at-1)}
}

// volume is the most that can be traded.
func (c *crossing) volume() uint64 { return max(c.supply, c.demand) }

// margin is the only level of both sides whose orders can get a part: so many of its lots.
type margin struct {
	side        int
	level       int
	part, total uint64
}

func (t *tree) margin() margin {
	c := t.cross()
	if c.supply >= c.demand {
		return margin{buyers, len(t.nodes) - 2 - c.rank, c.supply - c.demand, t.bids(c.rank)}
	}
	return margin{sellers, c.rank + 1, c.demand - c.supply, t.offers(c.rank + 1)}
}

// interval is a range of prices, in ticks, at which demand and supply are the same.
type interval struct {
	low, high      uint64
	demand, supply uint64
}

func (i *interval) volume() uint64 { return min(i.demand, i.supply) }

func (i *interval) imbalance() uint64 { return max(i.demand, i.supply) - i.volume() }

// price is the one at the market's pressure: with surplus supply the lowest, with surplus demand the highest, else the middle, rounded
// down to a tick.
func (i *interval) price() uint64 {
	switch {
	case i.demand < i.supply:
		return i.low
	case i.demand > i.supply:
		return i.high
	}
	return i.low + (i.high-i.low)/2
}

// best is the interval of most volume, then of least imbalance, then the lowest. It holds one of the limits next to the crossing, or
// lies between them.
func (b *books) best(t *tree) interval {
	c := t.cross()
	below, above := c.rank, c.rank+1
	var found interval
	consider := func(i interval) {
		if i.volume() > found.volume() || i.volume() == found.volume() && i.imbalance() < found.imbalance() {
			found = i
		}
	}
	if below >= 0 {
		low, high := b.limits[below], b.limits[below]
		if t.bids(below) == 0 {
			high = b.up(t, below)
		}
		if t.offers(below) == 0 {
			low = b.down(t, below)
		}
		consider(interval{low, high, c.demand + t.bids(below), c.supply})
	}
	if below >= 0 && above < len(b.limits) && b.limits[above]-b.limits[below] > 1 {
		consider(interval{b.down(t, above), b.up(t, below), c.demand, c.supply})
	}
	if above < len(b.limits) {
		low, high := b.limits[above], b.limits[above]
		if t.bids(above) == 0 {
			high = b.up(t, above)
		}
		if t.offers(above) == 0 {
			low = b.down(t, above)
		}
		consider(interval{low, high, c.demand, c.supply + t.offers(above)})
	}
	return found
}

// up is the highest price above a limit up to which neither side changes: just below the next offer, or at the next bid.
func (b *books) up(t *tree, rank int) uint64 {
	for rank++; rank < len(b.limits); rank++ {
		if t.offers(rank) > 0 {
			return b.limits[rank] - 1
		}
		if t.bids(rank) > 0 {
			return b.limits[rank]
		}
	}
	return b.limits[len(b.limits)-1]
}

// down is the lowest price below a limit down to which neither side changes: just above the next bid, or at the next offer.
func (b *books) down(t *tree, rank int) uint64 {
	for rank--; rank >= 0; rank-- {
		if t.bids(rank) > 0 {
			return b.limits[rank] + 1
		}
		if t.offers(rank) > 0 {
			return b.limits[rank]
		}
	}
	return b.limits[0]
}
