package query_test

import (
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestLeafOfALargeTransaction: a trade whose step stands in a later leaf of its transaction is proved by that one.
func TestLeafOfALargeTransaction(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	id, purse := b.paid(1)
	delivery := b.body(&types.Deliver{Trade: id})
	delivery.Inputs = []types.Outpoint{{Tx: purse, Index: 1}}
	delivery.Outputs = []types.Output{party.Output("peter", 110)}
	tx := party.Sign(delivery, "peter")

	b.time = b.time.Add(second)
	state := ledger.New(b.store.StateReader(), b.params)
	state.Begin(b.store.Height()+1, b.time)
	if result := state.Execute(tx, true); result.Code != types.CodeOK {
		t.Fatal(result.Detail)
	}
	executed := store.Executed{Txs: []store.TxResult{{ID: tx.ID()}}, Diff: state.Finish()}
	var whole types.Outcome
	if err := types.Decode(executed.Diff.Leaves[0].Encoded, &whole); err != nil || len(executed.Diff.Leaves) != 1 {
		t.Fatalf("%d leaves, %v", len(executed.Diff.Leaves), err)
	}
	first, later := whole, whole
	first.Effects, later.Part = []types.Effect{types.StepOf(types.TradeID{1}, types.EventDelivered.Number(), new(types.Trade))}, 1
	executed.Diff.Leaves = []ledger.Leaf{{Tx: tx.ID(), Encoded: types.Encode(&first)}, {Tx: tx.ID(), Part: 1, Encoded: types.Encode(&later)}}
	staged, err := b.store.Stage(executed)
	if err != nil {
		t.Fatal(err)
	}
	head, err := b.store.Head()
	if err != nil {
		t.Fatal(err)
	}
	before := head.Leaves()
	if err := head.Close(); err != nil {
		t.Fatal(err)
	}
	if err := staged.Commit(); err != nil {
		t.Fatal(err)
	}
	for trade, want := range map[types.TradeID]uint64{{1}: before, id: before + 1} {
		if leaf, err := b.StepLeaf(tx.ID(), trade); err != nil || leaf != want {
			t.Errorf("leaf %d, want %d: %v", leaf, want, err)
		}
	}
	b.mint(1, "clara")
	if leaf, err := b.StepLeaf(tx.ID(), types.TradeID{2}); err == nil {
		t.Errorf("a trade of which it does not tell stands in leaf %d", leaf)
	}
}
