package wallet_test

import (
	"strconv"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// paul produces, clara consumes; both have 10.00 euros.
func newParties(t testing.TB) (w *world, paul, clara *wallet.Account) {
	w, paul, clara = newWorld(t), newAccount(t, "paul"), newAccount(t, "clara")
	w.give(1000, paul, clara)
	return w, paul, clara
}

// take posts an offer and takes a quantity of it.
func (w *world) take(paul, clara *wallet.Account, quantity uint64, instalments uint16) types.TradeID {
	w.t.Helper()
	offer := w.offer(instalments)
	draft := w.draft(paul)
	id, err := draft.Post(offer, false)
	must(w.t, err)
	w.accept(draft.Sign())
	standing, ok := ledger.Reader{View: w.view}.Offer(id)
	if !ok {
		w.t.Fatal("the offer does not stand")
	}
	draft = w.draft(clara)
	agreement, err := draft.Take(id, &standing.Offer, quantity)
	must(w.t, err)
	w.accept(draft.Sign())
	return agreement.ID()
}

func (w *world) deliver(paul *wallet.Account, id types.TradeID) {
	w.t.Helper()
	draft := w.draft(paul)
	must(w.t, draft.Deliver(id, w.trade(id)))
	w.accept(draft.Sign())
}

func (w *world) collect(a *wallet.Account, id types.TradeID) {
	w.t.Helper()
	draft := w.draft(a)
	must(w.t, draft.Collect(id, w.trade(id)))
	w.accept(draft.Sign())
}

// The whole trade, E1 to E4: of 400 Wh at 0.5, with a deposit of 20 and a bond of 40.
func TestTradeByOffer(t *testing.T) {
	t.Parallel()
	for _, instalments := range []uint16{1, 4} {
		t.Run(strconv.Itoa(int(instalments)), func(t *testing.T) {
			t.Parallel()
			w, paul, clara := newParties(t)
			id := w.take(paul, clara, 400, instalments)
			w.expect(clara, 1000-200-20)
			w.deliver(paul, id)
			w.expect(paul, 1000-40)
			for k := uint16(1); k <= instalments; k++ {
				w.accept(clara.Release(w.context(clara), id, w.trade(id), k))
				if k < instalments {
					w.expect(paul, 1000-40+trade.Due(&w.trade(id).Agreement, k))
				}
			}
			w.collect(paul, id)
			w.collect(clara, id)
			w.expect(paul, 1200)
			w.expect(clara, 800)
			if _, ok := (ledger.Reader{View: w.view}).Trade(id); ok {
				t.Error("all is collected and the trade is still in the state")
			}
		})
	}
}

func TestTradeByAgreement(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	proposal, err := paul.Propose(w.context(paul), w.agreement(paul, clara, 1))
	must(t, err)
	id := proposal.Trade()
	w.accept(w.record(proposal, paul, clara))
	draft := w.draft(clara)
	must(t, draft.Pay(id, w.trade(id)))
	w.accept(draft.Sign())
	w.deliver(paul, id)
	w.accept(clara.Release(w.context(clara), id, w.trade(id), 1))
	w.expect(paul, 1500)
	w.expect(clara, 500)
}

// TestTradeOfAnEarlierLedger: on a ledger that continues another, a wallet goes on with trades that were agreed there, and signs for the new name. It signs no
// new agreement under the old one, and no step for a ledger that has nothing to do with it.
func TestTradeOfAnEarlierLedger(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 1)
	id := agreement.ID()
	next := w.params
	next.ChainID, next.Continues = "town-2", []types.Origin{{ChainID: w.params.ChainID, Height: 9}}
	if err := next.Check(); err != nil {
		t.Fatal(err)
	}
	foreign := w.params
	foreign.ChainID = "elsewhere"
	agreed := &types.Trade{Agreement: agreement, Phase: types.PhaseAgreed, Height: 5}
	paid := &types.Trade{Agreement: agreement, Phase: types.PhasePaid, Height: 5}
	delivered := &types.Trade{Agreement: agreement, Phase: types.PhaseDelivered, Height: 5, Digest: clara.Digest(id, 1)}
	for _, c := range []struct {
		params types.Params
		code   types.Code
	}{{next, types.CodeOK}, {foreign, types.CodeChain}} {
		ctx := w.context(clara)
		ctx.Params = c.params
		draft := clara.Draft(ctx)
		if err := draft.Pay(id, agreed); types.CodeOf(err) != c.code {
			t.Errorf("%s: pay: %v", c.params.ChainID, err)
		}
		if tx, err := draft.Sign(); c.code == types.CodeOK && (err != nil || tx.Body.ChainID != "town-2") {
			t.Errorf("%v, %v", tx, err)
		}
		if tx, err := clara.Release(ctx, id, delivered, 1); types.CodeOf(err) != c.code || c.code == types.CodeOK && tx.Body.ChainID != "town-2" {
			t.Errorf("%s: release: %v", c.params.ChainID, err)
		}
		if _, err := clara.Propose(ctx, agreement); types.CodeOf(err) != types.CodeChain {
			t.Errorf("%s: a new agreement under the old name: %v", c.params.ChainID, err)
		}
		ctx = w.context(paul)
		ctx.Params = c.params
		if err := paul.Draft(ctx).Deliver(id, paid); types.CodeOf(err) != c.code {
			t.Errorf("%s: deliver: %v", c.params.ChainID, err)
		}
	}
}

