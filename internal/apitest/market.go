package apitest

import (
	"context"
	"iter"
	"strconv"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/books"
	"lockstep/internal/ledger"
	"lockstep/types"
)

// auctioned is an auction that was held, with its orders.
type auctioned struct {
	auction *types.Auction
	orders  []*types.PlacedOrder
}

func (l *Ledger) archive(diff *ledger.Diff) {
	for _, auction := range diff.Auctions {
		l.auctions[auction.Product.ID()] = &auctioned{auction: auction}
	}
	for _, matched := range diff.Matched {
		auction := l.auctions[matched.Product].auction
		auction.Trades = append(auction.Trades, matched.Trades...)
	}
	for _, left := range diff.Left {
		order := left.Before.(*types.PlacedOrder)
		held := l.auctions[order.Order.Product.ID()]
		held.orders = append(held.orders, order)
	}
}

// Products implements api.Market, as do all below.
func (l *Ledger) Products(_ context.Context, part wire.Page) (wire.Products, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return books.Products(l.reader(), &l.params, part.After, part.Limit)
}

func (l *Ledger) Product(_ context.Context, id types.ProductID) (wire.Book, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if open, ok := books.Open(l.reader(), &l.params, id); ok {
		return open, nil
	}
	held, err := l.auctionOf(id)
	if err != nil {
		return wire.Book{}, err
	}
	return books.Cleared(held.head(), held.auction.Rounds[:min(len(held.auction.Rounds), wire.MaxRounds)], l.reader(), &l.params), nil
}

func (l *Ledger) auctionOf(id types.ProductID) (*auctioned, error) {
	held := l.auctions[id]
	if held == nil || l.reader().Held(id) {
		return nil, types.Refuse(types.CodeNotFound, "no auction of product %s", id)
	}
	return held, nil
}

func (l *Ledger) ProductOrders(_ context.Context, id types.ProductID, part wire.Page) (wire.BookOrders, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, err := books.ParsePlace(part.After)
	if err != nil {
		return wire.BookOrders{}, err
	}
	var orders iter.Seq2[*types.PlacedOrder, error]
	if _, open := l.reader().Book(id); open {
		orders = books.OfOpen(l.reader(), id, from)
	} else {
		held, err := l.auctionOf(id)
		if err != nil {
			return wire.BookOrders{}, err
		}
		orders = held.from(from)
	}
	return books.Orders(l.reader(), orders, part.Limit)
}

func (a *auctioned) from(place books.Place) iter.Seq2[*types.PlacedOrder, error] {
	return func(yield func(*types.PlacedOrder, error) bool) {
		for _, placed := range a.orders {
			at := books.Place{Owner: placed.Order.Owner, Number: placed.Order.Number}
			if at.String() >= place.String() && !yield(placed, nil) {
				return
			}
		}
	}
}

// head is the auction without its lists.
func (a *auctioned) head() *wire.Auction {
	head := books.Auction(a.auction)
	head.RoundCount, head.ResultCount, head.TradeCount = len(a.auction.Rounds), len(a.auction.Results), len(a.auction.Trades)
	return &head
}

func (l *Ledger) Auction(_ context.Context, id types.ProductID) (wire.Auction, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, err := l.auctionOf(id)
	if err != nil {
		return wire.Auction{}, err
	}
	return *held.head(), nil
}

