package ledger

import "lockstep/types"

// LeavesOf encodes an outcome, and returns the leaf of each trade that ends in it.
func LeavesOf(o types.Outcome) (leaves []Leaf, ended []int) {
	s := &State{outcomes: []types.Outcome{o}}
	for _, effect := range o.Effects {
		if _, ok := effect.(*types.Ended); ok {
			s.closed = append(s.closed, Closed{})
		}
	}
	leaves = s.leaves()
	for _, closed := range s.closed {
		ended = append(ended, closed.Leaf)
	}
	return leaves, ended
}

// AheadOf sums up the claims before a trade.
func AheadOf(view View, params types.Params, id types.TradeID, t *types.Trade) types.Ahead {
	return New(view, params).ahead(id, t)
}

// SlotKey is the key of a slot in the state.
func SlotKey(flow types.Flow, from types.Time) string {
	at := slotKey(slotID(flow, from))
	return at.String()
}

// PricesOfPages queues so many matches of each round of an auction, and returns the price that the pages give each of them.
func PricesOfPages(params types.Params, rounds []types.Round, matches int) (prices []types.Amount) {
	s := New(NewMemory(), params)
	var all []heldMatch
	for round := range rounds {
		for range matches {
			all = append(all, heldMatch{Round: uint32(round), Lots: 1})
		}
	}
	h := held{}
	s.queuePages(h, nil, rounds, all)
	kept, _ := get[held](s, heldKey(h.Product.ID()))
	for i := range kept.Pages {
		page, _ := get[heldPage](s, heldPageKey(h.Product.ID(), i))
		for j := range page.Matches {
			prices = append(prices, page.Rounds[page.Matches[j].Round-page.Round].Price)
		}
	}
	return prices
}
