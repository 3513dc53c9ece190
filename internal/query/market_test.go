package query_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/query"
	"lockstep/types"
)

// newMarket returns a store with an asset and an open product.
func newMarket(t *testing.T) (*book, types.Product) {
	b := newBook(t)
	b.mint(1, "alice")
	asset, slot := party.Euro(), types.Time(b.params.Slot)
	from := b.time.Add(b.params.Market.Gate)/slot*slot + 2*slot
	return b, types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "town", From: from, Until: from + slot, Asset: asset.ID(),
	}
}

// atGate fills the book with orders that meet, just before the next block holds the auction.
func (b *book) atGate(product types.Product, orders uint64) {
	b.t.Helper()
	b.time = product.Gate(&b.params) - types.Time(2*second)
	var txs []*types.Tx
	for i := range orders {
		txs = append(txs, b.placeTx(product, types.PublicKey{byte(i), byte(i >> 8), 1}, types.Side(1+i%2), 1, 100))
	}
	b.must(txs...)
	b.time = product.Gate(&b.params)
}

// placeTx places an order with a stake that the issuer issues for it.
func (b *book) placeTx(product types.Product, owner types.PublicKey, side types.Side, limit, quantity uint64) *types.Tx {
	order := party.Order(&b.params, "clara", types.Order{Product: product, Side: side, Quantity: quantity, Limit: types.Amount(limit)})
	order.Owner = owner
	return types.NewTx(b.body(party.Place(order)...), types.Signature{Key: party.Key("issuer")}, types.Signature{Key: owner}) // the store does not check signatures
}

