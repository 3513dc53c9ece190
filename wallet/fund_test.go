package wallet_test

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

// source gives coins one by one and counts them.
type source struct {
	coins []types.Coin
	fails error
	asked map[types.AssetID]types.Amount
	given int
}

func (s *source) list(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
	if s.asked == nil {
		s.asked = map[types.AssetID]types.Amount{}
	}
	s.asked[asset] = sum
	return func(yield func(types.Coin, error) bool) {
		for _, coin := range s.coins {
			s.given++
			if !yield(coin, nil) {
				return
			}
		}
		if s.fails != nil {
			yield(types.Coin{}, s.fails)
		}
	}
}

// bare is an account's context without coins.
func (w *world) bare(a *wallet.Account) wallet.Context {
	ctx := w.context(a)
	ctx.Coins = nil
	return ctx
}

// many are so many coins of one unit each, which nobody has.
func many(n int, asset types.AssetID) (coins []types.Coin) {
	for i := range n {
		coins = append(coins, types.Coin{Outpoint: types.Outpoint{Tx: types.TxID{1}, Index: uint32(i)}, Asset: asset, Amount: 1})
	}
	return coins
}

// TestFundPages: coins of the assets that the draft takes, until they are enough, and none for a step that takes none.
func TestFundPages(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.euro.ID()
	real := w.context(clara).Coins

	draft := clara.Draft(w.bare(clara))
	must(t, draft.Send(paul.Key(), id, 100))
	s := &source{coins: append(append(many(3, types.AssetID{7}), real...), many(5000, id)...)}
	must(t, draft.Fund(s.list))
	if s.given != 3+len(real) || s.asked[id] != 100 || len(s.asked) != 1 {
		t.Errorf("%d coins were taken, asked for %v", s.given, s.asked)
	}
	w.accept(draft.Sign())

	more := clara.Draft(w.bare(clara)) // the coins that the first one spends are in use
	must(t, more.Send(paul.Key(), id, 1))
	again := &source{coins: real}
	must(t, more.Fund(again.list))
	_, err := more.Sign()
	wantReason(t, err, wallet.ReasonFunds)

	spread := clara.Draft(w.bare(clara))
	must(t, spread.Send(paul.Key(), id, 1_000_000))
	dust := &source{coins: many(1_000_000, id)}
	wantReason(t, spread.Fund(dust.list), wallet.ReasonFunds)
	if dust.given > types.MaxTxBytes {
		t.Errorf("%d coins were looked at", dust.given)
	}

	lost := errors.New("the node is gone")
	if err := spread.Fund((&source{fails: lost}).list); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}

	free := paul.Draft(w.bare(paul))
	order := w.order(types.Sell)
	order.Owner, order.Lot, order.Bond = paul.Key(), 10, 2
	must(t, free.Withdraw(&order))
	none := &source{}
	must(t, free.Fund(none.list))
	if len(none.asked) != 0 {
		t.Errorf("a step that takes nothing asked for %v", none.asked)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	w.give(5, paul, paul, paul)
	coins := w.context(paul).Coins
	draft := paul.Draft(w.bare(paul))
	wantReason(t, draft.Merge(), wallet.ReasonFunds)
	must(t, draft.Merge(coins...))
	tx := w.accept(draft.Sign())
	if len(tx.Body.Outputs) != 1 || len(w.context(paul).Coins) != 1 {
		t.Errorf("%d coins became %d", len(coins), len(tx.Body.Outputs))
	}
}

// A merge leaves coins alone that a transaction on its way has in use, and is refused if no other is there.
func TestMergeLeavesCoinsInUse(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	w.give(5, paul, paul, paul)
	coins := w.context(paul).Coins
	pending := w.draft(paul)
	must(t, pending.Send(clara.Key(), w.euro.ID(), 5))
	sent, err := pending.Sign()
	must(t, err)
	draft := w.draft(paul)
	must(t, draft.Merge(coins...))
	if tx := w.accept(draft.Sign()); len(tx.Body.Inputs) != len(coins)-1 || slices.Contains(tx.Body.Inputs, sent.Body.Inputs[0]) {
		t.Errorf("of %d coins %v became one, %v are in use", len(coins), tx.Body.Inputs, sent.Body.Inputs)
	}
	wantReason(t, w.draft(paul).Merge(coins...), wallet.ReasonFunds)
}
