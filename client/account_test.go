package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
	"lockstep/wallet"
)

// seedOf is a seed of the test.
func seedOf(t testing.TB, fill byte) *wallet.Seed {
	t.Helper()
	var random [64]byte
	for i := range random {
		random[i] = fill
	}
	seed, err := wallet.NewSeed(&reader{random[:]}, "")
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

type reader struct{ bytes []byte }

func (r *reader) Read(into []byte) (int, error) { return copy(into, r.bytes), nil }

// signer returns an account of the test on the world's ledger.
func (w *world) signer(t *testing.T, fill byte) *client.Account {
	t.Helper()
	account := must[*wallet.Account](t)(seedOf(t, fill).Account(0, wallet.DefaultLimits()))
	node := w.dial(client.WithToken(token), client.WithClock(func() time.Time { return w.ledger.Now().Std() }))
	return must[*client.Account](t)(node.Account(t.Context(), account))
}

func TestAccountTrades(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	producer, consumer := w.signer(t, 1), w.signer(t, 2)
	euro := types.Asset{Issuer: consumer.Key(), Code: "EUR", Decimals: 2}
	do := func(a *client.Account, steps ...func(*wallet.Draft) error) {
		t.Helper()
		if receipt, err := a.Do(ctx, steps...); err != nil || receipt.Height == 0 {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	do(consumer, func(d *wallet.Draft) error { return d.Issue(euro, 10_000) },
		func(d *wallet.Draft) error { return d.Send(producer.Key(), euro.ID(), 1_000) })

	offer := w.ledger.NewOffer(1)
	offer.Producer, offer.Asset = producer.Key(), euro.ID()
	id := must[types.OfferID](t)(producer.Post(ctx, offer))
	trade := must[types.TradeID](t)(consumer.Take(ctx, id, 400))
	_, err := consumer.Pay(ctx, trade)
	wantCode(t, err, types.CodePhase, "paid")
	must[wire.Receipt](t)(producer.Deliver(ctx, trade))
	must[wire.Receipt](t)(consumer.Release(ctx, trade, 1))
	if now, err := w.Trade(ctx, trade); err != nil || now.Phase != types.PhaseReleased {
		t.Fatalf("the trade is %s, %v", now.Phase, err)
	}
	must[wire.Receipt](t)(producer.Collect(ctx, trade))
	must[wire.Receipt](t)(consumer.Collect(ctx, trade))
	if now, err := w.Trade(ctx, trade); err != nil || !now.Over {
		t.Errorf("after both have collected: %+v, %v", now, err)
	}
	for a, want := range map[*client.Account]types.Amount{producer: 1_400, consumer: 8_600} {
		if balance, err := w.Balance(ctx, a.Key(), euro.ID()); err != nil || balance.Spendable != want {
			t.Errorf("%s has %+v, want %s: %v", a.Key(), balance, want, err)
		}
	}
	if none, err := w.Balance(ctx, party.Key("stranger"), euro.ID()); err != nil || none.Spendable != 0 {
		t.Errorf("a stranger has %+v, %v", none, err)
	}
	if unknown, err := w.Balance(ctx, producer.Key(), types.AssetID{7}); err != nil || unknown != (wire.Balance{}) {
		t.Errorf("of an unknown asset: %+v, %v", unknown, err)
	}
	if other, err := w.Balance(ctx, producer.Key(), euro.ID()); err == nil {
		w.instead(answers(wire.Balances{Balances: []wire.Balance{other}}))
	}
	_, err = w.Balance(ctx, producer.Key(), types.AssetID{7})
	wantCode(t, err, types.CodeInternal, "its answer for asset 0700")
	for name, step := range map[string]func() error{
		"take":    func() error { _, err := consumer.Take(ctx, types.OfferID{1}, 1); return err },
		"deliver": func() error { _, err := producer.Deliver(ctx, types.TradeID{1}); return err },
		"release": func() error { _, err := consumer.Release(ctx, types.TradeID{1}, 1); return err },
	} {
		if w.front.Store(nil); types.CodeOf(step()) != types.CodeNotFound {
			t.Errorf("%s of nothing: %v", name, step())
		}
	}
}

// TestAwaitPhase waits for a step of the other party, for a deadline, and for a phase that never comes.
func TestAwaitPhase(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	producer, consumer := w.signer(t, 1), w.signer(t, 2)
	euro := types.Asset{Issuer: consumer.Key(), Code: "EUR", Decimals: 2}
	must[wire.Receipt](t)(consumer.Do(ctx, func(d *wallet.Draft) error { return d.Issue(euro, 10_000) },
		func(d *wallet.Draft) error { return d.Send(producer.Key(), euro.ID(), 1_000) }))
	offer := w.ledger.NewOffer(1)
	offer.Producer, offer.Asset = producer.Key(), euro.ID()
	id := must[types.OfferID](t)(producer.Post(ctx, offer))

	delivered := must[types.TradeID](t)(consumer.Take(ctx, id, 100))
	refunded := must[types.TradeID](t)(consumer.Take(ctx, id, 100))
	if now := must[wire.Trade](t)(w.AwaitPhase(ctx, delivered, types.PhasePaid)); now.ID != delivered {
		t.Errorf("%+v", now)
	}
	wait := func(id types.TradeID, phase types.Phase) <-chan error {
		done := make(chan error, 1)
		go func() {
			now, err := w.AwaitPhase(ctx, id, phase)
			if err == nil && now.Phase != phase {
				err = fmt.Errorf("the trade is %s", now.Phase)
			}
			done <- err
		}()
		return done
	}
	w.ledger.Advance(offer.Deadlines.DeliverBy.Since(w.ledger.Now()) - 1500)
	forDelivery, forRefund, forRelease := wait(delivered, types.PhaseDelivered), wait(refunded, types.PhaseRefunded), wait(refunded, types.PhaseReleased)
	must[wire.Receipt](t)(producer.Deliver(ctx, delivered))
	if err := <-forDelivery; err != nil {
		t.Error(err)
	}
	w.ledger.Advance(1000) // the delivery took a second
	if err := <-forRefund; err != nil {
		t.Error(err)
	}
	wantCode(t, <-forRelease, types.CodePhase, "is refunded: it can't become released any more")
	_, err := w.AwaitPhase(ctx, delivered, types.PhaseRefunded)
	wantCode(t, err, types.CodePhase, "is delivered: it can't become refunded any more")

	left, leave := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() {
		_, err := w.AwaitPhase(left, delivered, types.PhaseReleased)
		stopped <- err
	}()
	leave()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("after its context has ended: %v", err)
	}
}

// TestLedgerOfTwoChains: a node can't show the status of one ledger and the parameters of another.
func TestLedgerOfTwoChains(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ledger := must[*client.Ledger](t)(w.Ledger(ctx))
	if id := ledger.ID(); id.ChainID != "test" || id.Genesis != ledger.Status.Genesis {
		t.Errorf("%+v", id)
	}
	status := ledger.Status
	status.ChainID = "another"
	w.instead(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/status" {
			answers(status)(out, r)
			return
		}
		w.node.ServeHTTP(out, r)
	})
	_, err := w.Ledger(ctx)
	wantCode(t, err, types.CodeChain, "don't trust the node")
}

