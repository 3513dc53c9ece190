package client_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestStandsStill: calls that wait end once the ledger stands still for longer than the client has patience. A submitted transaction is not lost.
func TestStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	offer := w.ledger.NewOffer(1)
	agreement, err := offer.Agreement(400, party.Key("consumer"), 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Submit(t.Context(), w.ledger.Issue(1, "alice")); err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Submit(t.Context(), w.ledger.Agree(*agreement, "producer", "consumer")); err != nil {
		t.Fatal(err)
	}
	w.ledger.Hold()
	w.ledger.Halt()
	hasty := w.dial(client.WithToken(token), client.WithPatience(time.Millisecond))
	tx := w.ledger.Issue(5, "alice")
	for name, wait := range []func() error{
		func() error { _, err := hasty.Submit(t.Context(), tx); return err },
		func() error { _, err := hasty.Await(t.Context(), tx.ID()); return err },
		func() error { _, err := hasty.AwaitPhase(t.Context(), agreement.ID(), types.PhasePaid); return err },
	} {
		err := wait()
		still, ok := errors.AsType[*client.StandsStill](err)
		if !ok || still.Since != 60_000 || types.CodeOf(err) != types.CodePending ||
			!strings.Contains(err.Error(), "no block for 1m0s, the ledger stands still; your money is safe, deadlines wait") {
			t.Errorf("call %d: %v", name, err)
		}
	}
	w.ledger.Resume()
	if receipt, err := hasty.Await(t.Context(), tx.ID()); err != nil || receipt.Status != wire.StatusCommitted {
		t.Errorf("%+v, %v", receipt, err)
	}
}

// TestPatience: a ledger that goes on is waited for, however short the patience.
func TestPatience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	hasty := w.dial(client.WithToken(token), client.WithPatience(time.Millisecond))
	tx := w.ledger.Issue(5, "alice")
	done := make(chan error)
	go func() {
		_, err := hasty.Submit(t.Context(), tx)
		done <- err
	}()
	for {
		if receipt, err := w.Tx(t.Context(), tx.ID()); err == nil && receipt.Status == wire.StatusPending {
			break
		}
	}
	select {
	case err := <-done:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	w.ledger.Resume()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := w.CheckStill(t.Context(), ""); err != nil {
		t.Error(err)
	}
}
