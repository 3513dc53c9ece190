package market

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"lockstep/types"
)

// Clearing is the result of an auction.
type Clearing struct {
	Price     uint64 // of a lot, in ticks; without meaning when nothing is traded
	Low, High uint64 // the prices of most volume and least imbalance, of which it is one
	Volume    uint64 // lots
	Fills     []Fill // of every order that gets something, by ID
	Netted    uint64 // lots that owners would have traded with themselves
	// Welfare is the sum of the buyers' limits less the sum of the sellers', over the traded lots, in ticks.
	Welfare types.Total
}

// Clear computes the auction by the rule of the package. Its error names the fault of the orders.
func Clear(orders []Order) (*Clearing, error) {
	if err := check(orders); err != nil {
		return nil, err
	}
	b := newBooks(orders, types.ProductID{})
	netted := b.net()
	d := b.trade()
	result := &Clearing{Volume: d.volume, Netted: netted}
	if d.volume == 0 {
		return result, nil
	}
	result.Price, result.Low, result.High = d.interval.price(), d.interval.low, d.interval.high
	filled := make([]uint64, len(orders))
	var bids, offers types.Total
	for _, p := range d.pairs {
		bid, offer := b.places(p)
		filled[bid] += p.lots
		filled[offer] += p.lots
		bids = bids.Add(product(orders[bid].Limit, p.lots))
		offers = offers.Add(product(orders[offer].Limit, p.lots))
	}
	result.Welfare = bids.Sub(offers)
	for i, lots := range filled {
		if lots > 0 {
			result.Fills = append(result.Fills, Fill{orders[i].ID, orders[i].Side, lots})
		}
	}
	slices.SortFunc(result.Fills, func(a, b Fill) int { return strings.Compare(a.ID, b.ID) })
	return result, nil
}

// product is exact. All of a side fit together, since its lots add up to less than 2^64.
func product(limit, lots uint64) types.Total {
	high, low := bits.Mul64(limit, lots)
	return types.Total{Hi: high, Lo: low}
}

func check(orders []Order) error {
	if len(orders) > MaxOrders {
		return fmt.Errorf("%d orders are more than the %d of one auction", len(orders), MaxOrders)
	}
	ids := make(map[string]struct{}, len(orders))
	var sum types.Amount
	for i := range orders {
		o := &orders[i]
		if err := o.Check(); err != nil {
			return err
		}
		if _, twice := ids[o.ID]; twice {
			return fmt.Errorf("two orders have the id %q", o.ID)
		}
		ids[o.ID] = struct{}{}
		var fits bool
		if sum, fits = sum.Add(types.Amount(o.Lots)); !fits {
			return fmt.Errorf("the orders add up to more than 2^64-1 lots: clear larger lots")
		}
	}
	return nil
}
