package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestMarket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	product := w.ledger.Auctioned(t)
	id := product.ID()
	path := "/v1/products/" + id.String()
	cleared := get[wire.Book](w, path)
	if cleared.Product.State != wire.ProductCleared || cleared.Held == nil || cleared.Held.Trades != 1 || cleared.Product.Orders != 4 ||
		len(cleared.Bids)+len(cleared.Offers)+len(cleared.Indicative) != 0 {
		t.Errorf("cleared %+v", cleared)
	}
	auction := get[wire.Auction](w, path+"/auction")
	if auction.ID != id || auction.RoundCount != 1 || auction.ResultCount != 4 || auction.TradeCount != 1 {
		t.Fatalf("auction %+v", auction)
	}
	rounds := get[wire.AuctionRounds](w, path+"/auction/rounds").Rounds
	if len(rounds) != 1 || rounds[0].Price < 8 || rounds[0].Price > 9 {
		t.Fatalf("rounds %+v", rounds)
	}
	for name, told := range map[string]types.Grid{"book": cleared.Product.Grid, "auction": auction.Grid} {
		if told.Lot != 1 || told.Deposit != 1 || types.FallbackKind(told.Fallback) != "hold" {
			t.Errorf("the grid of the %s is %+v", name, told)
		}
	}
	var results []types.Result
	for after := "x"; after != ""; {
		page := get[wire.AuctionResults](w, path+"/auction/results?limit=3&after="+strings.Trim(after, "x"))
		results, after = append(results, page.Results...), page.Next
	}
	trades := get[wire.AuctionTrades](w, path+"/auction/trades").Trades
	if len(results) != 4 || len(trades) != 1 {
		t.Fatalf("results %+v, trades %+v", results, trades)
	}
	orders := get[wire.BookOrders](w, path+"/orders")
	for i, order := range orders.Orders {
		if order.ID != results[i].Order || order.Order.ID() != order.ID {
			t.Errorf("order %d is %s, the result that of %s", i, order.ID, results[i].Order)
		}
	}
	trade := get[wire.Trade](w, "/v1/trades/"+trades[0].Trade.String())
	if trade.Trade.Agreement.Price != 1000*rounds[0].Price || trade.Phase != types.PhasePaid || trade.Moves[0].What != "deliver" {
		t.Errorf("trade %+v", trade)
	}
	if products := get[wire.Products](w, "/v1/products"); len(products.Products) != 0 {
		t.Errorf("products %+v", products)
	}
	if own := get[wire.BookOrders](w, "/v1/keys/"+party.Key("consumer").String()+"/orders"); len(own.Orders) != 0 {
		t.Errorf("orders %+v", own)
	}
}

// The money of a key's orders is told as such; the unused part comes back with the auction.
func TestMoneyInOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openBook()
	euro, product := party.Euro(), w.ledger.NewProduct(0)
	balance := func(name string) wire.Balance {
		t.Helper()
		told := get[wire.Balances](w, "/v1/keys/"+party.Key(name).String()+"/balances").Balances
		if len(told) != 1 || told[0].Asset != euro.ID() {
			t.Fatalf("%s has %+v", name, told)
		}
		return told[0]
	}
	const stake = (12+1)*1000 + (8+1)*1000 // limit and deposit of each lot
	if has := balance("consumer"); has.InOrders != stake || has.Locked != 0 || has.Spendable != 0 {
		t.Errorf("before the gate the consumer has %+v", has)
	}
	var placed types.Amount
	for _, order := range get[wire.BookOrders](w, "/v1/keys/"+party.Key("consumer").String()+"/orders").Orders {
		placed += order.Stake
	}
	if placed != stake {
		t.Errorf("its orders tell of stakes of %s", placed)
	}
	w.ledger.Gate(&product)
	has := balance("consumer")
	price := get[wire.AuctionRounds](w, "/v1/products/"+id(product)+"/auction/rounds").Rounds[0].Price
	if has.InOrders != 0 || has.Locked != 1000*(price+1) || has.Spendable != stake-has.Locked {
		t.Errorf("after the auction at %s it has %+v", price, has)
	}
	if sold := balance("producer"); sold.InOrders != 0 || sold.Locked != 1000 || sold.Spendable != 1000 {
		t.Errorf("after the auction the producer has %+v", sold)
	}
}

