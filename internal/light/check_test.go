package light_test

import (
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/light"
	"lockstep/types"
	"lockstep/wallet"
)

// TestCheckWithAWallet: a split that the producer has signed since the delivery keeps its goods back, one of an earlier phase does not; the verified header is kept.
func TestCheckWithAWallet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened, err := wallet.Restore(filepath.Join(t.TempDir(), "wallet.age"), seedOf(1).Words(), "correct horse battery", wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	account := must(opened.Account(0))
	check := func(step light.Step, id types.TradeID) error {
		shown := must(w.node.Trade(t.Context(), id))
		checks := w.checks(func(c *light.Config) { c.Pin = light.PinOf(opened) })
		found, err := checks.Check(t.Context(), step, &shown, opened, account.Key())
		if err != nil {
			return err
		}
		if err := light.Refusal(found.Verdicts); err != nil {
			return err
		}
		return light.Keep(opened, &found.Newest, checks.Now())
	}
	split := func(id types.TradeID) {
		t.Helper()
		shown := must(w.node.Trade(t.Context(), id))
		known := must(w.producer.Context(t.Context()))
		proposal, err := account.ProposeSplit(known, id, &shown.Trade, 50, shown.Trade.LockedSum()-50)
		if err == nil {
			_, err = account.SignProposal(known, proposal, &shown.Trade)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	id := w.paid()
	split(id)
	if err := check(light.Deliver, id); err != nil {
		t.Errorf("a split that the delivery ends: %v", err)
	}
	first, pinned := opened.Header()
	if !pinned || time.Since(first.Time.Std()) > time.Minute {
		t.Errorf("the wallet keeps %+v", first)
	}
	if _, err := w.producer.Deliver(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := check(light.HandOver, id); err != nil {
		t.Errorf("after the delivery: %v", err)
	}
	if kept, _ := opened.Header(); kept != first {
		t.Error("a recent header is replaced")
	}
	split(id)
	if err := check(light.HandOver, id); types.CodeOf(err) != types.CodeSplit {
		t.Errorf("a split of the delivered trade: %v", err)
	}
}