// TestParamsOfNoLedger: parameters that no ledger has, such as a slot of no length, end at the door: programs divide by them.
func TestParamsOfNoLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	params := must[types.Params](t)(w.Params(t.Context()))
	for name, edit := range map[string]func(*types.Params){
		"a slot": func(p *types.Params) { p.Slot = 0 }, "a grid": func(p *types.Params) { p.Market.Grids = []types.Grid{{Fallback: &types.Meter{}}} },
	} {
		shown := params
		edit(&shown)
		w.instead(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/params" {
				answers(shown)(out, r)
				return
			}
			w.node.ServeHTTP(out, r)
		})
		if _, err := w.Ledger(t.Context()); err == nil || !strings.Contains(err.Error(), "don't trust the node") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAccountAuction: an account bids, improves its bid, and releases the trades that come of it, the last of them after the wallet was lost:
// its words and the ledger are enough.
func TestAccountAuction(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	consumer := w.signer(t, 1)
	euro := party.Euro()
	tx := w.ledger.Body(&types.Issue{Asset: euro, Amount: 20_000})
	tx.Outputs = []types.Output{{Asset: euro.ID(), Amount: 20_000, Lock: types.ToKey(consumer.Key())}}
	must[wire.Receipt](t)(w.Submit(ctx, party.Sign(tx, "issuer")))

	product := w.ledger.NewProduct(0)
	bid := types.Order{Product: product, Side: types.Bid, Number: 5, Quantity: 1500, Limit: 6}
	place := func(replaces *types.Order) types.Order {
		t.Helper()
		if _, err := consumer.Do(ctx, func(d *wallet.Draft) error { _, err := d.Place(bid, replaces); return err }); err != nil {
			t.Fatal(err)
		}
		return must[wire.BookOrders](t)(w.KeyOrders(ctx, consumer.Key(), client.Page{})).Orders[0].Order
	}
	first := place(nil)
	bid.Quantity = 2000 // its stake of 14,000 is more than the 9,500 that are left, beside the stake of the first
	place(&first)
	w.ledger.Place(t, "producer", w.ledger.NewOrder(product, "producer", 0, types.Sell, 4))
	w.ledger.Place(t, "alice", w.ledger.NewOrder(product, "alice", 0, types.Sell, 5))
	w.ledger.Gate(&product)

	trades := must[client.Auction](t)(w.Auction(ctx, product.ID())).Trades
	if len(trades) != 2 {
		t.Fatalf("trades %+v", trades)
	}
	for i, match := range trades {
		consumer = w.signer(t, 1) // the same words in another wallet
		for _, producer := range []string{"producer", "alice"} {
			if told := must[wire.Trade](t)(w.Trade(ctx, match.Trade)); told.Trade.Agreement.Producer == party.Key(producer) {
				must[wire.Receipt](t)(w.Submit(ctx, party.Sign(w.ledger.Body(&types.Deliver{Trade: match.Trade}), producer)))
			}
		}
		if _, err := consumer.Release(ctx, match.Trade, 1); err != nil {
			t.Errorf("trade %d: %v", i, err)
		}
	}
}

