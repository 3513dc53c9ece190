package wallet_test

import (
	"strings"
	"sync"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

func TestTransferOfSeveralAssets(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	points := types.Asset{Issuer: paul.Key(), Code: "POINTS"}
	draft := w.draft(paul)
	must(t, draft.Issue(points, 70))
	must(t, draft.Send(clara.Key(), points.ID(), 30))
	must(t, draft.Send(clara.Key(), w.euro.ID(), 1))
	must(t, draft.Send(w.bank.Key(), w.euro.ID(), 999))
	must(t, draft.Memo("thanks"))
	tx := w.accept(draft.Sign())
	if len(tx.Body.Inputs) != 1 || tx.Body.Memo != "thanks" {
		t.Errorf("got %+v", tx.Body)
	}
	w.expect(paul, 0)
	w.expect(clara, 1001)
	w.expect(w.bank, 999)
	if paulHas, claraHas := w.has(paul, points.ID()), w.has(clara, points.ID()); paulHas != 40 || claraHas != 30 {
		t.Errorf("of the points paul has %s and clara %s", paulHas, claraHas)
	}

	draft = w.draft(w.bank)
	must(t, draft.Redeem(w.euro, 900))
	w.accept(draft.Sign())
	w.expect(w.bank, 99)
}

func TestFeePayment(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	w.params.FeeAsset, w.params.MinFee = w.euro.ID(), 7
	draft := w.draft(paul)
	must(t, draft.Send(clara.Key(), w.euro.ID(), 100))
	w.accept(draft.Sign())
	w.expect(paul, 893)

	id := w.take(paul, clara, 400, 1)
	w.deliver(paul, id)
	w.accept(clara.Release(w.context(clara), id, w.trade(id), 1))
	w.collect(paul, id)
	w.expect(paul, 893-3*7+200)
	draft = w.draft(clara)
	must(t, draft.Send(paul.Key(), w.euro.ID(), w.has(clara, w.euro.ID())))
	_, err := draft.Sign()
	wantReason(t, err, wallet.ReasonFunds)
}

// TestFeeOfEntries: a draft pays for its lasting entries, at most the announced fee, and draws merged money.
func TestFeeOfEntries(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	w.params.FeeAsset, w.params.MinFee, w.params.Entries.Fee, w.params.Entries.Coins = w.euro.ID(), 1, 3, 1
	for _, c := range []struct {
		send      types.Amount
		most, pay types.Amount
	}{
		{100, 7, 4}, // a coin makes another and change
		{100, 7, 4},
		{791, 7, 1}, // no change is left
	} {
		draft := w.draft(paul)
		must(t, draft.Send(clara.Key(), w.euro.ID(), c.send))
		if cost := draft.Cost(); cost.Fee.Amount != c.most {
			t.Errorf("it says a fee of %s, want %s", cost.Fee.Amount, c.most)
		}
		tx := w.accept(draft.Sign())
		if tx.Body.Fee != c.pay {
			t.Errorf("it pays a fee of %s, want %s", tx.Body.Fee, c.pay)
		}
	}
	w.expect(paul, 0)
}

// TestDrawsFromPurse: merged money is spent like coins, and two drafts in a row do not draw it twice.
func TestDrawsFromPurse(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	w.params.Entries.Coins = 1
	w.give(500, paul, paul)
	w.expect(paul, 2000)
	first, second := w.draft(paul), w.draft(paul)
	must(t, first.Send(clara.Key(), w.euro.ID(), 1900))
	must(t, second.Send(clara.Key(), w.euro.ID(), 1900))
	w.accept(first.Sign())
	_, err := second.Sign()
	wantReason(t, err, wallet.ReasonFunds)
	w.expect(paul, 100)
	w.expect(clara, 2900)
}

// Two transactions in a row don't spend one coin, and a refused one gives its coins back.
func TestCoinsInUse(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	ctx := w.context(paul)
	send := func() (*types.Tx, error) {
		draft := paul.Draft(ctx)
		must(t, draft.Send(clara.Key(), w.euro.ID(), 600))
		return draft.Sign()
	}
	first, err := send()
	must(t, err)
	_, err = send()
	wantReason(t, err, wallet.ReasonFunds)
	paul.Forget(first.ID())
	again, err := send()
	must(t, err)
	if again.Body.Inputs[0] != first.Body.Inputs[0] {
		t.Error("the coin of the forgotten transaction was not used")
	}
	ctx.BlockTime = again.Body.ValidUntil.Add(1)
	_, err = send()
	must(t, err) // the transaction before can't come any more
}

func TestConcurrentDrafts(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	for range 31 {
		w.give(1000, paul)
	}
	ctx := w.context(paul)
	txs := make([]*types.Tx, 32)
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range txs {
		group.Go(func() {
			<-begin
			draft := paul.Draft(ctx)
			if err := draft.Send(clara.Key(), w.euro.ID(), 700); err != nil {
				t.Error(err)
				return
			}
			tx, err := draft.Sign()
			if err != nil {
				t.Error(err)
			}
			txs[i] = tx
		})
	}
	close(begin)
	group.Wait()
	if t.Failed() {
		return
	}
	for i, code := range w.block(txs...) {
		if code != types.CodeOK {
			t.Errorf("transaction %d: %s", i, code)
		}
	}
}

func TestConsolidate(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	draft := w.draft(w.bank)
	must(t, draft.Issue(w.euro, 600))
	for range 600 {
		must(t, draft.Send(paul.Key(), w.euro.ID(), 1))
	}
	w.accept(draft.Sign())
	draft = w.draft(paul)
	must(t, draft.Send(clara.Key(), w.euro.ID(), 1600))
	w.accept(draft.Sign())
	draft = w.draft(clara)
	must(t, draft.Consolidate())
	tx := w.accept(draft.Sign())
	if len(tx.Body.Outputs) != 1 || len(w.context(clara).Coins) != 1 {
		t.Errorf("two coins became %d outputs", len(tx.Body.Outputs))
	}
	wantReason(t, w.draft(paul).Consolidate(), wallet.ReasonFunds)
}

func TestDraftRefusals(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	draft := w.draft(paul)
	wantCode(t, draft.Send(clara.Key(), w.euro.ID(), 0), types.CodeAmountZero)
	wantReason(t, draft.Issue(w.euro, 1), wallet.ReasonNotOurs)
	wantReason(t, draft.Redeem(w.euro, 1), wallet.ReasonNotOurs)
	wantCode(t, w.draft(w.bank).Issue(w.euro, 0), types.CodeAmountZero)
	wantCode(t, draft.Issue(types.Asset{Issuer: paul.Key(), Code: "eur"}, 1), types.CodeAssetForm)
	wantCode(t, draft.Memo("a\nb"), types.CodeText)
	_, err := draft.Sign()
	wantCode(t, err, types.CodeEmpty)

	must(t, draft.Send(clara.Key(), w.euro.ID(), 1001))
	_, err = draft.Sign()
	wantReason(t, err, wallet.ReasonFunds)
	if err != nil && !strings.Contains(err.Error(), "10.01 EUR is needed and 10.00 EUR is free to spend, so 0.01 EUR is missing") {
		t.Errorf("the refusal does not say how much: %v", err)
	}
	must(t, draft.Send(clara.Key(), w.euro.ID(), types.MaxAmount-2000))
	wantCode(t, draft.Send(clara.Key(), w.euro.ID(), 2000), types.CodeOverflow)

	draft = w.draft(paul)
	must(t, draft.Send(clara.Key(), w.euro.ID(), 1))
	_, err = draft.Sign()
	must(t, err)
	if _, err := draft.Sign(); err == nil {
		t.Error("a draft was signed twice")
	}

	draft = w.draft(clara)
	for range 900 {
		must(t, draft.Send(paul.Key(), w.euro.ID(), 1))
	}
	_, err = draft.Sign()
	wantCode(t, err, types.CodeTooLarge)
}

// Valid-until is counted from block time, and never further ahead than the ledger allows.
func TestValidUntil(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	for _, c := range []struct{ ask, want types.Duration }{
		{0, wallet.DefaultValidity}, {minute, minute}, {1 << 60, w.params.MaxValidity},
	} {
		ctx := w.context(paul)
		ctx.Validity = c.ask
		draft := paul.Draft(ctx)
		must(t, draft.Send(clara.Key(), w.euro.ID(), 1))
		tx, err := draft.Sign()
		must(t, err)
		if got := tx.Body.ValidUntil.Since(w.time); got != c.want {
			t.Errorf("asked for %s: got %s, want %s", c.ask, got, c.want)
		}
		paul.Forget(tx.ID())
	}
}
