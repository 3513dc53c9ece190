package query_test

import (
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestMatchInTheFirstKeptBlock: the last step of a trade that an auction made is found while its block is kept, also in the first one that is, and in no later.
func TestMatchInTheFirstKeptBlock(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	b.must(b.placeTx(product, party.Key("clara"), types.Bid, 9, 100))
	b.must(b.placeTx(product, party.Key("peter"), types.Sell, 5, 100))
	b.time = product.Gate(&b.params)
	b.must()
	held := b.store.Height()
	b.mint(1, "clara")
	trades, err := b.Trades(t.Context(), party.Key("clara"), false, wire.Page{Limit: 2})
	if err != nil || len(trades.Trades) != 1 || trades.Trades[0].Trade.Height != held {
		t.Fatalf("%+v, %v", trades, err)
	}
	id := trades.Trades[0].ID
	if err := b.store.Flush(); err != nil {
		t.Fatal(err)
	}
	if base, err := b.store.Prune(held - 1); err != nil || base != held-1 {
		t.Fatalf("pruned to block %d, not %d: %v", base, held-1, err)
	}
	leaf, err := b.TradeLeaf(id)
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := b.store.Log().Outcome(leaf)
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, effect := range outcome.Effects {
		matched, ok := effect.(*types.Matched)
		told = told || ok && matched.Match.Trade == id
	}
	if !told {
		t.Errorf("leaf %d does not tell of the match: %+v", leaf, outcome)
	}
	if _, err := b.store.Prune(held); err != nil {
		t.Fatal(err)
	}
	if _, err := b.TradeLeaf(id); types.CodeOf(err) != types.CodePruned {
		t.Errorf("once its block is removed: %v", err)
	}
}