// The indicative result equals the result of the auction when the gate closes.
func TestBook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openBook()
	product := w.ledger.NewProduct(0)
	book := get[wire.Book](w, "/v1/products/"+id(product))
	want := "[{12 1000 1} {8 2000 2}] [{4 1000 1} {9 1000 1}]"
	if got := fmt.Sprint(book.Bids, book.Offers); got != want {
		t.Errorf("depth %s, want %s", got, want)
	}
	if told := &book.Product; told.Opens >= told.Withdrawable || told.Withdrawable != told.Gate-types.Time(w.ledger.Params().MinWindow) {
		t.Errorf("it opens at %s, orders can be withdrawn until %s, the gate closes at %s", told.Opens, told.Withdrawable, told.Gate)
	}
	if book.Product.State != wire.ProductOpen || book.Held != nil || book.Omitted != "" || len(book.Indicative) != 1 {
		t.Fatalf("book %+v", book)
	}
	response, text := w.ask("GET", "/v1/products/"+id(product)+"/auction", nil)
	w.refused(response, text, http.StatusNotFound, types.CodeNotFound)
	w.ledger.Gate(&product)
	held := get[wire.AuctionRounds](w, "/v1/products/"+id(product)+"/auction/rounds")
	if fmt.Sprint(held.Rounds[0]) != fmt.Sprint(book.Indicative[0]) {
		t.Errorf("indicative %+v, traded %+v", book.Indicative, held.Rounds)
	}
}

func id(product types.Product) string { return product.ID().String() }

// openBook fills the books of the next slot and of the one after it.
func (w *world) openBook() {
	w.t.Helper()
	l := w.ledger
	if err := l.Submit(w.t.Context(), l.Issue(1_000_000, "alice")); err != nil {
		w.t.Fatal(err)
	}
	first, second := l.NewProduct(0), l.NewProduct(1)
	l.Place(w.t, "consumer", l.NewOrder(first, "consumer", 0, types.Bid, 12), l.NewOrder(first, "consumer", 1, types.Bid, 8))
	l.Place(w.t, "alice", l.NewOrder(first, "alice", 0, types.Bid, 8), l.NewOrder(second, "alice", 0, types.Bid, 1))
	l.Place(w.t, "producer", l.NewOrder(first, "producer", 0, types.Sell, 4), l.NewOrder(first, "producer", 1, types.Sell, 9))
}

func TestMarketPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openBook()
	first, second := w.ledger.NewProduct(0), w.ledger.NewProduct(1)
	page := get[wire.Products](w, "/v1/products?limit=1")
	if len(page.Products) != 1 || page.Products[0].ID != first.ID() || page.Products[0].Orders != 5 || page.Next == "" {
		t.Fatalf("first page %+v", page)
	}
	page = get[wire.Products](w, "/v1/products?limit=1&after="+page.Next)
	if len(page.Products) != 1 || page.Products[0].ID != second.ID() || page.Next != "" {
		t.Fatalf("second page %+v", page)
	}
	seen := map[types.OrderID]bool{}
	for after, n := "", 0; n == 0 || after != ""; n++ {
		part := get[wire.BookOrders](w, "/v1/products/"+id(first)+"/orders?limit=2&after="+after)
		for _, order := range part.Orders {
			seen[order.ID] = true
		}
		if after = part.Next; n > 3 {
			t.Fatal("the pages have no end")
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d orders came in pages", len(seen))
	}
	alice := "/v1/keys/" + party.Key("alice").String() + "/orders?limit=1"
	own := get[wire.BookOrders](w, alice)
	if len(own.Orders) != 1 || own.Orders[0].Order.Product.ID() != first.ID() || own.Next == "" {
		t.Fatalf("own %+v", own)
	}
	if own = get[wire.BookOrders](w, alice+"&after="+own.Next); len(own.Orders) != 1 || own.Orders[0].Order.Product.ID() != second.ID() || own.Next != "" {
		t.Errorf("own, second page %+v", own)
	}
	for _, path := range []string{"/v1/products?after=zz", "/v1/products/" + id(first) + "/orders?after=00", alice + "&after=x"} {
		response, text := w.ask("GET", path, nil)
		w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
	}
	unknown := strings.Repeat("0", 64)
	for _, path := range []string{"", "/orders", "/auction"} {
		response, text := w.ask("GET", "/v1/products/"+unknown+path, nil)
		w.refused(response, text, http.StatusNotFound, types.CodeNotFound)
	}
}