// listOf is a page of a list of an auction.
func listOf[T any](l *Ledger, id types.ProductID, part wire.Page, list func(*types.Auction) []T) (items []T, next string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, err := l.auctionOf(id)
	if err != nil {
		return nil, "", err
	}
	from, err := part.Index()
	if err != nil {
		return nil, "", err
	}
	all := list(held.auction)
	from = min(from, len(all))
	to := min(from+part.Limit, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

func (l *Ledger) AuctionRounds(_ context.Context, id types.ProductID, part wire.Page) (wire.AuctionRounds, error) {
	rounds, next, err := listOf(l, id, part, func(a *types.Auction) []types.Round { return a.Rounds })
	return wire.AuctionRounds{Rounds: books.Rounds(rounds), Next: next}, err
}

func (l *Ledger) AuctionResults(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionResults, err error) {
	page.Results, page.Next, err = listOf(l, id, part, func(a *types.Auction) []types.Result { return a.Results })
	return page, err
}

func (l *Ledger) AuctionTrades(_ context.Context, id types.ProductID, part wire.Page) (page wire.AuctionTrades, err error) {
	page.Trades, page.Next, err = listOf(l, id, part, func(a *types.Auction) []types.MatchTrade { return a.Trades })
	return page, err
}

func (l *Ledger) KeyOrders(_ context.Context, key types.PublicKey, part wire.Page) (page wire.BookOrders, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, err := part.Index()
	if err != nil {
		return page, err
	}
	page.Height = l.reader().Clock().Height
	at := 0
	for _, open := range l.reader().BooksFrom(0, types.ProductID{}) {
		for order := range l.reader().Orders(open.Product.ID()) {
			if order.Order.Owner != key {
				continue
			}
			if at++; at <= from {
				continue
			}
			if len(page.Orders) == part.Limit {
				page.Next = strconv.Itoa(at - 1)
				return page, nil
			}
			page.Orders = append(page.Orders, books.Order(l.reader(), order))
		}
	}
	return page, nil
}

func (l *Ledger) Record(_ context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return books.Record(l.reader(), key, asset), nil
}

func (l *Ledger) Records(_ context.Context, key types.PublicKey, part wire.Page) (wire.KeyRecords, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return books.Records(l.reader(), key, part.After, part.Limit)
}

// NewProduct is energy in a quarter-hour that begins a number of slots after the first one whose gate is half an hour away.
func (l *Ledger) NewProduct(slots int) types.Product {
	euro, slot := Euro(), l.params.Slot
	from := l.Now().Add(l.params.Market.Gate + 30*60_000)
	from = from/types.Time(slot)*types.Time(slot) + types.Time(slots+1)*types.Time(slot)
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "community", From: from, Until: from.Add(slot), Asset: euro.ID(),
	}
}

// NewOrder is an order of 1,000 Wh under hold terms.
func (l *Ledger) NewOrder(product types.Product, owner string, number uint8, side types.Side, limit uint64) types.Order {
	return types.Order{
		ChainID: l.params.ChainID, Owner: Key(owner), Product: product, Side: side, Number: number, Quantity: 1000,
		Limit: types.Rate{Mantissa: limit}, MinFill: 1, Expires: product.From, Accepts: []types.Fallback{&types.Hold{}},
		Deposit: types.Range{Most: types.WholePrice}, Bond: types.Range{Most: types.WholePrice},
	}
}

// Place puts orders into their books, each in a transaction of its own by the party of that name.
func (l *Ledger) Place(t testing.TB, owner string, orders ...types.Order) {
	t.Helper()
	for _, order := range orders {
		if err := l.Submit(t.Context(), Sign(l.Body(&types.Place{Order: order}), owner)); err != nil {
			t.Fatal(err)
		}
	}
}

// Auctioned plays an auction: two bids of 12 and 8 against offers of 4 and 9, of 1,000 Wh each.
func (l *Ledger) Auctioned(t testing.TB) types.Product {
	t.Helper()
	if err := l.Submit(t.Context(), l.Issue(1_000_000, "consumer", "producer", "alice", "bob")); err != nil {
		t.Fatal(err)
	}
	product := l.NewProduct(0)
	l.Place(t, "consumer", l.NewOrder(product, "consumer", 0, types.Bid, 12))
	l.Place(t, "alice", l.NewOrder(product, "alice", 0, types.Bid, 8))
	l.Place(t, "producer", l.NewOrder(product, "producer", 0, types.Sell, 4), l.NewOrder(product, "producer", 1, types.Sell, 9))
	l.Gate(&product)
	return product
}

// Gate lets time pass until the auction of a product has been held.
func (l *Ledger) Gate(product *types.Product) {
	l.Advance(product.Gate(&l.params).Since(l.Now()) + 1)
}
