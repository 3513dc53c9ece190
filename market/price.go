package market

import (
	"math/big"
	"math/bits"

	"lockstep/types"
)

// point is the quantity traded at one price, or between two neighbouring limits.
type point struct {
	low, high    int32 // the same for a price; the two limits for the open interval between them
	bids, offers int   // how many orders of each book are willing, from the best
	volume       uint64
	imbalance    uint64
}

// holds tells whether a price is the point's, or lies within its interval.
func (p *point) holds(price *big.Rat, limits []types.Rate) bool {
	low, high := limits[p.low].Rat().Cmp(price), limits[p.high].Rat().Cmp(price)
	return low == 0 && high == 0 || low < 0 && high > 0
}

// findPrice walks over the limits and the intervals between them, from low to high. Demand falls and supply rises with
// the price, so the best points lie side by side: the price is the middle of the first and the last of them.
func (b *books) findPrice() (point, types.ClearingPrice) {
	var best []point
	w := walk{bids: b.bids, offers: b.offers, demand: b.bids.sum()} // the sum fits, see check
	for p, ok := w.next(); ok; p, ok = w.next() {
		switch {
		case len(best) == 0 || p.volume > best[0].volume || p.volume == best[0].volume && p.imbalance < best[0].imbalance:
			best = append(best[:0], p)
		case p.volume == best[0].volume && p.imbalance == best[0].imbalance:
			best = append(best, p)
		}
	}
	if len(best) == 0 {
		return point{}, types.ClearingPrice{}
	}
	price := types.ClearingPrice{Low: b.limits[best[0].low], High: b.limits[best[len(best)-1].high]}
	middle := price.Rat()
	for _, p := range best {
		if p.holds(middle, b.limits) {
			return p, price
		}
	}
	panic("market: the middle of the best prices is not among them")
}

// walk visits the distinct limits of two books from low to high, and the interval above each. Bids leave it from the end of
// their book and offers join it from the start of theirs.
type walk struct {
	bids           book // with a limit at or above the point
	offers         book // with a limit above the point
	limit          int32
	between        bool // the interval above it is next
	demand, supply uint64
	willingOffers  int
}

func (w *walk) next() (point, bool) {
	if !w.between {
		limit, more := w.lowest()
		if !more {
			return point{}, false
		}
		for len(w.offers) > 0 && w.offers[0].limit == limit {
			w.supply += w.offers[0].remaining
			w.offers = w.offers[1:]
			w.willingOffers++
		}
		w.limit, w.between = limit, true
		return w.point(limit), true
	}
	for last := len(w.bids) - 1; last >= 0 && w.bids[last].limit == w.limit; last-- {
		w.demand -= w.bids[last].remaining
		w.bids = w.bids[:last]
	}
	w.between = false
	limit, more := w.lowest()
	if !more { // above the highest limit nobody buys
		return point{}, false
	}
	return w.point(limit), true
}

// lowest is the lowest limit above those visited.
func (w *walk) lowest() (limit int32, found bool) {
	switch {
	case len(w.bids) == 0 && len(w.offers) == 0:
		return 0, false
	case len(w.bids) == 0:
		return w.offers[0].limit, true
	case len(w.offers) == 0:
		return w.bids[len(w.bids)-1].limit, true
	}
	return min(w.offers[0].limit, w.bids[len(w.bids)-1].limit), true
}

// point is the quantity traded from the limit up to another.
func (w *walk) point(high int32) point {
	return point{
		low: w.limit, high: high, bids: len(w.bids), offers: w.willingOffers,
		volume: min(w.demand, w.supply), imbalance: max(w.demand, w.supply) - min(w.demand, w.supply),
	}
}

// worth is the sum of all fills at their limits. They are counted by the decimal places of the limit, where 128 bits are
// enough: the quantities of a side add up to less than 2^64.
func (b book) worth(limits []types.Rate) *big.Rat {
	var sums [types.MaxExponent + 1]struct{ high, low uint64 }
	for i := range b {
		limit := limits[b[i].limit]
		sum := &sums[limit.Exponent]
		high, low := bits.Mul64(limit.Mantissa, b[i].fill)
		var carry uint64
		sum.low, carry = bits.Add64(sum.low, low, 0)
		sum.high += high + carry
	}
	total, scale := new(big.Int), big.NewInt(1)
	for i := range sums {
		if i > 0 {
			total.Mul(total, big.NewInt(10))
			scale.Mul(scale, big.NewInt(10))
		}
		high, low := new(big.Int).SetUint64(sums[i].high), new(big.Int).SetUint64(sums[i].low)
		total.Add(total, high.Lsh(high, 64))
		total.Add(total, low)
	}
	return new(big.Rat).SetFrac(total, scale)
}
