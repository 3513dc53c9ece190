package query_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/outcomes"
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

// TestCheckpointOfADamagedLog: a node whose hashes on the disk are damaged signs the log to which the blocks commit, and no other.
func TestCheckpointOfADamagedLog(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for range 257 {
		b.mint(1, "clara")
	}
	key, verifierKey, err := note.GenerateKey(rand.Reader, "town")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	b.SignCheckpoints(signer, verifierKey)
	block, err := b.store.Block(b.store.Height())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "outcomes", "hashes-1")
	hash, err := os.ReadFile(file)
	if err != nil || len(hash) < 32 {
		t.Fatalf("%d bytes, %v", len(hash), err)
	}
	hash[3] ^= 1
	if err := os.WriteFile(file, hash, 0o600); err != nil {
		t.Fatal(err)
	}
	signed, err := b.LogFile(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	if head, err := outcomes.ReadCheckpoint(signed, verifierKey); err != nil || head != block.Log {
		t.Errorf("%+v is signed, and the block has %+v: %v", head, block.Log, err)
	}
}
