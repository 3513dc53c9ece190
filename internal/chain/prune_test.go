package chain

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lockstep/internal/store"
	"lockstep/types"
)

// TestPrunedChain lets a chain remove its history while it makes blocks. Store and engine keep the same blocks, the files are in order, and it goes on after a start.
func TestPrunedChain(t *testing.T) {
	t.Parallel()
	w := &world{t: t, dir: t.TempDir(), params: types.DefaultParams("test"), logger: slog.New(slog.DiscardHandler)}
	w.config = Config{Dir: filepath.Join(w.dir, "engine"), Idle: time.Millisecond, Keep: time.Millisecond, prunePause: 10 * time.Millisecond}
	indexed := uint64(40)
	w.config.Indexed = func() (uint64, error) { return indexed, nil }
	if err := Create(w.config.Dir, w.params, MinEvidenceAge); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(w.close)
	w.run()
	w.must(w.mint(7, "peter"))
	prunedTo := func(want uint64) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); w.store.Base() < want || w.engine.BlockStore().Base() < int64(want)+1; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("at block %d the store is pruned to %d, and the engine begins at %d", w.store.Height(), w.store.Base(), w.engine.BlockStore().Base())
			}
			if w.store.Height() < want+alwaysKept {
				w.must(w.mint(types.Amount(w.store.Height()), "peter"))
			}
		}
	}
	prunedTo(40) // and no further: the index has not read more
	if base := w.store.Base(); base != 40 {
		t.Errorf("pruned to block %d, and the index is at 40", base)
	}
	if _, err := w.SignedHeader(3); types.CodeOf(err) != types.CodePruned {
		t.Errorf("the header of a pruned block: %v", err)
	}
	w.close()
	checked := func() {
		t.Helper()
		s, err := store.Open(filepath.Join(w.dir, "store"), w.params, store.DefaultMemory, w.logger)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(); err != nil {
			t.Error(err)
		}
		if _, err := Check(w.config.Dir, s); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	checked()
	w.config.Indexed = nil
	w.open()
	w.run()
	prunedTo(60)
	w.close()
	checked()
}

// TestRetention bounds the blocks that the engine removes at once.
func TestRetention(t *testing.T) {
	t.Parallel()
	r := retention{told: 1}
	if got := r.next(); got != 0 {
		t.Errorf("nothing is pruned, and the engine is told %d", got)
	}
	r.from.Store(2500)
	for _, want := range []int64{1001, 2001, 2500, 0} {
		if got := r.next(); got != want {
			t.Errorf("the engine is told %d, want %d", got, want)
		}
	}
}

// TestTrimmedLogs keeps the newest files of the engine's log.
func TestTrimmedLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, number := range []int{998, 999, 1000, 1001} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("wal.%03d", number)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for number, age := range map[int]time.Duration{998: 3 * time.Hour, 999: time.Hour} {
		if err := os.Chtimes(filepath.Join(dir, fmt.Sprintf("wal.%03d", number)), now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		before time.Time
		want   []string
	}{
		{now.Add(-4 * time.Hour), []string{"wal", "wal.1000", "wal.1001", "wal.998", "wal.999"}},
		{now.Add(-2 * time.Hour), []string{"wal", "wal.1000", "wal.1001", "wal.999"}}, // the other has messages since the last block
		{now.Add(time.Hour), []string{"wal", "wal.1000", "wal.1001"}},
		{now.Add(time.Hour), []string{"wal", "wal.1000", "wal.1001"}},
	} {
		if err := trimLogs(dir, step.before); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		if err != nil || !slices.Equal(files, step.want) {
			t.Errorf("the files %s are left, want %s (%v)", files, step.want, err)
		}
	}
}