func TestAgreeAndPayAtOnce(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	proposal, err := paul.Propose(w.context(paul), w.agreement(paul, clara, 1))
	must(t, err)
	id, draft := proposal.Trade(), w.draft(clara)
	proposal = w.signed(proposal, paul, clara)
	must(t, draft.Record(proposal, nil))
	must(t, draft.PayProposed(proposal))
	w.accept(draft.Sign())
	w.deliver(paul, id)
	w.accept(clara.Release(w.context(clara), id, w.trade(id), 1))
	w.expect(paul, 1500)
	w.expect(clara, 500)
}

// signed passes a proposal from one signer to the next, as its file.
func (w *world) signed(proposal *wallet.Proposal, signers ...*wallet.Account) *wallet.Proposal {
	w.t.Helper()
	for i, signer := range signers {
		var trade *types.Trade
		if proposal.Agreement() == nil {
			trade = w.trade(proposal.Trade())
		}
		if proposal.Complete() {
			w.t.Fatalf("complete with %d signatures", i)
		}
		signed, err := signer.SignProposal(w.context(signer), proposal, trade)
		must(w.t, err)
		proposal, err = wallet.ParseProposal(signed.Encode())
		must(w.t, err)
	}
	return proposal
}

// record has both parties sign a proposal; the second submits it.
func (w *world) record(proposal *wallet.Proposal, first, second *wallet.Account) (*types.Tx, error) {
	w.t.Helper()
	proposal = w.signed(proposal, first, second)
	return w.submitted(proposal, second)
}

// submitted is the transaction in which an account records a proposal.
func (w *world) submitted(proposal *wallet.Proposal, by *wallet.Account) (*types.Tx, error) {
	w.t.Helper()
	var trade *types.Trade
	if proposal.Agreement() == nil {
		trade = w.trade(proposal.Trade())
	}
	draft := w.draft(by)
	if err := draft.Record(proposal, trade); err != nil {
		return nil, err
	}
	return draft.Sign()
}

// TestSplit: the ledger accepts a split from either proposer and either submitter; the submitter pays the fee.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		consumerBegins  bool
		delivered       bool
		fee             types.Amount
		toPaul, toClara types.Amount
	}{
		{"producer begins", false, false, 0, 100, 120},
		{"consumer begins", true, false, 0, 220, 0},
		{"delivered, consumer begins", true, true, 0, 0, 260},
		{"consumer pays the fee", true, true, 3, 130, 130},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, paul, clara := newParties(t)
			id := w.take(paul, clara, 400, 1)
			paulHas := types.Amount(1000)
			if c.delivered {
				w.deliver(paul, id)
				paulHas -= 40
			}
			if c.fee > 0 {
				w.params.FeeAsset, w.params.MinFee = w.euro.ID(), c.fee
			}
			first, second := paul, clara
			if c.consumerBegins {
				first, second = clara, paul
			}
			proposal, err := first.ProposeSplit(w.context(first), id, w.trade(id), c.toPaul, c.toClara)
			must(t, err)
			proposal = w.signed(proposal, first, second)
			w.accept(w.submitted(proposal, clara))
			w.expect(paul, paulHas+c.toPaul)
			w.expect(clara, 780+c.toClara-c.fee)
		})
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 1)
	early := w.draft(clara)
	wantReason(t, early.Collect(id, w.trade(id)), wallet.ReasonFunds)
	w.wait(5 * minute)
	wantCode(t, w.draft(paul).Deliver(id, w.trade(id)), types.CodeTooLate)
	w.collect(clara, id)
	w.expect(clara, 1000)
}

