package query

import "context"

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