// TestAccountCoinsAfterRefusal: the coins of a refused transaction are free at once, those of a lost transaction are not.
func TestAccountCoinsAfterRefusal(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	a := w.signer(t, 1)
	euro := types.Asset{Issuer: a.Key(), Code: "EUR", Decimals: 2}
	if _, err := a.Do(ctx, func(d *wallet.Draft) error { return d.Issue(euro, 100) }); err != nil {
		t.Fatal(err)
	}
	pay := func() error {
		_, err := a.Do(ctx, func(d *wallet.Draft) error { return d.Send(party.Key("alice"), euro.ID(), 100) })
		return err
	}
	refusing := func(code types.Code, status int) {
		w.instead(func(out http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				w.node.ServeHTTP(out, r)
				return
			}
			out.Header().Set("Content-Type", "application/problem+json")
			out.WriteHeader(status)
			_ = json.NewEncoder(out).Encode(map[string]any{"code": code, "detail": "refused for the test", "status": status})
		})
	}
	for range 2 {
		refusing(types.CodePoolFull, http.StatusServiceUnavailable)
		wantCode(t, pay(), types.CodePoolFull, "refused for the test")
	}
	refusing(types.CodeUnavailable, http.StatusServiceUnavailable)
	wantCode(t, pay(), types.CodeUnavailable, "refused for the test")
	w.front.Store(nil)
	if err := pay(); wallet.ReasonOf(err) != wallet.ReasonFunds {
		t.Fatalf("the coins of a lost transaction are used again: %v", err)
	}
}

func TestAccountOnAnotherLedger(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	a := w.signer(t, 1)
	status := must[any](t)(w.Status(ctx))
	for name, change := range map[string]func(map[string]any){
		"name":    func(s map[string]any) { s["chain_id"] = "another" },
		"genesis": func(s map[string]any) { s["genesis"] = types.Hash{9} },
	} {
		var other map[string]any
		text, _ := json.Marshal(status)
		if err := json.Unmarshal(text, &other); err != nil {
			t.Fatal(err)
		}
		change(other)
		w.instead(answers(other))
		_, err := a.Draft(ctx)
		if wantCode(t, err, types.CodeChain, "don't trust the node"); t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestAccountClock: a node whose last block is ahead of this machine's clock is refused, beyond the allowance.
func TestAccountClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := must[*wallet.Account](t)(seedOf(t, 1).Account(0, wallet.DefaultLimits()))
	at := func(behind time.Duration) error {
		node := w.dial(client.WithClock(func() time.Time { return w.ledger.Now().Std().Add(-behind) }))
		_, err := node.Account(context.Background(), account)
		return err
	}
	if err := at(wallet.MaxAhead); err != nil {
		t.Error(err)
	}
	if err := at(wallet.MaxAhead + time.Millisecond); wallet.ReasonOf(err) != wallet.ReasonClock {
		t.Error(err)
	}
}
