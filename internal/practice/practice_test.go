package practice_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/practice"
	"lockstep/types"
	"lockstep/wallet"
)

// TestPracticeTrade: a newcomer is given play money once, buys a jar, and the partner delivers it; the ledger opens again with the same
// partner.
func TestPracticeTrade(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	seed, err := wallet.NewSeed(bytes.NewReader(make([]byte, 32)), "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var genesis types.Hash
	for run := range 2 {
		l, err := practice.Open(folder, "test", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		offer, err := l.Welcome(t.Context(), account.Key())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := l.Welcome(t.Context(), account.Key()); err != nil || again != offer {
			t.Errorf("a second welcome: %s, %v", again, err)
		}
		api, err := client.New(l.Address(), client.WithToken(l.Token()))
		if err != nil {
			t.Fatal(err)
		}
		ledger, err := api.Ledger(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if run == 1 && ledger.Status.Genesis != genesis {
			t.Error("the second run has another ledger")
		}
		genesis = ledger.Status.Genesis
		buyer, err := ledger.Account(account)
		if err != nil {
			t.Fatal(err)
		}
		if run == 0 {
			buy(t, api, buyer, offer)
		}
		balances, err := api.Balances(t.Context(), account.Key(), client.Page{})
		if err != nil || len(balances.Balances) != 1 || balances.Balances[0].Spendable != 2_000-400 {
			t.Errorf("run %d: %+v, %v", run, balances.Balances, err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// buy takes one jar, waits for its delivery and releases it.
func buy(t *testing.T, api *client.Client, buyer *client.Account, offer types.OfferID) {
	t.Helper()
	id, err := buyer.Take(t.Context(), offer, 1)
	if err != nil {
		t.Fatal(err)
	}
	for {
		trade, err := api.Trade(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if trade.Phase == types.PhaseDelivered {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := buyer.Release(t.Context(), id, 1); err != nil {
		t.Fatal(err)
	}
}
