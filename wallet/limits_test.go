package wallet_test

import (
	"strings"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

// Each row changes one term of an agreement of price 500, deposit 50 and bond 100, or one limit.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	euro := w.euro.ID()
	for _, c := range []struct {
		name     string
		limits   wallet.Limits
		change   func(*types.Agreement)
		producer bool
		say      string // of the refusal; empty when it must be allowed
	}{
		{name: "default", limits: wallet.DefaultLimits()},
		{name: "no bond", limits: wallet.DefaultLimits(), change: func(a *types.Agreement) { a.Bond = 0 }, say: "would stake nothing"},
		{name: "no bond, allowed", limits: wallet.Limits{AllowNoBond: true, MaxDeposit: wallet.Whole}, change: func(a *types.Agreement) { a.Bond = 0 }},
		{name: "no bond, seen by the producer", limits: wallet.Limits{}, producer: true, change: func(a *types.Agreement) { a.Bond = 0 }},
		{name: "bond at the limit", limits: wallet.Limits{MinBond: 2000, MaxDeposit: wallet.Whole}},
		{name: "bond below the limit", limits: wallet.Limits{MinBond: 2001, MaxDeposit: wallet.Whole}, say: "at least 20.01% of the price"},
		{name: "no bond, but a least one", limits: wallet.Limits{MinBond: 1, AllowNoBond: true, MaxDeposit: wallet.Whole},
			change: func(a *types.Agreement) { a.Bond = 0 }, say: "at least 0.01%"},
		{name: "deposit at the limit", limits: wallet.Limits{MaxDeposit: 1000}},
		{name: "deposit above the limit", limits: wallet.Limits{MaxDeposit: 999}, say: "above your limit of 9.99%"},
		{name: "deposit, seen by the producer", limits: wallet.Limits{}, producer: true},
		{name: "loss at the limit", limits: wallet.Limits{MaxDeposit: 1000, Losses: []wallet.LossLimit{{Asset: euro, Most: 550}}}},
		{name: "loss above the limit", limits: wallet.Limits{MaxDeposit: 1000, Losses: []wallet.LossLimit{{Asset: euro, Most: 549}}}, say: "could cost you 550"},
		{name: "loss of another asset", limits: wallet.Limits{MaxDeposit: 1000, Losses: []wallet.LossLimit{{Asset: types.AssetID{1}, Most: 1}}}},
		{name: "the producer's loss is its bond", limits: wallet.Limits{Losses: []wallet.LossLimit{{Asset: euro, Most: 100}}}, producer: true},
		{name: "the producer's loss above the limit", limits: wallet.Limits{Losses: []wallet.LossLimit{{Asset: euro, Most: 99}}}, producer: true, say: "could cost you 100"},
		{name: "huge sums don't wrap", limits: wallet.Limits{MaxDeposit: 1}, change: func(a *types.Agreement) { a.Price, a.Deposit = 1<<60, 1<<60 }, say: "above your limit of 0.01%"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			me, other := withLimits(t, "me", c.limits), newAccount(t, "other")
			producer, consumer := other, me
			if c.producer {
				producer, consumer = me, other
			}
			agreement := w.agreement(producer, consumer, 1)
			if c.change != nil {
				c.change(&agreement)
			}
			_, err := me.Propose(w.context(me), agreement)
			if c.say == "" {
				must(t, err)
				return
			}
			if wallet.ReasonOf(err) != wallet.ReasonLimit || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want a refusal that says %q", err, c.say)
			}
		})
	}
}

// Limits hold for every way to commit: taking, paying and delivering.
func TestLimitsOfEachStep(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	proposal, err := paul.Propose(w.context(paul), w.agreement(paul, clara, 1))
	must(t, err)
	id := proposal.Trade()
	w.accept(w.record(proposal, paul, clara))
	strict := wallet.Limits{Losses: []wallet.LossLimit{{Asset: w.euro.ID(), Most: 1}}, MaxDeposit: wallet.Whole}
	strictClara, strictPaul := withLimits(t, "clara", strict), withLimits(t, "paul", strict)
	wantReason(t, w.draft(strictClara).Pay(id, w.trade(id)), wallet.ReasonLimit)
	_, err = strictClara.Propose(w.context(strictClara), w.agreement(paul, clara, 1))
	wantReason(t, err, wallet.ReasonLimit)
	offer := w.offer(1)
	offer.ChainID, offer.Producer = w.params.ChainID, paul.Key()
	_, err = w.draft(strictClara).Take(offer.ID(), &offer, 100)
	wantReason(t, err, wallet.ReasonLimit)
	_, err = w.draft(strictPaul).Post(offer, false)
	wantReason(t, err, wallet.ReasonLimit)

	pay := w.draft(clara)
	must(t, pay.Pay(id, w.trade(id)))
	w.accept(pay.Sign())
	wantReason(t, w.draft(strictPaul).Deliver(id, w.trade(id)), wallet.ReasonLimit)
}

func TestShare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]wallet.Share{"12.5%": 1250, "10": 1000, "0": 0, "0.01%": 1, "100%": wallet.Whole, "250": 25000} {
		got, err := wallet.ParseShare(text)
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
		if again, err := wallet.ParseShare(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s and read as %d", text, got, again)
		}
	}
	for _, text := range []string{"", "%", "a", "-1", "1.234", "10%%", "10001", "99999999999999999999"} {
		if got, err := wallet.ParseShare(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}
