package query

import (
	"context"
	"encoding/hex"
	"math"
	"strconv"

	"lockstep/client/wire"
	"lockstep/internal/store"
	"lockstep/types"
)

func (l *Ledger) Products(_ context.Context, part wire.Page) (wire.Products, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Products, error) {
		params := l.store.Params()
		return productsPage(s.Reader, &params, part.After, part.Limit)
	})
}

func (l *Ledger) Product(ctx context.Context, id types.ProductID) (wire.Book, error) {
	return l.books.get(ctx, id, l.store.Height(), func() (cachedBook, error) {
		return read(l, func(s *store.IndexedSnapshot) (cachedBook, error) {
			params := l.store.Params()
			if open, ok := openBook(s.Reader, &params, id); ok {
				return cachedBook{open, s.Height()}, nil
			}
			auction, err := auctionOf(s, id)
			if err != nil {
				return cachedBook{}, err
			}
			first, err := store.AuctionList[types.Round](s, id, 0, wire.MaxRounds)
			return cachedBook{clearedBook(auction, first, s.Reader, &params), math.MaxUint64}, err // a cleared product is final
		})
	})
}

// auctionOf returns the auction of a product. It fails when there was none, or when not all of its trades are made.
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
	auction := auctionHead(&head.Auction)
	auction.RoundCount, auction.ResultCount, auction.TradeCount = head.Rounds, head.Results, head.Trades
	return &auction, nil
}

func beingHeld(id types.ProductID) error {
	return types.Refuse(types.CodeNotFound, "the auction of product %s is being held: ask again in some blocks, when all its trades are made", id)
}

func (l *Ledger) ProductOrders(_ context.Context, id types.ProductID, part wire.Page) (wire.BookOrders, error) {
	from, err := parseOrderPlace(part.After)
	if err != nil {
		return wire.BookOrders{}, err
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.BookOrders, error) {
		orders := s.AuctionedOrdersFrom(id, from.Owner, from.Number)
		if _, open := s.Reader.Book(id); open {
			orders = ordersOfOpen(s.Reader, id, from)
		} else if s.Reader.Held(id) {
			return wire.BookOrders{}, beingHeld(id)
		}
		page, err := ordersPage(s.Reader, orders, part.Limit)
		if err == nil && len(page.Orders) == 0 && part.After == "" {
			_, err = auctionOf(s, id) // an auction has orders, so this returns the error of an unknown product
		}
		return page, err
	})
}

func (l *Ledger) Auction(_ context.Context, id types.ProductID) (wire.Auction, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Auction, error) {
		auction, err := held(s, id)
		if err != nil {
			return wire.Auction{}, err
		}
		return *auction, nil
	})
}

// held returns the auction of a product that is not open.
func held(s *store.IndexedSnapshot, id types.ProductID) (*wire.Auction, error) {
	if _, open := s.Reader.Book(id); open {
		return nil, types.Refuse(types.CodeNotFound, "the auction of product %s has not been held yet", id)
	}
	return auctionOf(s, id)
}

// listOf returns a page of a list of an auction.
func listOf[T any, P store.Item[T]](l *Ledger, id types.ProductID, part wire.Page) (items []T, next string, err error) {
	from, err := listIndex(part.After)
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

func (l *Ledger) AuctionRounds(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionRounds, err error) {
	page.Rounds, page.Next, err = listOf[types.Round](l, id, part)
	return page, err
}

func (l *Ledger) AuctionResults(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionResults, err error) {
	page.Results, page.Next, err = listOf[types.Result](l, id, part)
	return page, err
}

func (l *Ledger) AuctionTrades(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionTrades, err error) {
	page.Trades, page.Next, err = listOf[types.MatchTrade](l, id, part)
	return page, err
}

// KeyOrders implements [httpapi.Ledger]. It skips the few orders of a book that an auction is clearing.
func (l *Ledger) KeyOrders(_ context.Context, key types.PublicKey, part wire.Page) (wire.BookOrders, error) {
	place, err := hex.DecodeString(part.After)
	if err != nil || len(place) != 0 && len(place) != store.OrderPlaceLength {
		return wire.BookOrders{}, types.Refuse(types.CodeMalformed,
			"%.120q is not a place in a list of orders: pass the 'next' of the last page", part.After)
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
			page.Orders, last = append(page.Orders, bookOrder(s.Reader, entry.PlacedOrder)), entry.Place
		}
		return page, nil
	})
}

func (l *Ledger) Record(_ context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error) {
	return fromHead(l, func(s *store.Head) (wire.KeyRecords, error) { return recordOf(s.Reader, key, asset), nil })
}

func (l *Ledger) Records(_ context.Context, key types.PublicKey, part wire.Page) (wire.KeyRecords, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.KeyRecords, error) {
		return recordsPage(s.Reader, key, part.After, part.Limit)
	})
}
