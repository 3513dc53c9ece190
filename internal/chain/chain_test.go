package chain

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestDependentTransactions before any of them is in a block.
func TestDependentTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara")
	id, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	w.submit(mint, agree, pay, deliver, w.release(id, 1))
	w.run()
	last := w.release(id, 1)
	if outcome, err := w.Await(t.Context(), last.ID()); err != nil || outcome.Code != types.CodeOK {
		t.Fatalf("%+v, %v", outcome, err)
	}
	w.must(w.release(id, 2))
	w.check()
}

func TestBlockSubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	var issued []types.TxID
	for i := range 5 {
		mint := w.mint(types.Amount(1+i), "peter")
		w.must(mint)
		issued = append(issued, mint.ID())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	height := uint64(0)
	for block, err := range w.Blocks(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if height++; block.Height != height {
			t.Fatalf("block %d follows %d", block.Height, height-1)
		}
		for i, tx := range block.Txs {
			if len(issued) == 0 || tx.ID != issued[0] {
				t.Fatalf("transaction %s is out of order", tx.ID)
			}
			issued = issued[1:]
			if bodies := w.Transactions(height); bodies[i] == nil || bodies[i].ID() != tx.ID {
				t.Errorf("the body of transaction %s is not kept", tx.ID)
			}
		}
		if height > w.store.Height()-1 && len(issued) == 0 {
			cancel() // the sequence must end
		}
	}
	if w.Transactions(1<<40) != nil {
		t.Error("a block that is to come has transactions")
	}
}

// TestIdleChainClock by empty blocks that are closer together than the clock cap.
func TestIdleChainClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	var last *store.Block
	for block, err := range w.Blocks(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && (block.Clock <= last.Clock || len(block.Txs) > 0) {
			t.Errorf("block %d at %s follows one at %s", block.Height, block.Clock, last.Clock)
		}
		if last = block; block.Height == 6 {
			break
		}
	}
	if last.Clock != last.BlockTime {
		t.Errorf("the clock is at %s, the blocks at %s", last.Clock, last.BlockTime)
	}
}

func TestReopenChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	mint := w.mint(1000, "peter")
	w.must(mint)
	w.close()
	w.open()
	if outcome, known, err := w.Outcome(mint.ID()); err != nil || !known || outcome.Code != types.CodeOK || outcome.Height == 0 {
		t.Errorf("%+v, %t, %v", outcome, known, err)
	}
	w.run()
	w.must(w.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara"))
	w.check()
}

// TestRebuildLostStore from the blocks that the engine keeps.
func TestRebuildLostStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	mint := w.mint(1000, "peter")
	w.must(mint, w.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara"))
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	height, commitment := w.store.Height(), w.store.Commitment()
	w.close()
	if err := os.RemoveAll(filepath.Join(w.dir, "store")); err != nil {
		t.Fatal(err)
	}
	w.open()
	if w.store.Height() < height {
		t.Errorf("rebuilt up to %d, not %d", w.store.Height(), height)
	}
	if block, err := w.store.Block(height); err != nil || block.Commitment != commitment {
		t.Errorf("rebuilt to another state: %v", err)
	}
	w.check()
}

func TestAwaitCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Await(ctx, types.TxID{1}); err == nil {
		t.Error("an unknown transaction has an outcome")
	}
	if len(w.feed.waiters) != 0 {
		t.Error("a waiter is left behind")
	}
	if _, known, err := w.Outcome(types.TxID{1}); known || err != nil {
		t.Errorf("an unknown transaction is known: %v", err)
	}
}

// TestHaltOnContradiction: somebody else has written a block to the store, so the next one can't follow.
func TestHaltOnContradiction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	executed := newBlockExecution(w.store.StateReader(), w.params, ledger.Facts{}, 1, 1, 0).finish()
	staged, err := w.store.Stage(executed)
	if err != nil {
		t.Fatal(err)
	}
	if err := staged.Commit(); err != nil {
		t.Fatal(err)
	}
	w.run()
	if err := <-w.done; err == nil {
		t.Error("the node goes on")
	}
	w.cancel = nil
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, files engineFiles){
		"no genesis":              func(t *testing.T, f engineFiles) { spoilFile(t, f.Genesis, nil) },
		"rubbish for a genesis":   func(t *testing.T, f engineFiles) { spoilFile(t, f.Genesis, []byte("{")) },
		"no validator key":        func(t *testing.T, f engineFiles) { spoilFile(t, f.ValidatorKey, nil) },
		"an empty validator key":  func(t *testing.T, f engineFiles) { spoilFile(t, f.ValidatorKey, []byte("{}")) },
		"rubbish as last signed":  func(t *testing.T, f engineFiles) { spoilFile(t, f.ValidatorState, []byte("x")) },
		"no node key":             func(t *testing.T, f engineFiles) { spoilFile(t, f.NodeKey, nil) },
		"a folder without a file": func(t *testing.T, f engineFiles) { spoilFile(t, filepath.Dir(f.Genesis), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w.Chain = nil
			defer w.store.Close()
			spoil(t, filesOf(w.config.Dir))
			if _, err := Open(w.config, w.store, discard()); err == nil {
				t.Error("the chain opens")
			}
		})
	}
}

func spoilFile(t *testing.T, file string, content []byte) {
	t.Helper()
	err := os.RemoveAll(file)
	if err == nil && content != nil {
		err = os.WriteFile(file, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateInUsedFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := Create(w.config.Dir, w.params, 0); err == nil {
		t.Error("a chain was made over another")
	}
	if err := Create(t.TempDir(), types.Params{}, 0); err == nil {
		t.Error("a chain was made without parameters")
	}
	params, err := LoadParams(w.config.Dir)
	if err != nil || params.Hash() != w.params.Hash() {
		t.Errorf("%+v, %v", params, err)
	}
}
