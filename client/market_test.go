package client_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestMarket(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	must[wire.Receipt](t)(w.Submit(ctx, w.ledger.Issue(1_000_000, "alice", "producer")))
	product, other := w.ledger.NewProduct(0), w.ledger.NewProduct(1)
	const bids = 8
	for n := range uint8(bids) {
		w.ledger.Place(t, "alice", w.ledger.NewOrder(product, "alice", n, types.Bid, uint64(n)+1))
	}
	w.ledger.Place(t, "producer", w.ledger.NewOrder(product, "producer", 0, types.Sell, 5), w.ledger.NewOrder(other, "producer", 0, types.Sell, 5))

	var open []types.ProductID
	for next, err := range w.AllProducts(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, next.ID)
	}
	if !slices.Equal(open, []types.ProductID{product.ID(), other.ID()}) {
		t.Errorf("open %v", open)
	}
	book := must[wire.Book](t)(w.Product(ctx, product.ID()))
	if len(book.Bids) != bids || book.Bids[0].Limit != bids || len(book.Offers) != 1 || len(book.Indicative) != 1 {
		t.Errorf("book %+v", book)
	}
	first := must[wire.BookOrders](t)(w.ProductOrders(ctx, product.ID(), client.Page{Limit: 4}))
	second := must[wire.BookOrders](t)(w.ProductOrders(ctx, product.ID(), client.Page{After: first.Next, Limit: 4}))
	if len(first.Orders) != 4 || len(second.Orders) != 4 || first.Orders[3].ID == second.Orders[0].ID {
		t.Errorf("pages %+v %+v", first, second)
	}
	counted := 0
	for _, err := range w.AllKeyOrders(ctx, party.Key("alice")) {
		if err != nil {
			t.Fatal(err)
		}
		counted++
	}
	if counted != bids {
		t.Errorf("%d orders of alice", counted)
	}
	_, err := w.Auction(ctx, product.ID())
	wantCode(t, err, types.CodeNotFound, "auction of product")

	w.ledger.Gate(&product)
	held := must[client.Auction](t)(w.Auction(ctx, product.ID()))
	i := 0
	for order, err := range w.AllProductOrders(ctx, product.ID()) {
		if err != nil {
			t.Fatal(err)
		}
		if order.ID != held.Results[i].Order {
			t.Errorf("order %d is not that of result %d", i, i)
		}
		i++
	}
	if len(held.Trades) != 1 || must[wire.Trade](t)(w.Trade(ctx, held.Trades[0].Trade)).Phase != types.PhasePaid {
		t.Errorf("auction %+v", held)
	}
	w.ledger.Advance(w.ledger.Params().Market.Gate + 60_000)
	if record := must[wire.KeyRecord](t)(w.Record(ctx, party.Key("producer"), asset())); record.Record.Refunds != 1 {
		t.Errorf("record %+v", record)
	}
	if records := must[wire.KeyRecords](t)(w.Records(ctx, party.Key("alice"), client.Page{})); len(records.Records) != 0 {
		t.Errorf("records %+v", records)
	}
}

func TestEventsOfAProduct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	product := w.ledger.Auctioned(t)
	w.ledger.Place(t, "producer", w.ledger.NewOrder(w.ledger.NewProduct(3), "producer", 0, types.Sell, 5))
	until := must[client.Auction](t)(w.Auction(t.Context(), product.ID())).Height
	for _, event := range w.past(client.EventsOptions{From: 1, Product: product.ID()}, until) {
		if event.Product != product.ID() {
			t.Errorf("an event of another product: %+v", event)
		}
	}
}

// copied is a copy of an honest answer, to be changed into a lie.
func copied[T any](t *testing.T, value T, change func(*T)) T {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var again T
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	change(&again)
	return again
}

