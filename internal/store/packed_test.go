package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/store"
	"lockstep/types"
)

// TestPackedSegment fills a segment of the log: the store packs it while it runs, and again from a copy that was made meanwhile. The check and a copy read it.
func TestPackedSegment(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	w := newWorld(t)
	const leaves, each = 1 << 16, 4096
	w.must(w.mint(1, "peter")) // the asset
	var last *types.Tx
	for range leaves/each + 1 {
		txs := make([]*types.Tx, each)
		for i := range txs {
			txs[i] = w.mint(types.Amount(i+1), "clara")
		}
		last = txs[0]
		w.must(txs...)
	}
	if err := w.store.Flush(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if _, err := w.store.Checkpoint(copied); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); packedSegments(t, w.dir) != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no segment was packed")
		}
	}
	w.readsFirst()
	w.close()
	w.dir = copied
	w.open()
	w.readsFirst()
	w.check()
	w.read(func(s *store.IndexedSnapshot) {
		if receipt, err := s.Receipt(last.ID()); receipt == nil || err != nil {
			t.Errorf("the last transaction in the copy: %v", err)
		}
	})
}

// readsFirst reads the outcomes of the first blocks from the log.
func (w *world) readsFirst() {
	w.t.Helper()
	w.read(func(s *store.IndexedSnapshot) {
		block, err := s.Block(2)
		if err != nil {
			w.t.Fatal(err)
		}
		if outcomes, err := s.Outcomes(block); err != nil || !block.Stored() || len(outcomes) == 0 || outcomes[0].Tx != block.Txs[0].ID {
			w.t.Errorf("the outcomes of block 2: %v", err)
		}
	})
}

func packedSegments(t *testing.T, dir string) (packed int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "outcomes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if ok, _ := filepath.Match("packed-*", entry.Name()); ok {
			packed++
		}
	}
	return packed
}
