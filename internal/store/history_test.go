package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/internal/store"
	"lockstep/types"
)

// TestPrune prunes a ledger step by step. Each time the check finds all in order, pruned blocks are refused, and the next blocks commit to the same hashes as those of a
// ledger that keeps all.
func TestPrune(t *testing.T) {
	t.Parallel()
	whole, w := newWorld(t), newWorld(t)
	const blocks = 22
	for _, w := range []*world{whole, w} {
		w.busy(blocks)
	}
	if report := w.check(); report.Archived == 0 || report.Live == 0 {
		t.Fatalf("the ledger has %d trades that are over and %d others: this test tests little", report.Archived, report.Live)
	}
	before, last := w.check(), uint64(0)
	for _, to := range []uint64{1, 1, 3, 10, 9, blocks - 1, blocks + 40} {
		base, err := w.store.Prune(to)
		if err == nil {
			err = w.store.Flush()
		}
		if err == nil {
			base, err = w.store.Prune(to)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := max(last, min(to, w.store.Height())); base != want || base != w.store.Base() {
			t.Fatalf("pruned to block %d, the base is %d, and the store says %d", to, base, w.store.Base())
		}
		last = base
		report := w.check()
		if report.Blocks != w.store.Height()-base || report.Live != before.Live {
			t.Errorf("pruned to block %d, the check reports %+v", to, report)
		}
		for _, height := range []uint64{1, base} {
			if _, err := w.store.Block(height); types.CodeOf(err) != types.CodePruned {
				t.Errorf("block %d of a store pruned to %d: %v", height, base, err)
			}
			w.read(func(s *store.IndexedSnapshot) {
				if _, err := s.Block(height); types.CodeOf(err) != types.CodePruned {
					t.Errorf("block %d of a snapshot pruned to %d: %v", height, base, err)
				}
			})
		}
		if block, err := w.store.Block(base + 1); err != nil || (block == nil) != (base == w.store.Height()) {
			t.Errorf("block %d, the first that is kept: %v (%v)", base+1, block, err)
		}
		for height := base + 1; height <= blocks; height++ { // also those that were flushed together with removed ones
			want, err := whole.store.Block(height)
			got, gotErr := w.store.Block(height)
			if err := errors.Join(err, gotErr); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Events, got.Events); diff != "" {
				t.Fatalf("pruned to block %d, block %d has other events: %s", base, height, diff)
			}
		}
		w.close()
		w.open()
		w.check()
		mint := w.mint(types.Amount(to), "peter")
		whole.time = w.time
		if whole.must(mint).Commitment != w.must(mint).Commitment {
			t.Fatalf("pruned to block %d, the next block commits to another hash", to)
		}
	}
	if report := w.check(); report.Archived != 0 || report.Txs != 1 || report.Live != before.Live {
		t.Errorf("after all, the check reports %+v", report)
	}
}

// TestPruneUnwritten prunes blocks that are not on the disk: they stay, since a crash loses them.
func TestPruneUnwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.mint(1, "peter"))
	w.must(w.mint(2, "peter"))
	if base, err := w.store.Prune(2); base != 0 || err != nil {
		t.Errorf("the base is %d (%v)", base, err)
	}
	if err := w.store.Flush(); err != nil {
		t.Fatal(err)
	}
	if base, err := w.store.Prune(1); base != 1 || err != nil {
		t.Errorf("the base is %d (%v)", base, err)
	}
}

// TestReadWhilePruned reads blocks after pruning has removed them, and before it has told the store: the refusal says that they are pruned.
func TestReadWhilePruned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range types.Amount(3) {
		w.must(w.mint(1+i, "peter"))
	}
	w.check() // on the disk
	if base, err := w.store.Prune(2); base != 2 || err != nil {
		t.Fatalf("the base is %d (%v)", base, err)
	}
	for _, told := range []uint64{0, 1, 2, 3} { // 3: of a later step than what the reader sees
		w.store.MoveBase(told)
		w.read(func(s *store.IndexedSnapshot) {
			if s.Base() != 2 {
				t.Errorf("the snapshot of a store that says it is pruned to %d says %d", told, s.Base())
			}
			for _, read := range []func(uint64) (*store.Block, error){w.store.Block, s.Block} {
				for height, want := range map[uint64]types.Code{1: types.CodePruned, 2: types.CodePruned, 3: types.CodeOK, 4: types.CodeOK} {
					if block, err := read(height); types.CodeOf(err) != want || (block != nil) != (height == 3) {
						t.Errorf("block %d of a store that says it is pruned to %d: %v (%v)", height, told, block, err)
					}
				}
			}
		})
	}
	w.store.MoveBase(2)
}

// TestPruneGivesRoomBack: the tables of a database without its history take less room.
func TestPruneGivesRoomBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const blocks = 120
	for i := types.Amount(1); i <= blocks; i++ {
		txs := make([]*types.Tx, 20)
		for j := range txs {
			txs[j] = w.mint(i*100+types.Amount(j), "peter")
		}
		w.must(txs...)
	}
	tables := func() (bytes int64) {
		files, err := filepath.Glob(filepath.Join(w.dir, "*.sst"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err == nil { // it may go meanwhile
				bytes += info.Size()
			}
		}
		return bytes
	}
	w.close() // which writes all that is in memory to tables
	w.open()
	before := tables()
	if base, err := w.store.Prune(blocks - 1); base != blocks-1 || err != nil {
		t.Fatalf("the base is %d (%v)", base, err)
	}
	for range 500 {
		if tables() < before/2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the tables had %d bytes, and have %d without their history", before, tables())
}
