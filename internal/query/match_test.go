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

// TestMatchOfALongAuction: the match of an auction that goes on over blocks is found where the block in which it began is removed, and called pruned where its own is.
func TestMatchOfALongAuction(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const orders = 8 * 1100
	b, product := newMarket(t)
	b.atGate(product, orders)
	b.must() // reads the orders
	began := b.store.Height()
	b.must() // makes the trades
	id := b.matched(began + 1)
	want, err := b.TradeLeaf(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Flush(); err != nil {
		t.Fatal(err)
	}
	for i, code := range []types.Code{types.CodeOK, types.CodePruned} {
		base := began + uint64(i)
		if got, err := b.store.Prune(base); err != nil || got != base {
			t.Fatalf("pruned to block %d, not %d: %v", got, base, err)
		}
		leaf, err := b.TradeLeaf(id)
		if types.CodeOf(err) != code || err == nil && leaf != want {
			t.Errorf("behind block %d: leaf %d, not %d, %v", base, leaf, want, err)
		}
	}
}

// TestMatchBesidePruning: a match in a kept block is found while the blocks before it, in which its auction may have begun, are removed.
func TestMatchBesidePruning(t *testing.T) {
	t.Parallel()
	b, product := newMarket(t)
	began := b.store.Height()
	b.wait(400 * second)
	b.must(b.placeTx(product, party.Key("clara"), types.Bid, 9, 100), b.placeTx(product, party.Key("peter"), types.Sell, 5, 100))
	b.time = product.Gate(&b.params)
	b.must()
	held := b.store.Height()
	id, at := b.matched(held), b.clock()
	want, made, err := b.MatchLeaf(id, began, at)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	if err := b.store.Flush(); err != nil {
		t.Fatal(err)
	}
	asking, pruned, asked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		for i := 0; ; i++ {
			if leaf, made, err := b.MatchLeaf(id, began, at); leaf != want || !made || err != nil {
				t.Errorf("leaf %d, not %d: %t, %v", leaf, want, made, err)
			}
			if i == 0 {
				close(asking)
			}
			select {
			case <-pruned:
				return
			default:
			}
		}
	}()
	<-asking
	if base, err := b.store.Prune(held - 1); err != nil || base != held-1 {
		t.Errorf("pruned to block %d, not %d: %v", base, held-1, err)
	}
	close(pruned)
	<-asked
}

// matched is a trade that an auction made in a block.
func (b *book) matched(height uint64) (id types.TradeID) {
	b.t.Helper()
	block, err := b.store.Block(height)
	if err != nil {
		b.t.Fatal(err)
	}
	for leaf := block.First; leaf < block.Log.Size; leaf++ {
		outcome, err := b.store.Log().Outcome(leaf)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, effect := range outcome.Effects {
			if matched, ok := effect.(*types.Matched); ok {
				return matched.Match.Trade
			}
		}
	}
	b.t.Fatalf("block %d has no match", height)
	return id
}
