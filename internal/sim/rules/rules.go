// Package rules shares the energy of a slot among households by rules that can be compared: auctions, fixed shares, shares by need.
package rules

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"lockstep/market"
	"lockstep/types"
)

// Flow is energy from one household to another, with its cost.
type Flow struct {
	Seller, Buyer int
	Wh            uint64
	Price         types.Amount
}

// Bid is an order of a household, with its limit for a Wh.
type Bid struct {
	Place    int
	Side     types.Side
	Quantity uint64
	Limit    uint64
}

// Uniform is the auction of the ledger: one price for all.
func Uniform(book []Bid) []Flow {
	orders := make([]market.Order, len(book))
	for i, b := range book {
		orders[i] = market.Order{ID: fmt.Sprintf("%03d", i), Side: b.Side, Lots: b.Quantity, Limit: b.Limit}
	}
	clearing, err := market.Clear(orders)
	if err != nil || clearing.Volume == 0 { // the households' own figures make good orders
		return nil
	}
	gets := make(map[string]uint64, len(book))
	for _, fill := range clearing.Fills {
		gets[fill.ID] = fill.Lots
	}
	var bids, offers []Bid
	for i, b := range book {
		if b.Quantity = gets[orders[i].ID]; b.Side == types.Bid {
			bids = append(bids, b)
		} else {
			offers = append(offers, b)
		}
	}
	return pair(bids, offers, func(_, _ *Bid, wh uint64) (types.Amount, bool) {
		return types.Amount(clearing.Price * wh), true
	})
}

// pair lays bids and offers side by side, in the order given, as long as a pair has a price.
func pair(bids, offers []Bid, price func(bid, offer *Bid, wh uint64) (types.Amount, bool)) []Flow {
	var flows []Flow
	for i, j := 0, 0; i < len(bids) && j < len(offers); {
		bid, offer := &bids[i], &offers[j]
		if wh := min(bid.Quantity, offer.Quantity); wh > 0 {
			paid, ok := price(bid, offer, wh)
			if !ok {
				break
			}
			flows = append(flows, Flow{offer.Place, bid.Place, wh, paid})
			bid.Quantity, offer.Quantity = bid.Quantity-wh, offer.Quantity-wh
		}
		if bid.Quantity == 0 {
			i++
		}
		if offer.Quantity == 0 {
			j++
		}
	}
	return flows
}

// PayAsBid serves the highest bid from the lowest offer, then the next, as long as the bid is not below the offer. Each pair
// has a price of its own: the middle of its two limits.
func PayAsBid(book []Bid) []Flow {
	var bids, offers []Bid
	for _, b := range book {
		if b.Side == types.Bid {
			bids = append(bids, b)
		} else {
			offers = append(offers, b)
		}
	}
	byLimit := func(a, b Bid) int {
		return cmp.Or(cmp.Compare(a.Limit, b.Limit), cmp.Compare(a.Place, b.Place))
	}
	slices.SortFunc(bids, func(a, b Bid) int { return byLimit(b, a) })
	slices.SortFunc(offers, byLimit)
	return pair(bids, offers, func(bid, offer *Bid, wh uint64) (types.Amount, bool) {
		return (types.Amount(wh*(bid.Limit+offer.Limit)) + 1) / 2, bid.Limit >= offer.Limit
	})
}

// Static splits each surplus by fixed weights among all the others, at a fixed price for a Wh. The unused part of a share goes to
// the grid, not to another.
func Static(surplus, needs, weights []uint64, price uint64) []Flow {
	needs = slices.Clone(needs)
	var all uint64
	for _, weight := range weights {
		all += weight
	}
	var flows []Flow
	for seller, made := range surplus {
		total := all - weights[seller]
		if made == 0 || total == 0 {
			continue
		}
		for buyer := range needs {
			if buyer == seller {
				continue
			}
			if wh := min(part(made, weights[buyer], total), needs[buyer]); wh > 0 {
				needs[buyer] -= wh
				flows = append(flows, Flow{seller, buyer, wh, types.Amount(wh * price)})
			}
		}
	}
	return flows
}

// ProRata splits all surplus of a slot in proportion to the needs of the slot, at a fixed price for a Wh. Each household sells in
// proportion to its surplus when there is more than enough. Parts of a Wh go to the first that still want one.
func ProRata(surplus, needs []uint64, price uint64) []Flow {
	gives, gets := slices.Clone(surplus), slices.Clone(needs)
	var supply, demand uint64
	for _, wh := range surplus {
		supply += wh
	}
	for _, wh := range needs {
		demand += wh
	}
	if supply == 0 || demand == 0 {
		return nil
	}
	scale(gives, supply, min(supply, demand))
	scale(gets, demand, min(supply, demand))
	var bids, offers []Bid
	for i, wh := range gets {
		bids = append(bids, Bid{i, types.Bid, wh, price})
	}
	for i, wh := range gives {
		offers = append(offers, Bid{i, types.Sell, wh, price})
	}
	return pair(bids, offers, func(_, _ *Bid, wh uint64) (types.Amount, bool) { return types.Amount(wh * price), true })
}

// scale makes the parts of a sum those of another one, which is not larger.
func scale(parts []uint64, of, to uint64) {
	left := to
	whole := slices.Clone(parts)
	for i := range parts {
		parts[i] = part(whole[i], to, of)
		left -= parts[i]
	}
	for i := 0; left > 0; i++ {
		if parts[i] < whole[i] {
			parts[i]++
			left--
		}
	}
}

// part is a*b/c, rounded down; b is not above c.
func part(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	quotient, _ := bits.Div64(high, low, c)
	return quotient
}
