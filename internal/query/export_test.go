package query

// The bounds of the answer on a book.
const (
	MaxIndicative = maxIndicative
	MaxLevels     = maxLevels
)

// Compute blocks the computation of books until done is called.
func (l *Ledger) Compute() (done func()) {
	<-l.books.turn
	return func() { l.books.turn <- struct{}{} }
}

// ParseOrderPlace reads a place in a list of orders.
var ParseOrderPlace = parseOrderPlace