// Words and the ledger restore everything: another wallet of the same words releases a trade that the first one paid.
func TestRestoredWalletReleases(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 3)
	w.deliver(paul, id)
	restored := newAccount(t, "clara")
	w.accept(restored.Release(w.context(restored), id, w.trade(id), 3))
	w.collect(restored, id)
	w.expect(restored, 800)
}

// A node's word is not enough.
func TestLiesAreNoticed(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 2)
	release := func(a *wallet.Account, change func(*types.Trade), k uint16) error {
		trade := *w.trade(id)
		change(&trade)
		_, err := a.Release(w.context(a), id, &trade, k)
		return err
	}
	nothing := func(*types.Trade) {}
	wantCode(t, release(clara, nothing, 2), types.CodePhase)
	w.deliver(paul, id)
	must(t, release(clara, nothing, 2))
	wantReason(t, release(paul, nothing, 2), wallet.ReasonNotOurs)
	wantReason(t, release(clara, func(t *types.Trade) { t.Digest[0] ^= 1 }, 2), wallet.ReasonMismatch)
	wantReason(t, release(clara, func(t *types.Trade) { t.Agreement.Price++ }, 2), wallet.ReasonMismatch)
	wantReason(t, release(clara, func(t *types.Trade) { t.Agreement.Fallback = nil }, 2), wallet.ReasonMismatch)
	wantReason(t, release(clara, func(t *types.Trade) { t.Released, t.Preimage = 1, types.Secret{1} }, 2), wallet.ReasonMismatch)
	wantCode(t, release(clara, nothing, 3), types.CodeInstalment)
	wantCode(t, release(clara, nothing, 0), types.CodeInstalment)

	offer := w.offer(1)
	offer.ChainID, offer.Producer = w.params.ChainID, paul.Key()
	named := offer.ID()
	offer.Price = rate("0.9")
	_, err := w.draft(clara).Take(named, &offer, 100)
	wantReason(t, err, wallet.ReasonMismatch)
	wantReason(t, w.draft(paul).Cancel(named, &offer), wallet.ReasonMismatch)
	wantReason(t, w.draft(clara).Cancel(offer.ID(), &offer), wallet.ReasonNotOurs)
	wantReason(t, w.draft(clara).Deliver(id, w.trade(id)), wallet.ReasonNotOurs)
	wantCode(t, w.draft(paul).Deliver(id, w.trade(id)), types.CodePhase)
	wantCode(t, w.draft(clara).Pay(id, w.trade(id)), types.CodePhase)
	_, err = clara.ProposeSplit(w.context(clara), id, w.trade(id), 1, 1)
	wantCode(t, err, types.CodeSplit)
	_, err = w.bank.ProposeSplit(w.context(w.bank), id, w.trade(id), 130, 130)
	wantReason(t, err, wallet.ReasonNotOurs)
	_, err = clara.Propose(w.context(clara), w.agreement(paul, w.bank, 1))
	wantReason(t, err, wallet.ReasonNotOurs)
	proposal, err := clara.Propose(w.context(clara), w.agreement(paul, clara, 1))
	must(t, err)
	wantReason(t, w.draft(paul).PayProposed(proposal), wallet.ReasonNotOurs)
	_, err = w.draft(clara).Post(offer, false)
	wantReason(t, err, wallet.ReasonNotOurs)
}

