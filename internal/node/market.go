package node

import (
	"context"
	"encoding/hex"
	"math"
	"strconv"

	"lockstep/client/wire"
	"lockstep/internal/books"
	"lockstep/internal/store"
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

func (l *ledgerAPI) Products(_ context.Context, part wire.Page) (wire.Products, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Products, error) {
		params := l.store.Params()
		return books.Products(s.Reader, &params, part.After, part.Limit)
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
		answer, err = read(l, func(s *store.IndexedSnapshot) (wire.Book, error) {
			params := l.store.Params()
			if open, ok := books.Open(s.Reader, &params, id); ok {
				until = s.Height()
				return open, nil
			}
			auction, err := auctionOf(s, id)
			if err != nil {
				return wire.Book{}, err
			}
			first, err := store.AuctionList[types.Round](s, id, 0, wire.MaxRounds)
			return books.Cleared(auction, first, s.Reader, &params), err
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
func auctionOf(s *store.IndexedSnapshot, id types.ProductID) (*wire.Auction, error) {
	if s.Reader.Held(id) {
		return nil, beingHeld(id)
	}
	head, err := s.AuctionHead(id)
	if err == nil && head == nil {
		err = types.Refuse(types.CodeNotFound, "no order stands for product %s, and no auction of it was held", id)
	}
	if err != nil {
		return nil, err
	}
	auction := books.Auction(&head.Auction)
	auction.RoundCount, auction.ResultCount, auction.TradeCount = head.Rounds, head.Results, head.Trades
	return &auction, nil
}

func beingHeld(id types.ProductID) error {
	return types.Refuse(types.CodeNotFound, "the auction of product %s is being held: ask again when all its trades are made, some blocks on", id)
}

func (l *ledgerAPI) ProductOrders(_ context.Context, id types.ProductID, part wire.Page) (wire.BookOrders, error) {
	from, err := books.ParsePlace(part.After)
	if err != nil {
		return wire.BookOrders{}, err
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.BookOrders, error) {
		orders := s.AuctionedOrdersFrom(id, from.Owner, from.Number)
		if _, open := s.Reader.Book(id); open {
			orders = books.OfOpen(s.Reader, id, from)
		} else if s.Reader.Held(id) {
			return wire.BookOrders{}, beingHeld(id)
		}
		page, err := books.Orders(s.Reader, orders, part.Limit)
		if err == nil && len(page.Orders) == 0 && part.After == "" {
			_, err = auctionOf(s, id) // an auction has orders, so this says that nothing is known of the product
		}
		return page, err
	})
}

func (l *ledgerAPI) Auction(_ context.Context, id types.ProductID) (wire.Auction, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Auction, error) {
		auction, err := held(s, id)
		if err != nil {
			return wire.Auction{}, err
		}
		return *auction, nil
	})
}

// held is the auction of a product that is not open.
func held(s *store.IndexedSnapshot, id types.ProductID) (*wire.Auction, error) {
	if _, open := s.Reader.Book(id); open {
		return nil, types.Refuse(types.CodeNotFound, "the auction of product %s has not been held yet", id)
	}
	return auctionOf(s, id)
}

// listOf is a page of a list of an auction.
func listOf[T any, P store.Item[T]](l *ledgerAPI, id types.ProductID, part wire.Page) (items []T, next string, err error) {
	from, err := part.Index()
	if err != nil {
		return nil, "", err
	}
	_, err = read(l, func(s *store.IndexedSnapshot) (none struct{}, err error) {
		if _, err = held(s, id); err != nil {
			return none, err
		}
		items, err = store.AuctionList[T, P](s, id, from, part.Limit+1)
		return none, err
	})
	if len(items) > part.Limit {
		items, next = items[:part.Limit], strconv.Itoa(from+part.Limit)
	}
	return items, next, err
}

func (l *ledgerAPI) AuctionRounds(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionRounds, err error) {
	rounds, next, err := listOf[types.Round](l, id, part)
	return wire.AuctionRounds{Rounds: books.Rounds(rounds), Next: next}, err
}

func (l *ledgerAPI) AuctionResults(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionResults, err error) {
	page.Results, page.Next, err = listOf[types.Result](l, id, part)
	return page, err
}

func (l *ledgerAPI) AuctionTrades(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionTrades, err error) {
	page.Trades, page.Next, err = listOf[types.MatchTrade](l, id, part)
	return page, err
}

// KeyOrders implements [api.Ledger]. It skips the orders of a book that an auction is emptying, of which there are few.
func (l *ledgerAPI) KeyOrders(_ context.Context, key types.PublicKey, part wire.Page) (wire.BookOrders, error) {
	place, err := hex.DecodeString(part.After)
	if err != nil || len(place) != 0 && len(place) != store.OrderPlaceLength {
		return wire.BookOrders{}, types.Refuse(types.CodeMalformed,
			"%.120q is not a place in a list of orders: pass on the next of the last page", part.After)
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.BookOrders, error) {
		page := wire.BookOrders{Height: s.Height(), Orders: []wire.BookOrder{}}
		var last []byte
		for entry, err := range s.OrdersOf(key, place) {
			if err != nil {
				return page, err
			}
			if _, open := s.Reader.Book(entry.Order.Product.ID()); !open {
				continue
			}
			if len(page.Orders) == part.Limit {
				page.Next = hex.EncodeToString(last)
				break
			}
			page.Orders, last = append(page.Orders, books.Order(s.Reader, entry.PlacedOrder)), entry.Place
		}
		return page, nil
	})
}

func (l *ledgerAPI) Record(_ context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error) {
	return glance(l, func(s *store.Head) (wire.KeyRecords, error) { return books.Record(s.Reader, key, asset), nil })
}

func (l *ledgerAPI) Records(_ context.Context, key types.PublicKey, part wire.Page) (wire.KeyRecords, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.KeyRecords, error) {
		return books.Records(s.Reader, key, part.After, part.Limit)
	})
}