// The orders of a product are the same, in the same order and in pages of any size, before and after its gate.
func TestOrdersAfterGate(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	id, ctx := product.ID(), t.Context()
	for i := range uint64(7) {
		b.must(b.placeTx(product, party.Key(fmt.Sprint("household ", i)), types.Side(1+i%2), 5+i, 100))
	}
	collect := func(limit int) (ids []types.OrderID) {
		t.Helper()
		for after := ""; ; {
			page, err := b.ProductOrders(ctx, id, wire.Page{After: after, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			for i := range page.Orders {
				ids = append(ids, page.Orders[i].ID)
			}
			if after = page.Next; after == "" {
				return ids
			}
		}
	}
	before := collect(100)
	if len(before) != 7 || fmt.Sprint(before) != fmt.Sprint(collect(2)) {
		t.Fatalf("orders %v", before)
	}
	if _, err := b.Auction(ctx, id); types.CodeOf(err) != types.CodeNotFound {
		t.Errorf("an auction before the gate: %v", err)
	}
	b.time = product.Gate(&b.params)
	b.must()
	if fmt.Sprint(before) != fmt.Sprint(collect(3)) {
		t.Error("the orders after the gate are not those before it")
	}
	auction, err := b.AuctionResults(ctx, id, wire.Page{Limit: 100})
	if err != nil || len(auction.Results) != len(before) {
		t.Fatal(auction, err)
	}
	for i := range auction.Results {
		if auction.Results[i].Order != before[i] {
			t.Errorf("result %d is not of order %d", i, i)
		}
	}
	if _, err := b.ProductOrders(ctx, types.ProductID{}, wire.Page{Limit: 1}); types.CodeOf(err) != types.CodeNotFound {
		t.Errorf("orders of an unknown product: %v", err)
	}
}

// A cached book is computed again after a block, a cleared product never.
func TestBookCache(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	ask := func() wire.Book {
		t.Helper()
		told, err := b.Product(t.Context(), product.ID())
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	b.must(b.placeTx(product, party.Key("clara"), types.Bid, 9, 100))
	if told := ask(); len(told.Bids) != 1 || len(told.Offers) != 0 {
		t.Fatalf("book %+v", told)
	}
	b.must(b.placeTx(product, party.Key("peter"), types.Sell, 5, 60))
	told := ask()
	if len(told.Offers) != 1 || len(told.Indicative) != 1 || told.Indicative[0].Price < 5 || told.Indicative[0].Price > 9 || told.Height != b.store.Height() {
		t.Errorf("book %+v", told)
	}
	if again := ask(); &again.Bids[0] != &told.Bids[0] {
		t.Error("the book was computed twice at one height")
	}
	b.time = product.Gate(&b.params)
	b.must()
	cleared := ask()
	b.must()
	if again := ask(); cleared.Held == nil || again.Held != cleared.Held {
		t.Error("a cleared product was looked up twice")
	}
	left, cancel := context.WithCancel(t.Context())
	cancel()
	done := b.Compute() // another caller
	if _, err := b.Product(left, product.ID()); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has left still waits: %v", err)
	}
	done()
}

// Callers get a book or are refused while its store closes, and are refused afterwards.
func TestBookOfClosingStore(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	b.must(b.placeTx(product, party.Key("clara"), types.Bid, 9, 100))
	asked, answered := make(chan struct{}), make(chan error, 100)
	for range cap(answered) {
		go func() {
			<-asked
			told, err := b.Product(t.Context(), product.ID())
			if err == nil && len(told.Bids) != 1 {
				err = fmt.Errorf("book %+v", told)
			}
			answered <- err
		}()
	}
	close(asked)
	if err := b.store.Close(); err != nil {
		t.Error(err)
	}
	for range cap(answered) {
		if err := <-answered; err != nil && types.CodeOf(err) != types.CodeUnavailable {
			t.Error(err)
		}
	}
	other := product
	other.Zone = "village"
	if _, err := b.Product(t.Context(), other.ID()); types.CodeOf(err) != types.CodeUnavailable {
		t.Errorf("a question after the store closed: %v", err)
	}
}

// The indicative result of a very large book is left out, and the answer says so.
func TestLargeBook(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	var txs []*types.Tx
	for i := range uint64(query.MaxIndicative + 1) {
		owner := types.PublicKey{byte(i), byte(i >> 8), byte(i >> 16), 1}
		txs = append(txs, b.placeTx(product, owner, types.Side(1+i%2), 1+i%3000, 100))
	}
	b.must(txs...)
	told, err := b.Product(t.Context(), product.ID())
	if err != nil {
		t.Fatal(err)
	}
	if told.Omitted == "" || len(told.Indicative) != 0 || len(told.Bids) != query.MaxLevels || told.Bids[0].Limit < told.Bids[1].Limit {
		t.Errorf("%q, %d rounds, %d levels", told.Omitted, len(told.Indicative), len(told.Bids))
	}
}

// A large auction is visible once all its trades are made, never in part.
func TestAuctionInProgress(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const orders = 8 * 1100
	b, product := newMarket(t)
	id, ctx := product.ID(), t.Context()
	b.atGate(product, orders)
	ask := func() map[string]error {
		_, book := b.Product(ctx, id)
		_, page := b.ProductOrders(ctx, id, wire.Page{Limit: 10})
		_, auction := b.Auction(ctx, id)
		return map[string]error{"book": book, "orders": page, "auction": auction}
	}
	b.must() // its first pages
	for what, err := range ask() {
		if types.CodeOf(err) != types.CodeNotFound || !strings.Contains(err.Error(), "is being held") {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.must() // its last
	for what, err := range ask() {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if auction, _ := b.Auction(ctx, id); auction.ResultCount != orders || auction.TradeCount != orders/2 {
		t.Errorf("%d orders, %d trades", auction.ResultCount, auction.TradeCount)
	}
}

// The lists of a key come in pages of any size from a real store: nothing is missing or repeated.
func TestKeyListPages(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	ctx, clara := t.Context(), party.Key("clara")
	var want []types.ProductID
	for i := range types.Time(4) {
		slot := types.Time(b.params.Slot)
		later := product
		later.From, later.Until = product.From+i*slot, product.Until+i*slot
		want = append(want, later.ID())
		b.must(b.placeTx(later, clara, types.Bid, 5, 100), b.placeTx(later, party.Key("peter"), types.Sell, 5, 100))
	}
	for limit := 1; limit <= 5; limit++ {
		var got []types.ProductID
		for part := (wire.Page{Limit: limit}); ; {
			page, err := b.KeyOrders(ctx, clara, part)
			if err != nil || len(page.Orders) > limit {
				t.Fatal(page, err)
			}
			for i := range page.Orders {
				if page.Orders[i].Order.Owner != clara {
					t.Error("an order of another key")
				}
				got = append(got, page.Orders[i].Order.Product.ID())
			}
			if part.After = page.Next; part.After == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
	b.time = product.Gate(&b.params)
	b.must() // the first auction: its orders are closed, and its match is to be delivered
	if page, err := b.KeyOrders(ctx, clara, wire.Page{Limit: 10}); err != nil || len(page.Orders) != 3 {
		t.Errorf("%d orders, %v", len(page.Orders), err)
	}
	b.wait(b.params.Market.Gate + 2*second)
	peter := party.Key("peter")
	first, err := b.Records(ctx, peter, wire.Page{Limit: 1})
	if err != nil || len(first.Records) != 1 || first.Records[0].Asset != product.Asset || first.Records[0].Record.Refunds+first.Records[0].Record.Excused == 0 || first.Next != "" {
		t.Errorf("%+v, %v", first, err)
	}
	behind, err := b.Records(ctx, peter, wire.Page{After: product.Asset.String(), Limit: 1})
	if err != nil || len(behind.Records) != 0 || behind.Next != "" {
		t.Errorf("%+v, %v", behind, err)
	}
	if page, err := b.Record(ctx, peter, product.Asset); err != nil || len(page.Records) != 1 || page.Records[0].Record != first.Records[0].Record {
		t.Errorf("%+v, %v", page, err)
	}
}
