package ledger

import (
	"encoding/binary"
	"iter"

	"lockstep/types"
)

// BooksFrom returns the open books by gate, then by ID, from a place in that order on, together with the gates.
func (r Reader) BooksFrom(gate types.Time, id types.ProductID) iter.Seq2[types.Time, *types.Book] {
	return func(yield func(types.Time, *types.Book) bool) {
		_, to := kindRange(kindGate)
		from := gateKey(gate, id)
		r.Ascend(from.String(), to, func(key string, _ Value) bool {
			book, open := r.Book(parseGateKey(key))
			return !open || yield(parseGateTime(key), book)
		})
	}
}

// OrdersFrom is [Reader.Orders] from an owner's order of a number on.
func (r Reader) OrdersFrom(id types.ProductID, owner types.PublicKey, number uint8) iter.Seq[*types.PlacedOrder] {
	return func(yield func(*types.PlacedOrder) bool) {
		_, to := ordersOf(id)
		from := orderKey(id, owner, number)
		r.Ascend(from.String(), to, func(key string, stored Value) bool {
			return yield(decoded(key, stored).(*types.PlacedOrder))
		})
	}
}

func parseGateTime(key string) types.Time {
	return types.Time(binary.BigEndian.Uint64([]byte(key[1:9])))
}
