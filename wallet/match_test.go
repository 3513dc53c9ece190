package wallet_test

import (
	"testing"

	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// matchesOf lists the trades of which an account is the consumer.
func (w *world) matchesOf(consumer *wallet.Account) (ids []types.TradeID) {
	for t := range (ledger.Reader{View: w.view}).Trades() {
		if t.Agreement.Consumer == consumer.Key() {
			ids = append(ids, t.ID())
		}
	}
	return ids
}

// gate lets time pass until the auction of a product has been held.
func (w *world) gate(product types.Product) {
	w.wait(product.Gate(&w.params).Since(w.time) + 2*w.params.ClockCap)
}

// newMatches is a market in which a bid of 20 lots at 10 has met two offers of 8 and 12 lots: two trades of clara, of her order 3.
func newMatches(t *testing.T) (w *world, paul, clara *wallet.Account, ids []types.TradeID) {
	w, paul, clara = newMarket(t)
	peter := newAccount(t, "peter")
	w.give(1000, peter)
	bid, offer := w.order(types.Bid), w.order(types.Sell)
	bid.Quantity, bid.Limit, bid.Number = 200, 10, 3
	w.place(clara, bid, nil)
	offer.Quantity = 80
	w.place(paul, offer, nil)
	offer.Quantity = 120
	w.place(peter, offer, nil)
	w.gate(bid.Product)
	if ids = w.matchesOf(clara); len(ids) != 2 {
		t.Fatalf("%d trades", len(ids))
	}
	return w, paul, clara, ids
}

// deliverAll takes the producer's step in all trades, which are under hold terms.
func (w *world) deliverAll(ids []types.TradeID, producers ...*wallet.Account) {
	w.t.Helper()
	for _, id := range ids {
		for _, producer := range producers {
			if w.trade(id).Agreement.Producer == producer.Key() {
				w.deliver(producer, id)
			}
		}
	}
}

// A wallet that is restored from its words in the middle of matched trades knows their secrets: of the ledger, the product, its key, the
// number of the order and the leaf, which the trade names.
func TestRestoreAmidMatches(t *testing.T) {
	t.Parallel()
	w, paul, clara, ids := newMatches(t)
	w.deliverAll(ids, paul, newAccount(t, "peter"))
	w.accept(clara.Release(w.context(clara), ids[0], w.trade(ids[0]), 1))

	again := newAccount(t, "clara") // the same seed in another wallet
	w.accept(again.Release(w.context(again), ids[1], w.trade(ids[1]), 1))
	for _, id := range ids {
		if phase := w.trade(id).Phase; phase != types.PhaseReleased {
			t.Errorf("trade %s is %s", id, phase)
		}
	}
	w.collect(again, ids[0])
	w.collect(again, ids[1])

	stranger := newAccount(t, "somebody else")
	_, err := stranger.Release(w.context(stranger), ids[0], w.trade(ids[0]), 1)
	wantReason(t, err, wallet.ReasonNotOurs)
}

// If a node lies about a matched trade in any part but its agreement, the wallet gives out the secret of its own leaf or none.
func TestLiesAboutAMatch(t *testing.T) {
	t.Parallel()
	w, paul, clara, ids := newMatches(t)
	w.deliverAll(ids, paul, newAccount(t, "peter"))
	for name, lie := range map[string]func(*types.Trade){
		"a leaf beyond the tree": func(t *types.Trade) { t.Agreement.Nonce |= 1 << t.Depth },
		"a deeper tree":          func(t *types.Trade) { t.Depth++ },
		"a tree of one leaf":     func(t *types.Trade) { t.Depth = 0 },
		"a tree beyond all":      func(t *types.Trade) { t.Depth = 255 },
		"another lock":           func(t *types.Trade) { t.Digest[0] ^= 1 },
		"the root of a neighbour": func(t *types.Trade) {
			t.Digest = newAccount(w.t, "paul").Digest(types.TradeID{}, 1)
		},
		"an agreement of another number": func(t *types.Trade) { t.Agreement.Nonce ^= 1 << 16 },
	} {
		shown := *w.trade(ids[0])
		lie(&shown)
		tx, err := clara.Release(w.context(clara), shown.ID(), &shown, 1)
		if wallet.ReasonOf(err) != wallet.ReasonMismatch {
			t.Errorf("%s: %v, %v", name, tx, err)
		}
	}
}

// The most that leaves an account for an order, shown before it signs, is its stake; and however small the offers are that it meets, it
// loses no more of it than that, exactly the worst loss shown.
func TestCrumbs(t *testing.T) {
	t.Parallel()
	w, _, clara := newMarket(t)
	bid := w.order(types.Bid)
	bid.Quantity, bid.Limit = 500, 15 // 50 lots
	draft := w.draft(clara)
	_, err := draft.Place(bid, nil)
	must(t, err)
	cost := draft.Cost()
	w.accept(draft.Sign())
	const stake = 50 * (15 + 1)
	if len(cost.Moved) != 1 || cost.Moved[0].Amount != stake {
		t.Fatalf("shown as the cost: %+v", cost)
	}
	standing := w.book(bid.Product)[0].Order
	worst, err := wallet.AtLimit(&w.params, &standing)
	must(t, err)
	if loss, err := trade.WorstLoss(&worst, trade.Consumer); err != nil || loss.Money != stake {
		t.Fatalf("shown as the worst: %+v, %v", loss, err)
	}
	w.expect(clara, 1000-stake)
	for i := range 50 { // a crumb of one lot each, at limits from 5 to 15
		seller := newAccount(t, "seller "+string(rune('a'+i)))
		w.give(2, seller)
		offer := w.order(types.Sell)
		offer.Quantity, offer.Limit = 10, types.Amount(5*(1+i%3))
		w.place(seller, offer, nil)
	}
	w.gate(bid.Product)
	var locked types.Amount
	ids := w.matchesOf(clara)
	for _, id := range ids {
		locked += w.trade(id).LockedSum()
	}
	bonds := types.Amount(2 * 50)
	if len(ids) == 0 || locked-bonds > stake || w.has(clara, w.euro.ID())+locked-bonds != 1000 {
		t.Errorf("%d trades lock %s of clara, at worst were %d; she has %s", len(ids), locked-bonds, stake, w.has(clara, w.euro.ID()))
	}
}

// The stake of a bid is spent by nothing but its matches: the rest is spendable with the page of the clearing.
func TestUnmatchedStakesComeBack(t *testing.T) {
	t.Parallel()
	w, paul, clara := newMarket(t)
	bid, offer := w.order(types.Bid), w.order(types.Sell)
	bid.Limit, bid.Quantity = 5, 100
	offer.Limit, offer.Quantity = 10, 100
	w.place(clara, bid, nil)
	w.place(paul, offer, nil)
	w.expect(clara, 1000-60)
	w.expect(paul, 1000-20)
	w.gate(bid.Product)
	w.expect(clara, 1000)
	w.expect(paul, 1000)
	draft := w.draft(clara)
	must(t, draft.Send(paul.Key(), w.euro.ID(), 1000))
	w.accept(draft.Sign())
}
