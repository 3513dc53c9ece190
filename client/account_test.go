package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"lockstep/client"
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
	var id types.OfferID
	do(producer, func(d *wallet.Draft) (err error) { id, err = d.Post(offer); return err })
	var agreement *types.Agreement
	do(consumer, func(d *wallet.Draft) (err error) { agreement, err = d.Take(id, &offer, 400); return err })
	trade := must[types.TradeID](t)(agreement.ID(), nil)
	do(producer, func(d *wallet.Draft) error {
		now, err := w.Trade(ctx, trade)
		if err != nil {
			return err
		}
		return d.Deliver(trade, &now.Trade)
	})
	if _, err := consumer.Release(ctx, trade, 1); err != nil {
		t.Fatal(err)
	}
	if now, err := w.Trade(ctx, trade); err != nil || now.Phase != types.PhaseReleased {
		t.Fatalf("the trade is %s, %v", now.Phase, err)
	}
	for a, want := range map[*client.Account]types.Amount{producer: 1_400, consumer: 8_600} {
		balances, err := w.BalancesOf(ctx, a.Key(), euro.ID())
		if err != nil || balances.Balances[0].Spendable != want {
			t.Errorf("%s has %+v, want %s: %v", a.Key(), balances.Balances, want, err)
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
