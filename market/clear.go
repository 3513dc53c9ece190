package market

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"lockstep/types"
)

// Clearing is the result of an auction.
type Clearing struct {
	Price  *big.Rat // for one unit; nil when nothing is traded
	Volume uint64
	Fills  []Fill // of every order that gets something, by ID
	Netted uint64 // quantity that owners would have traded with themselves
	// Welfare is what the buyers would have paid at most less what the sellers would have taken at least.
	Welfare *big.Rat
}

// Clear computes the auction by the rule of the package. Its error tells what is wrong with the orders. It costs
// O(n log n) for n orders.
func Clear(orders []Order) (*Clearing, error) {
	if err := check(orders); err != nil {
		return nil, err
	}
	bids, offers := newBook(orders, Bid), newBook(orders, Offer)
	found := clearBooks(&bids, &offers)
	result := &Clearing{Welfare: new(big.Rat), Netted: found.netted}
	if found.volume == 0 {
		return result, nil
	}
	result.Price, result.Volume = found.price, found.volume
	for _, side := range []book{bids, offers} {
		for _, e := range side {
			if e.fill == 0 {
				continue
			}
			result.Fills = append(result.Fills, Fill{e.ID, e.Side, e.fill})
			worth := new(big.Rat).Mul(e.Price.Rat(), new(big.Rat).SetInt(new(big.Int).SetUint64(e.fill)))
			if e.Side == Bid {
				result.Welfare.Add(result.Welfare, worth)
			} else {
				result.Welfare.Sub(result.Welfare, worth)
			}
		}
	}
	slices.SortFunc(result.Fills, compareFills)
	return result, nil
}

// clearBooks nets and auctions two books of orders that are as they should be, and gives the orders their fills.
func clearBooks(bids, offers *book) auction {
	net(*bids, *offers)
	var netted uint64
	for _, bid := range *bids {
		netted += bid.Quantity - bid.left
	}
	found := settle(bids, offers)
	found.netted = netted
	return found
}

// maxRounds bounds how often the auction is computed again because of smallest fills. Real books need one or two rounds;
// after so many, orders that name one are left out altogether.
const maxRounds = 64

// settle finds the price and gives the orders their fills, without those that it has to leave out.
func settle(bids, offers *book) auction {
	for round := 0; ; round++ {
		if round == maxRounds {
			for _, e := range slices.Concat(*bids, *offers) {
				e.out = e.least() > 0
			}
		}
		*bids, *offers = bids.live(), offers.live()
		found := findPrice(*bids, *offers)
		if found.volume == 0 {
			return found
		}
		for _, e := range slices.Concat(*bids, *offers) {
			e.fill = 0
		}
		short := (*bids)[:found.bids].allocate(found.volume)
		if !(*offers)[:found.offers].allocate(found.volume) && !short {
			return found
		}
	}
}

func check(orders []Order) error {
	if len(orders) > MaxOrders {
		return fmt.Errorf("%d orders are more than the %d of one auction", len(orders), MaxOrders)
	}
	ids := make(map[string]struct{}, len(orders))
	sums := map[Side]types.Amount{}
	for i := range orders {
		if err := orders[i].Check(); err != nil {
			return err
		}
		if _, twice := ids[orders[i].ID]; twice {
			return fmt.Errorf("two orders have the id %q", orders[i].ID)
		}
		ids[orders[i].ID] = struct{}{}
		sum, fits := sums[orders[i].Side].Add(types.Amount(orders[i].Quantity))
		if !fits {
			return fmt.Errorf("the quantities of one side add up to more than 2^64-1")
		}
		sums[orders[i].Side] = sum
	}
	return nil
}

// Decimal writes an exact result, which always has finitely many decimal places.
func Decimal(r *big.Rat) string {
	text := r.FloatString(types.MaxExponent + 1) // one more than a limit can have, for the middle of two
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// point is what would be traded at one price, or between two neighbouring limits.
type point struct {
	low, high    types.Rate // the same for a price; the two limits for the open interval between them
	bids, offers int        // how many orders of each book are willing, from the best
	volume       uint64
	imbalance    uint64
}

// holds tells whether a price is the point's, or lies within its interval.
func (p *point) holds(price *big.Rat) bool {
	low, high := p.low.Rat().Cmp(price), p.high.Rat().Cmp(price)
	return low == 0 && high == 0 || low < 0 && high > 0
}

type auction struct {
	point
	limits types.ClearingPrice
	price  *big.Rat
	netted uint64
}

// findPrice walks over the limits and the intervals between them, from low to high. Demand falls and supply rises with
// the price, so the best points lie side by side: the price is the middle of the first and the last of them.
func findPrice(bids, offers book) auction {
	var best []point
	w := newWalk(bids, offers)
	for p, ok := w.next(); ok; p, ok = w.next() {
		switch {
		case len(best) == 0 || p.volume > best[0].volume || p.volume == best[0].volume && p.imbalance < best[0].imbalance:
			best = append(best[:0], p)
		case p.volume == best[0].volume && p.imbalance == best[0].imbalance:
			best = append(best, p)
		}
	}
	if len(best) == 0 {
		return auction{}
	}
	limits := types.ClearingPrice{Low: best[0].low, High: best[len(best)-1].high}
	price := limits.Rat()
	for _, p := range best {
		if p.holds(price) {
			return auction{point: p, limits: limits, price: price}
		}
	}
	panic("market: the middle of the best prices is not among them")
}

// walk visits the distinct limits from low to high, and the interval above each.
type walk struct {
	bids, offers   book
	limits         []types.Rate
	at             int  // limit
	between        bool // the interval above it is next
	demand, supply uint64
	willingBids    int // bids with a limit at or above the point, from the best
	willingOffers  int
}

func newWalk(bids, offers book) *walk {
	w := &walk{bids: bids, offers: offers, willingBids: len(bids)}
	for _, side := range []book{bids, offers} {
		for _, e := range side {
			w.limits = append(w.limits, e.Price)
		}
	}
	slices.SortFunc(w.limits, ComparePrices)
	w.limits = slices.Compact(w.limits)
	for _, bid := range bids {
		w.demand += bid.left // fits, see check
	}
	return w
}

func (w *walk) next() (point, bool) {
	if w.at == len(w.limits) {
		return point{}, false
	}
	limit := w.limits[w.at]
	if !w.between {
		for w.willingOffers < len(w.offers) && ComparePrices(w.offers[w.willingOffers].Price, limit) <= 0 {
			w.supply += w.offers[w.willingOffers].left
			w.willingOffers++
		}
		w.between = true
		return w.point(limit, limit), true
	}
	for w.willingBids > 0 && ComparePrices(w.bids[w.willingBids-1].Price, limit) <= 0 {
		w.willingBids--
		w.demand -= w.bids[w.willingBids].left
	}
	w.at++
	w.between = false
	if w.at == len(w.limits) { // above the highest limit nobody buys
		return point{}, false
	}
	return w.point(limit, w.limits[w.at]), true
}

func (w *walk) point(low, high types.Rate) point {
	return point{
		low: low, high: high, bids: w.willingBids, offers: w.willingOffers,
		volume: min(w.demand, w.supply), imbalance: max(w.demand, w.supply) - min(w.demand, w.supply),
	}
}
