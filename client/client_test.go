package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

const token = "a token of the test"

// world is a client of a real server before a real ledger.
type world struct {
	*client.Client
	t      *testing.T
	ledger *ledgertest.Ledger
	server *httptest.Server
	node   http.Handler
	front  atomic.Pointer[http.HandlerFunc] // answers in place of the node, when set
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, ledgertest.New(t, "test"))
}

func newWorldOf(t *testing.T, ledger *ledgertest.Ledger) *world {
	t.Helper()
	w := &world{t: t, ledger: ledger}
	log := slog.New(slog.DiscardHandler)
	node, err := httpapi.New(httpapi.Config{Ledger: w.ledger, Token: token, Version: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	w.node = node
	w.server = httptest.NewUnstartedServer(nil)
	w.server.Config = &httpapi.NewServer(t.Context(), http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if front := w.front.Load(); front != nil {
			(*front)(out, r)
			return
		}
		node.ServeHTTP(out, r)
	}), httpapi.Limits{}, log).Server
	w.server.Start()
	t.Cleanup(w.server.Close)
	w.Client = w.dial(client.WithToken(" " + token + "\n")) // as in its file
	return w
}

func (w *world) dial(options ...client.Option) *client.Client {
	w.t.Helper()
	c, err := client.New(w.server.URL, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// instead lets a handler answer in place of the node.
func (w *world) instead(handler http.HandlerFunc) { w.front.Store(&handler) }

// answers sends a value as the node's answer.
func answers(value any) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(value)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func wantCode(t *testing.T, err error, code types.Code, says string) {
	t.Helper()
	if types.CodeOf(err) != code || err == nil || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v, want %s with %q", err, code, says)
	}
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	story, id := w.ledger.Story(t)
	if status := must[wire.Status](t)(w.Status(ctx)); status.Height != uint64(len(story)+1) || status.Version != "test" {
		t.Errorf("status %+v", status)
	}
	if params := must[types.Params](t)(w.Params(ctx)); params.ChainID != "test" {
		t.Errorf("params %+v", params)
	}
	if trade := must[wire.Trade](t)(w.Trade(ctx, id)); trade.Trade.ID() != id {
		t.Errorf("trade %+v", trade)
	}
	if assets := must[wire.Assets](t)(w.Assets(ctx, "", client.Page{})); len(assets.Assets) != 1 {
		t.Errorf("assets %+v", assets)
	}
	euro := party.Euro()
	if balances := must[wire.Balances](t)(w.BalancesOf(ctx, party.Key("producer"), euro.ID())); balances.Balances[0].Spendable != 10_400 {
		t.Errorf("balances %+v", balances)
	}
	for height := range story {
		block := must[wire.BlockTxs](t)(w.BlockTxs(ctx, uint64(height)+2, client.Page{}))
		if block.Txs[0].Tx.ID() != story[height].ID() || string(block.Txs[0].Tx.Bytes()) != string(story[height].Bytes()) {
			t.Errorf("block %d %+v", height+2, block)
		}
	}
	if latest := must[wire.BlockHead](t)(w.Block(ctx, 0)); latest.Height != uint64(len(story)+1) {
		t.Errorf("latest %+v", latest)
	}
	_, err := w.Trade(ctx, types.TradeID{})
	wantCode(t, err, types.CodeNotFound, "trade 0000")
	_, err = w.Block(ctx, 99)
	wantCode(t, err, types.CodeNotFound, "block 99")
}

func TestPages(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	must[wire.Receipt](t)(w.Submit(ctx, w.ledger.Issue(10_000, "consumer")))
	const offers = 101 // more than a page
	for nonce := range uint64(offers) {
		if _, err := w.SubmitAsync(ctx, party.Sign(w.ledger.Body(&types.Post{Offer: w.ledger.NewOffer(nonce)}), "producer")); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[types.OfferID]bool{}
	for offer, err := range w.AllOffers(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen[offer.ID] = true
	}
	if len(seen) != offers {
		t.Errorf("%d offers", len(seen))
	}
	page := must[wire.Offers](t)(w.Offers(ctx, client.Page{Limit: 3}))
	next := must[wire.Offers](t)(w.Offers(ctx, client.Page{After: page.Next, Limit: 3}))
	if len(page.Offers) != 3 || len(next.Offers) != 3 || next.Offers[0].ID == page.Offers[2].ID {
		t.Errorf("pages %+v %+v", page, next)
	}
	for _, err := range w.AllOffers(ctx) {
		if err != nil {
			t.Error(err)
		}
		break // stopping early is allowed
	}
	w.ledger.Story(t)
	var trades []wire.Trade
	for trade, err := range w.AllTrades(ctx, party.Key("consumer"), false) {
		if err != nil {
			t.Fatal(err)
		}
		trades = append(trades, trade)
	}
	if len(trades) != 1 {
		t.Errorf("trades %+v", trades)
	}
	w.instead(answers(wire.Offers{Next: "again"}))
	for _, err := range w.AllOffers(ctx) {
		wantCode(t, err, types.CodeInternal, "no end")
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	tx := w.ledger.Issue(5, "alice")
	first := must[wire.Receipt](t)(w.Submit(ctx, tx))
	if first.Status != wire.StatusCommitted || first.Tx != tx.ID() {
		t.Fatalf("%+v", first)
	}
	if again := must[wire.Receipt](t)(w.Submit(ctx, tx)); again != first { // replay: the same receipt
		t.Errorf("again: %+v", again)
	}
	if got := must[wire.Receipt](t)(w.Tx(ctx, tx.ID())); got != first {
		t.Errorf("receipt: %+v", got)
	}
	spend := w.ledger.Body()
	spend.Inputs = []types.Outpoint{{Tx: tx.ID()}}
	spend.Outputs = []types.Output{{Asset: asset(), Amount: 5, Lock: types.ToKey(party.Key("bob"))}}
	must[wire.Receipt](t)(w.Submit(ctx, party.Sign(spend, "alice")))
	if again := must[wire.Receipt](t)(w.Submit(ctx, party.Sign(spend, "alice"))); again.Status != wire.StatusCommitted {
		t.Errorf("a repeated spending: %+v", again)
	}
	spend.Memo = "the same coin"
	_, err := w.Submit(ctx, party.Sign(spend, "alice"))
	wantCode(t, err, types.CodeInputMissing, "submit transaction")
	_, err = w.dial().Submit(ctx, w.ledger.Issue(1, "alice"))
	wantCode(t, err, types.CodeToken, "token")
	_, err = w.dial(client.WithToken("wrong")).Submit(ctx, w.ledger.Issue(1, "alice"))
	wantCode(t, err, types.CodeToken, "not an access token")
}

func TestSubmitMany(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var txs []*types.Tx
	for i := range wire.MaxBatch + 3 { // two requests
		txs = append(txs, w.ledger.Issue(types.Amount(1+i), "alice"))
	}
	bad := party.Sign(w.ledger.Body(&types.Issue{Asset: party.Euro(), Amount: 5}), "issuer") // to nobody: unbalanced
	txs[1] = bad
	for _, want := range []string{wire.StatusPending, wire.StatusCommitted} { // again: the receipts of all
		receipts := must[[]wire.Receipt](t)(w.SubmitMany(ctx, txs))
		if len(receipts) != len(txs) {
			t.Fatalf("%d receipts for %d transactions", len(receipts), len(txs))
		}
		for i, receipt := range receipts {
			switch {
			case receipt.Tx != txs[i].ID():
				t.Errorf("receipt %d is of another transaction", i)
			case i == 1 && (receipt.Status != wire.StatusRefused || receipt.Code != types.CodeUnbalanced || receipt.Detail == ""):
				t.Errorf("%+v", receipt)
			case i != 1 && receipt.Status != want:
				t.Fatalf("%d: %+v", i, receipt)
			}
		}
	}
	if receipts, err := w.SubmitMany(ctx, nil); len(receipts) != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", receipts, err)
	}
	_, err := w.dial(client.WithToken("wrong")).SubmitMany(ctx, txs[:1])
	wantCode(t, err, types.CodeToken, "not an access token")
	w.instead(answers(wire.Receipts{Receipts: []wire.Receipt{{}}}))
	_, err = w.SubmitMany(ctx, txs[:2])
	wantCode(t, err, types.CodeInternal, "1 receipts for 2 transactions")
	w.instead(answers(wire.Receipts{Receipts: []wire.Receipt{{Tx: bad.ID(), Status: wire.StatusPending}}}))
	_, err = w.SubmitMany(ctx, txs[:1])
	wantCode(t, err, types.CodeInternal, "is for")
}

func asset() types.AssetID {
	euro := party.Euro()
	return euro.ID()
}

func TestSubmitPending(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.ledger.Hold()
	good := w.ledger.Issue(5, "alice")
	bad := party.Sign(w.ledger.Body(&types.Issue{Asset: party.Euro(), Amount: 5}), "issuer") // to nobody: unbalanced
	for _, tx := range []*types.Tx{good, bad} {
		if receipt := must[wire.Receipt](t)(w.SubmitAsync(ctx, tx)); receipt.Status != wire.StatusPending {
			t.Fatalf("%+v", receipt)
		}
	}
	results := make(chan error, 2)
	for _, tx := range []*types.Tx{good, bad} { // both are pending already: the node says so, and the client waits
		go func() {
			_, err := w.Submit(ctx, tx)
			results <- err
		}()
	}
	awaited := make(chan wire.Receipt)
	go func() {
		receipt, _ := w.Await(ctx, bad.ID())
		awaited <- receipt
	}()
	w.ledger.Resume()
	if receipt := <-awaited; receipt.Status != wire.StatusRefused || receipt.Code != types.CodeUnbalanced {
		t.Errorf("%+v", receipt)
	}
	one, other := <-results, <-results
	if one != nil {
		one, other = other, one
	}
	if one != nil {
		t.Errorf("the good one: %v", one)
	}
	wantCode(t, other, types.CodeUnbalanced, "comes in")
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	tx := w.ledger.Issue(5, "alice")
	must[wire.Receipt](t)(w.SubmitAsync(ctx, tx))
	done := make(chan error)
	go func() {
		_, err := w.Await(ctx, tx.ID())
		done <- err
	}()
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Status(t.Context())
	wantCode(t, err, types.CodeUnavailable, "start the node, or check the address")
	for _, err := range c.Events(t.Context(), client.EventsOptions{}) {
		wantCode(t, err, types.CodeUnavailable, "start the node")
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var asked, sent atomic.Int32
	w.instead(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			sent.Add(1)
		} else if asked.Add(1) == 3 {
			w.front.Store(nil)
		}
		out.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := w.Submit(ctx, w.ledger.Issue(1, "alice"))
	wantCode(t, err, types.CodeUnavailable, "HTTP 503")
	if sent.Load() != 1 {
		t.Errorf("a transaction was sent %d times", sent.Load())
	}
	must[wire.Status](t)(w.Status(ctx))
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost", "localhost:8080", "ftp://localhost", "http://", "http://user:secret@localhost", "http://localhost?token=secret", "http://a b", "\x00"} {
		_, err := client.New(address)
		wantCode(t, err, types.CodeMalformed, "address")
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	if _, err := client.New("http://localhost:8080/"); err != nil {
		t.Error(err)
	}
}

// The client checks the hash of each object that is named by its hash.
func TestLies(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	story, id := w.ledger.Story(t)
	trade := must[wire.Trade](t)(w.Trade(ctx, id))
	offer := must[wire.Offers](t)(w.Offers(ctx, client.Page{})).Offers[0]
	block := must[wire.BlockTxs](t)(w.BlockTxs(ctx, 3, client.Page{}))
	assets := must[wire.Assets](t)(w.Assets(ctx, "", client.Page{}))
	trade.Trade.Agreement.Price++
	offer.Offer.MinFill++
	block.Txs[0].ID[0] ^= 1
	assets.Assets[0].Asset.Decimals++
	for name, lie := range map[string]struct {
		answer any
		ask    func() error
	}{
		"trade":    {trade, func() error { _, err := w.Trade(ctx, id); return err }},
		"trades":   {wire.Trades{Trades: []wire.Trade{trade}}, func() error { _, err := w.Trades(ctx, party.Key("consumer"), false, client.Page{}); return err }},
		"stranger": {wire.Trades{Trades: []wire.Trade{trade}}, func() error { _, err := w.Trades(ctx, party.Key("alice"), false, client.Page{}); return err }},
		"no trade": {map[string]any{"id": id}, func() error { _, err := w.Trade(ctx, id); return err }},
		"offer":    {offer, func() error { _, err := w.Offer(ctx, offer.ID); return err }},
		"offers":   {wire.Offers{Offers: []wire.Offer{offer}}, func() error { _, err := w.Offers(ctx, client.Page{}); return err }},
		"assets":   {assets, func() error { _, err := w.Assets(ctx, "", client.Page{}); return err }},
		"block":    {block, func() error { _, err := w.BlockTxs(ctx, 3, client.Page{}); return err }},
		"height":   {wire.BlockHead{Height: 4}, func() error { _, err := w.Block(ctx, 3); return err }},
		"receipt":  {wire.Receipt{Status: wire.StatusCommitted}, func() error { _, err := w.Submit(ctx, story[0]); return err }},
		"tx":       {wire.Receipt{Status: wire.StatusCommitted}, func() error { _, err := w.Tx(ctx, story[0].ID()); return err }},
	} {
		w.instead(answers(lie.answer))
		if err := lie.ask(); types.CodeOf(err) != types.CodeInternal || !strings.Contains(err.Error(), "don't trust the node") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The client reports any other server at the address as not a node. It neither panics nor reads an endless answer.
func TestStrangers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	for name, handler := range map[string]http.HandlerFunc{
		"a web page": func(out http.ResponseWriter, _ *http.Request) { io.WriteString(out, "<html>") },
		"not found":  http.NotFound,
		"a redirect": func(out http.ResponseWriter, r *http.Request) {
			http.Redirect(out, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
		"another JSON": answers([]int{1}),
		"an odd problem": func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", wire.ProblemType)
			out.WriteHeader(http.StatusTeapot)
			io.WriteString(out, `{"code":"ok"}`)
		},
		"an odd status": answers(wire.Receipt{Status: "perhaps"}),
	} {
		w.instead(handler)
		_, err := w.Tx(ctx, types.TxID{})
		if types.CodeOf(err) != types.CodeInternal || !strings.Contains(err.Error(), "not a Lockstep node") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.instead(func(out http.ResponseWriter, _ *http.Request) {
		line := strings.Repeat(" ", 1<<20)
		for range 70 {
			if _, err := io.WriteString(out, line); err != nil {
				return
			}
		}
	})
	_, err := w.Status(ctx)
	wantCode(t, err, types.CodeTooLarge, "64 MiB")
}

func TestTokenConfinement(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var got atomic.Value
	w.instead(func(out http.ResponseWriter, r *http.Request) {
		got.Store(fmt.Sprint(r.Header, r.URL))
		out.WriteHeader(http.StatusNotFound)
	})
	_, err := w.Status(ctx)
	if seen := got.Load().(string); strings.Contains(seen, token) || strings.Contains(seen, url.QueryEscape(token)) || strings.Contains(err.Error(), token) {
		t.Errorf("the token is in %s or %v", seen, err)
	}
}

func FuzzTrade(f *testing.F) {
	l := ledgertest.New(f, "test")
	f.Add(`{"id":"` + strings.Repeat("0", 64) + `","trade":{"agreement":{"fallback":null}}}`)
	if offer, err := json.Marshal(l.NewOffer(1)); err == nil {
		f.Add(`{"trade":{"agreement":` + string(offer) + `}}`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := client.New("http://localhost", client.WithHTTPClient(&http.Client{Transport: canned(text)}))
		if err != nil {
			t.Fatal(err)
		}
		if trade, err := c.Trade(t.Context(), types.TradeID{}); err == nil && trade.Trade.ID() != (types.TradeID{}) {
			t.Fatal("a trade of another hash was taken")
		}
	})
}

// canned is an answer without a network, which would be too slow to fuzz over.
type canned string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c))), Request: r}, nil
}
