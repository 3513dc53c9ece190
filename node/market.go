package node

import (
	"context"
	"math"

	"lockstep/api/books"
	"lockstep/api/wire"
	"lockstep/store"
	"lockstep/types"
)

// heavy computes what takes a while: one answer at a time, each once a block, so that questions can't keep the node from
// making blocks.
type heavy struct {
	turn chan struct{} // holds a token while nobody computes
	kept map[types.ProductID]keptBook
}

type keptBook struct {
	book  wire.Book
	until uint64 // the height up to which it is right
}

// maxKept bounds the books that are kept; each is at most some hundred kilobytes.
const maxKept = 64

func newHeavy() *heavy {
	h := &heavy{turn: make(chan struct{}, 1), kept: map[types.ProductID]keptBook{}}
	h.turn <- struct{}{}
	return h
}

// do runs something when it is its turn, unless its caller has left by then.
func (h *heavy) do(ctx context.Context, work func() error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.turn:
	}
	defer func() { h.turn <- struct{}{} }()
	return work()
}

func (l *ledgerAPI) Products(_ context.Context, after string, limit int) (wire.Products, error) {
	return read(l, func(s *store.Snapshot) (wire.Products, error) {
		params := l.store.Params()
		return books.Products(s.Reader, &params, after, limit)
	})
}

func (l *ledgerAPI) Product(ctx context.Context, id types.ProductID) (answer wire.Book, err error) {
	err = l.heavy.do(ctx, func() error {
		height := l.store.Height()
		if kept, known := l.heavy.kept[id]; known && height <= kept.until {
			answer = kept.book
			return nil
		}
		until := uint64(math.MaxUint64) // a cleared product changes no more
		answer, err = read(l, func(s *store.Snapshot) (wire.Book, error) {
			params := l.store.Params()
			if open, ok := books.Open(s.Reader, &params, id); ok {
				until = s.Height()
				return open, nil
			}
			auction, err := auctionOf(s, id)
			if err != nil {
				return wire.Book{}, err
			}
			return books.Cleared(auction, s.Reader, &params), nil
		})
		if err != nil {
			return err
		}
		if len(l.heavy.kept) >= maxKept {
			clear(l.heavy.kept)
		}
		l.heavy.kept[id] = keptBook{answer, until}
		return nil
	})
	return answer, err
}

// auctionOf is the auction of a product. Its error tells that there was none, or none whose trades are all made.
func auctionOf(s *store.Snapshot, id types.ProductID) (*types.Auction, error) {
	if s.Reader.Held(id) {
		return nil, beingHeld(id)
	}
	auction, err := s.Auction(id)
	if err == nil && auction == nil {
		err = types.Refuse(types.CodeNotFound, "no order stands for product %s, and no auction of it was held", id)
	}
	return auction, err
}

func beingHeld(id types.ProductID) error {
	return types.Refuse(types.CodeNotFound, "the auction of product %s is being held: ask again when all its trades are made, some blocks on", id)
}

func (l *ledgerAPI) ProductOrders(_ context.Context, id types.ProductID, after string, limit int) (wire.BookOrders, error) {
	from, err := books.ParsePlace(after)
	if err != nil {
		return wire.BookOrders{}, err
	}
	return read(l, func(s *store.Snapshot) (wire.BookOrders, error) {
		orders := s.AuctionedOrdersFrom(id, from.Owner, from.Number)
		if _, open := s.Reader.Book(id); open {
			orders = books.OfOpen(s.Reader, id, from)
		} else if s.Reader.Held(id) {
			return wire.BookOrders{}, beingHeld(id)
		}
		page, err := books.Orders(s.Reader, orders, limit)
		if err == nil && len(page.Orders) == 0 && after == "" {
			_, err = auctionOf(s, id) // an auction has orders, so this says that nothing is known of the product
		}
		return page, err
	})
}

func (l *ledgerAPI) Auction(ctx context.Context, id types.ProductID) (answer wire.Auction, err error) {
	err = l.heavy.do(ctx, func() error {
		answer, err = read(l, func(s *store.Snapshot) (wire.Auction, error) {
			if _, open := s.Reader.Book(id); open {
				return wire.Auction{}, types.Refuse(types.CodeNotFound, "the auction of product %s has not been held yet", id)
			}
			auction, err := auctionOf(s, id)
			if err != nil {
				return wire.Auction{}, err
			}
			return books.Auction(auction), nil
		})
		return err
	})
	return answer, err
}

func (l *ledgerAPI) KeyOrders(_ context.Context, key types.PublicKey, after string, limit int) (wire.BookOrders, error) {
	return read(l, func(s *store.Snapshot) (wire.BookOrders, error) { return books.OfKey(s.Reader, key, after, limit) })
}

func (l *ledgerAPI) Records(_ context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error) {
	return read(l, func(s *store.Snapshot) (wire.KeyRecords, error) { return books.Records(s.Reader, key, asset), nil })
}
