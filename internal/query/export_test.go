package query

import (
	"context"

	"lockstep/internal/store"
	"lockstep/types"
)

// The bounds of the answer on a book.
const (
	MaxIndicative = maxIndicative
	MaxLevels     = maxLevels
)

// Compute blocks the computation of books until done is called.
func (l *Ledger) Compute() (done func()) {
	if err := l.books.turn.Acquire(context.Background(), 1); err != nil {
		panic(err)
	}
	return func() { l.books.turn.Release(1) }
}

// ParseOrderPlace reads a place in a list of orders.
var ParseOrderPlace = parseOrderPlace

// StepLeaf returns the leaf in which the last step of a trade is told.
func (l *Ledger) StepLeaf(tx types.TxID, id types.TradeID) (uint64, error) {
	first, err := l.txLeaf(tx)
	if err != nil {
		return 0, err
	}
	return l.stepLeaf(first, tx, id)
}

// TradeLeaf returns the last leaf about a trade.
func (l *Ledger) TradeLeaf(id types.TradeID) (uint64, error) {
	return fromHead(l, func(s *store.Head) (uint64, error) { return l.tradeLeaf(s, id) })
}

// MatchLeaf returns the leaf of a match that an auction made at a moment, if it was held from a height on.
func (l *Ledger) MatchLeaf(id types.TradeID, height uint64, at types.Time) (uint64, bool, error) {
	return l.matchLeaf(id, height, at)
}
