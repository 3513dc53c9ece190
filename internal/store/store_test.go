package store_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/internal/store"
	"lockstep/types"
)

func TestReopen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.mint(1000, "peter", "clara"))
	before := w.must(w.mint(5, "mallory"))
	w.close()
	w.open()
	if w.store.Height() != 2 || w.store.Commitment() != before.Commitment {
		t.Errorf("at height %d with %s, not 2 with %s", w.store.Height(), w.store.Commitment(), before.Commitment)
	}
	block, err := w.store.Block(2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, block, cmpopts.IgnoreUnexported(store.Block{}, types.Event{}), cmp.AllowUnexported(store.TxResult{})); diff != "" {
		t.Error(diff)
	}
	w.check()
}

func TestStageWithoutCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.mint(1000, "peter"))
	commitment := w.store.Commitment()
	w.stage(w.mint(5, "clara"))
	w.close()
	w.open()
	if w.store.Height() != 1 || w.store.Commitment() != commitment {
		t.Error("a block that was given up is in the store")
	}
}

func TestBlockOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	staged := w.stage()
	w.must()
	again, err := w.store.Stage(store.Executed{})
	if err == nil {
		t.Error("block 0 was taken", again)
	}
	if err := staged.Commit(); err == nil {
		t.Error("block 2 was committed twice")
	}
}

// TestCommitmentOfState freezes the layout that nodes must agree on: the same blocks, the same commitment.
func TestCommitmentOfState(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t), newWorld(t)
	for _, w := range []*world{a, b} {
		mint := w.mint(110, "clara")
		w.must(mint)
		w.trade(1, types.Outpoint{Tx: mint.ID()})
	}
	if a.store.Commitment() != b.store.Commitment() {
		t.Error("two stores with the same blocks commit to different states")
	}
	if report := a.check(); report.Commitment != a.store.Commitment() {
		t.Error("the commitment recomputed is not the one kept")
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, err := store.Open(w.dir, w.params, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrLocked)
	})
	t.Run("other parameters", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.close()
		other := w.params
		other.Horizon++
		_, err := store.Open(w.dir, other, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrParams)
		other.ChainID = "another"
		_, err = store.Open(w.dir, other, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrParams)
	})
	t.Run("other format", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.tamper(func(db *pebble.DB) error { return db.Set([]byte("mf"), []byte("lockstep-store-13"), pebble.Sync) })
		_, err := store.Open(w.dir, w.params, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrFormat)
		if !strings.Contains(err.Error(), "has format 13, and this program reads format") {
			t.Error(err)
		}
	})
	t.Run("damaged head", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.must(w.mint(1, "peter"))
		w.tamper(func(db *pebble.DB) error { return db.Set([]byte("mh"), []byte{1, 2, 3}, pebble.Sync) })
		_, err := store.Open(w.dir, w.params, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrDamaged)
	})
	for name, partitions := range map[string][]byte{
		"damaged partitions":       {1, 2, 3},
		"no partitions":            {0x83, 0, 0, 0x80},
		"partitions in no order":   {0x83, 0, 0, 0x83, 0, 2, 1},
		"partitions of too little": {0x83, 1, 2, 0x81, 0},
		"lost partitions":          nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.must(w.mint(1, "peter"))
			w.tamper(func(db *pebble.DB) error {
				if partitions == nil {
					return db.Delete([]byte("me"), pebble.Sync)
				}
				return db.Set([]byte("me"), partitions, pebble.Sync)
			})
			_, err := store.Open(w.dir, w.params, store.DefaultMemory, quiet)
			mustFail(t, err, store.ErrDamaged)
		})
	}
	t.Run("damaged files", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.must(w.mint(1, "peter"))
		w.close()
		overwriteManifests(t, w.dir)
		_, err := store.Open(w.dir, w.params, store.DefaultMemory, quiet)
		mustFail(t, err, store.ErrDamaged)
	})
	t.Run("bad parameters", func(t *testing.T) {
		t.Parallel()
		_, err := store.Open(t.TempDir(), types.Params{}, store.DefaultMemory, quiet)
		if types.CodeOf(err) != types.CodeMalformed {
			t.Error(err)
		}
	})
}

// tamper closes the store and changes its database behind its back.
func (w *world) tamper(change func(*pebble.DB) error) {
	w.t.Helper()
	w.close()
	db, err := pebble.Open(w.dir, &pebble.Options{Logger: silent{}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		w.t.Fatal(err)
	}
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}

func overwriteManifests(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "MANIFEST") {
			if err := os.WriteFile(filepath.Join(dir, entry.Name()), []byte("rubbish"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