// The client checks an answer about a market: its hashes, its references and its keys.
func TestMarketLies(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	cleared := w.ledger.Auctioned(t)
	open := w.ledger.NewProduct(2)
	w.ledger.Place(t, "alice", w.ledger.NewOrder(open, "alice", 0, types.Bid, 3))
	id, alice := cleared.ID(), party.Key("alice")
	products := must[wire.Products](t)(w.Products(ctx, client.Page{}))
	book := must[wire.Book](t)(w.Product(ctx, id))
	orders := must[wire.BookOrders](t)(w.ProductOrders(ctx, id, client.Page{}))
	held := must[client.Auction](t)(w.Auction(ctx, id))
	own := must[wire.BookOrders](t)(w.KeyOrders(ctx, alice, client.Page{}))
	records := wire.KeyRecords{Key: alice, Records: []wire.KeyRecord{{Asset: asset()}}}

	askProduct := func() error { _, err := w.Product(ctx, id); return err }
	askOrders := func() error { _, err := w.ProductOrders(ctx, id, client.Page{}); return err }
	askAuction := func() error { _, err := w.Auction(ctx, id); return err }
	askOwn := func() error { _, err := w.KeyOrders(ctx, alice, client.Page{}); return err }
	askRecord := func() error { _, err := w.Record(ctx, alice, asset()); return err }
	for name, lie := range map[string]struct {
		answer any
		ask    func() error
	}{
		"products": {copied(t, products, func(p *wire.Products) { p.Products[0].Product.Zone = "elsewhere" }),
			func() error { _, err := w.Products(ctx, client.Page{}); return err }},
		"another product":       {copied(t, book, func(b *wire.Book) { b.Product = products.Products[0] }), askProduct},
		"a product's hash":      {copied(t, book, func(b *wire.Book) { b.Product.Product.Until++ }), askProduct},
		"an order's hash":       {copied(t, orders, func(o *wire.BookOrders) { o.Orders[0].Order.Quantity++ }), askOrders},
		"an order's product":    {own, askOrders},
		"an order's stake":      {copied(t, orders, func(o *wire.BookOrders) { o.Orders[0].Stake-- }), askOrders},
		"an order's percentage": {copied(t, orders, func(o *wire.BookOrders) { o.Orders[0].Percent++ }), askOrders},
		"an order without lots": {copied(t, orders, func(o *wire.BookOrders) { o.Orders[0].Order.Lot = 0 }), askOrders},
		"an order of another":   {orders, askOwn},
		"an own order's hash":   {copied(t, own, func(o *wire.BookOrders) { o.Orders[0].ID[0] ^= 1 }), askOwn},
		"auction":               {copied(t, held, func(a *client.Auction) { a.ID[0] ^= 1 }), askAuction},
		"auction's product":     {copied(t, held, func(a *client.Auction) { a.Product.Commodity = "heat" }), askAuction},
		"no such round":         {copied(t, held, func(a *client.Auction) { a.Trades[0].Round = 1 }), askAuction},
		"no such bid":           {copied(t, held, func(a *client.Auction) { a.Trades[0].Bid = 4 }), askAuction},
		"no such offer":         {copied(t, held, func(a *client.Auction) { a.Trades[0].Offer = 1<<32 - 1 }), askAuction},
		"record of another":     {copied(t, records, func(r *wire.KeyRecords) { r.Key = party.Key("bob") }), askRecord},
		"record in another":     {copied(t, records, func(r *wire.KeyRecords) { r.Records[0].Asset[0] ^= 1 }), askRecord},
		"no record":             {copied(t, records, func(r *wire.KeyRecords) { r.Records = nil }), askRecord},
		"a record's percentage": {copied(t, records, func(r *wire.KeyRecords) { r.Records[0].Percent = 95 }), askRecord},
	} {
		w.instead(answers(lie.answer))
		if err := lie.ask(); types.CodeOf(err) != types.CodeInternal || err == nil || !strings.Contains(err.Error(), "don't trust the node") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.instead(answers(copied(t, book, func(b *wire.Book) { b.Product.State = "odd" })))
	wantCode(t, askProduct(), types.CodeInternal, "not a state")
}

// For any answer about a market, the client accepts no object with another hash and does not panic.
func FuzzMarket(f *testing.F) {
	l := ledgertest.New(f, "test")
	product := l.Auctioned(f)
	for _, ask := range []func() (any, error){
		func() (any, error) { return l.Product(f.Context(), product.ID()) },
		func() (any, error) { return l.ProductOrders(f.Context(), product.ID(), wire.Page{Limit: 10}) },
		func() (any, error) { return l.Auction(f.Context(), product.ID()) },
	} {
		answer, err := ask()
		if err != nil {
			f.Fatal(err)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`{"orders":[{"order":{"lot":0,"fallback":null}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := client.New("http://localhost", client.WithHTTPClient(&http.Client{Transport: canned(text)}))
		if err != nil {
			t.Fatal(err)
		}
		if book, err := c.Product(t.Context(), product.ID()); err == nil && book.Product.Product.ID() != product.ID() {
			t.Error("a product of another hash was taken")
		}
		if page, err := c.ProductOrders(t.Context(), product.ID(), client.Page{}); err == nil {
			for _, order := range page.Orders {
				if order.Order.ID() != order.ID {
					t.Error("an order of another hash was taken")
				}
			}
		}
		if held, err := c.Auction(t.Context(), product.ID()); err == nil && held.Product.ID() != product.ID() {
			t.Error("an auction of another product was taken")
		}
	})
}
