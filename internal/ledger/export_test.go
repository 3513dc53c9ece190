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