// TestReleaseWindow: Release makes the transaction up to confirm-by and not one millisecond later, except under hold.
func TestReleaseWindow(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	for name, test := range map[string]struct {
		fallback types.Fallback
		after    types.Code
	}{
		"hold":    {&types.Hold{}, types.CodeOK},
		"meter":   {&types.Meter{}, types.CodeTooLate},
		"arbiter": {&types.Arbiter{Key: w.bank.Key()}, types.CodeTooLate},
	} {
		for instalment := uint16(1); instalment <= 3; instalment++ {
			agreement := w.agreement(paul, clara, 3)
			agreement.Fallback = test.fallback
			id := agreement.ID()
			trade := types.Trade{Agreement: agreement, Phase: types.PhaseDelivered, Digest: clara.Digest(id, agreement.Instalments)}
			for clock, code := range map[types.Time]types.Code{
				agreement.Deadlines.ConfirmBy - 1: types.CodeOK,
				agreement.Deadlines.ConfirmBy:     types.CodeOK,
				agreement.Deadlines.ConfirmBy + 1: test.after,
				types.MaxTime:                     test.after,
			} {
				ctx := w.context(clara)
				ctx.Clock = clock
				if tx, err := clara.Release(ctx, id, &trade, instalment); types.CodeOf(err) != code || (tx != nil) != (code == types.CodeOK) {
					t.Errorf("%s, instalment %d, %d ms after confirm-by: got %v, want %s",
						name, instalment, clock-agreement.Deadlines.ConfirmBy, err, code)
				}
			}
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	draft := w.draft(paul)
	id, err := draft.Post(w.offer(1), false)
	must(t, err)
	w.accept(draft.Sign())
	standing, _ := ledger.Reader{View: w.view}.Offer(id)
	draft = w.draft(paul)
	must(t, draft.Cancel(id, &standing.Offer))
	w.accept(draft.Sign())
	if _, stands := (ledger.Reader{View: w.view}).Offer(id); stands {
		t.Error("the offer still stands")
	}
}

// An arbiter's award, and the release that comes too late for terms other than hold.
func TestAward(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	judge := newAccount(t, "judge")
	agreement := w.agreement(paul, clara, 1)
	agreement.Fallback = &types.Arbiter{Key: judge.Key()}
	proposal, err := paul.Propose(w.context(paul), agreement)
	must(t, err)
	id, draft := proposal.Trade(), w.draft(clara)
	proposal = w.signed(proposal, paul, clara)
	must(t, draft.Record(proposal, nil))
	must(t, draft.PayProposed(proposal))
	w.accept(draft.Sign())
	w.deliver(paul, id)
	w.wait(10 * minute)
	_, err = clara.Release(w.context(clara), id, w.trade(id), 1)
	wantCode(t, err, types.CodeTooLate)
	draft = w.draft(judge)
	wantReason(t, w.draft(clara).Award(id, w.trade(id), 650, 0), wallet.ReasonNotOurs)
	wantCode(t, draft.Award(id, w.trade(id), 650, 1), types.CodeSplit)
	must(t, draft.Award(id, w.trade(id), 250, 400))
	w.accept(draft.Sign())
	w.expect(paul, 1000-100+250)
	w.expect(clara, 1000-550+400)
}

// Nobody agrees on goods of a slot that has begun; at the very moment of its begin it is not too late.
func TestSlotsThatHaveBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paul, clara := newAccount(t, "paul"), newAccount(t, "clara")
	now := w.context(paul).BlockTime
	for begins, code := range map[types.Time]types.Code{now - 1: types.CodeTooLate, now: types.CodeOK} {
		offer := w.offer(1)
		offer.Goods.From, offer.Goods.Until = begins, begins.Add(15*minute)
		_, err := w.draft(paul).Post(offer, false)
		wantCode(t, err, code)
		offer.ChainID, offer.Producer, offer.Nonce = w.params.ChainID, paul.Key(), 1
		agreement, err := offer.Agreement(100, clara.Key(), 1)
		must(t, err)
		_, err = paul.Propose(w.context(paul), *agreement)
		wantCode(t, err, code)
		known := w.context(clara)
		_, err = clara.Draft(known).Take(offer.ID(), &offer, 100)
		wantCode(t, err, code)
	}
}

// A staked offer locks the bond of all that it offers. Each take finds its own bond there, and a cancelled rest comes back.
func TestStakedOffer(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	offer := w.offer(1)
	offer.Goods.Quantity, offer.Price, offer.Bond = 100, rate("5"), rate("2")
	draft := w.draft(paul)
	id, err := draft.Post(offer, true)
	must(t, err)
	if cost := draft.Cost(); len(cost.Moved) != 1 || cost.Moved[0].Amount != 200 {
		t.Errorf("shown as the cost: %+v", cost)
	}
	w.accept(draft.Sign())
	w.expect(paul, 800)
	standing, _ := ledger.Reader{View: w.view}.Offer(id)
	draft = w.draft(clara)
	agreement, err := draft.Take(id, &standing.Offer, 40)
	must(t, err)
	w.accept(draft.Sign())
	w.deliver(paul, agreement.ID())
	w.expect(paul, 800)
	draft = w.draft(paul)
	must(t, draft.Cancel(id, &standing.Offer))
	w.accept(draft.Sign())
	w.expect(paul, 800+120)

	for name, change := range map[string]func(*types.Offer){
		"no bond":                    func(o *types.Offer) { o.Bond = types.Rate{} },
		"a bond in halves of a cent": func(o *types.Offer) { o.Bond = rate("2.5") },
	} {
		offer := offer
		change(&offer)
		if _, err := w.draft(paul).Post(offer, true); types.CodeOf(err) != types.CodeTerms {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.draft(withLimits(t, "paul", wallet.Limits{Losses: []wallet.LossLimit{{Asset: w.euro.ID(), Most: 199}}})).Post(offer, true)
	wantReason(t, err, wallet.ReasonLimit)
}