// A matched trade without a delivery counts in the record of the producer.
func TestRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Auctioned(t)
	w.ledger.Advance(w.ledger.Params().Market.Gate + 60_000)
	euro := party.Euro()
	path := "/v1/keys/" + party.Key("producer").String() + "/record"
	for _, query := range []string{"", "?asset=" + euro.ID().String()} {
		records := get[wire.KeyRecords](w, path+query)
		if len(records.Records) != 1 || records.Records[0].Record.Refunds != 1 || records.Records[0].Record.Failed < 8000 || records.Records[0].Percent != 0 {
			t.Errorf("%q: %+v", query, records)
		}
	}
	nobody := "/v1/keys/" + party.Key("nobody").String() + "/record"
	if all := get[wire.KeyRecords](w, nobody); len(all.Records) != 0 {
		t.Errorf("records of nobody: %+v", all)
	}
	if one := get[wire.KeyRecords](w, nobody+"?asset="+euro.ID().String()); len(one.Records) != 1 || one.Records[0].Record != (types.Conduct{}) {
		t.Errorf("a record of nobody: %+v", one)
	}
}

// The events of a product are its placed and withdrawn orders and its auction.
func TestEventsOfAProduct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openBook()
	product, other := w.ledger.NewProduct(0), w.ledger.NewProduct(1)
	withdraw := w.ledger.Body(&types.Withdraw{Product: product.ID(), Owner: party.Key("alice"), Number: 0})
	withdraw.Outputs = []types.Output{party.Output("alice", (8+1)*1000)} // its stake
	if err := w.ledger.Submit(t.Context(), party.Sign(withdraw, "alice")); err != nil {
		t.Fatal(err)
	}
	w.ledger.Gate(&product)
	status := get[wire.Status](w, "/v1/status")
	next, leave := w.listen("/v1/events?from=1&product="+product.ID().String(), "")
	defer leave()
	events, _ := all(t, next, status.Height)
	count := map[types.EventKind]int{}
	for _, event := range events {
		count[event.Kind]++
		if event.Product != product.ID() || event.Product == other.ID() {
			t.Errorf("an event of another product: %+v", event)
		}
	}
	if count[types.EventOrdered] != 5 || count[types.EventWithdrawn] != 1 || count[types.EventCleared] != 1 || count[types.EventMatched] == 0 {
		t.Errorf("events %v", count)
	}
}

func TestMarketSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openBook()
	registry, operations := registered(t)
	product := w.ledger.NewProduct(0)
	key := "/v1/keys/" + party.Key("consumer").String()
	w.fits(registry, operations["products"], "/v1/products", http.StatusOK)
	w.fits(registry, operations["key-orders"], key+"/orders", http.StatusOK)
	for range 2 { // open, then cleared
		w.fits(registry, operations["product"], "/v1/products/"+id(product), http.StatusOK)
		w.fits(registry, operations["product-orders"], "/v1/products/"+id(product)+"/orders", http.StatusOK)
		w.ledger.Gate(&product)
	}
	for _, list := range []string{"", "/rounds", "/results", "/trades"} {
		w.fits(registry, operations["auction"+strings.Replace(list, "/", "-", 1)], "/v1/products/"+id(product)+"/auction"+list, http.StatusOK)
	}
	w.ledger.Advance(w.ledger.Params().Market.Gate + 60_000)
	w.fits(registry, operations["key-record"], "/v1/keys/"+party.Key("producer").String()+"/record", http.StatusOK)
	w.fits(registry, operations["auction"], "/v1/products/"+strings.Repeat("0", 64)+"/auction", http.StatusNotFound)
}
