package chain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dbm "github.com/cometbft/cometbft-db"

	"lockstep/internal/store"
	"lockstep/types"
)

// checked makes a chain of some blocks, stops it, lets a function change its files, and checks them.
func checked(t *testing.T, change func(w *world)) (Checked, error) {
	t.Helper()
	w := newWorld(t)
	w.run()
	for i := range 4 {
		w.must(w.mint(types.Amount(i+1), "peter"))
	}
	w.close()
	change(w)
	s, err := store.Open(filepath.Join(w.dir, "store"), w.params, store.DefaultMemory, w.logger)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Check(w.config.Dir, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return report, err
}

// edit changes a database of the engine.
func (w *world) edit(name string, change func(dbm.DB) error) {
	w.t.Helper()
	db, err := dbm.NewGoLevelDB(name, filepath.Join(w.config.Dir, "data"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := change(db); err != nil {
		w.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// TestCheckBlocks finds false contents with correct checksums.
func TestCheckBlocks(t *testing.T) {
	t.Parallel()
	if report, err := checked(t, func(*world) {}); err != nil || report.Blocks < 4 || report.Bytes == 0 {
		t.Errorf("in order: %+v, %v", report, err)
	}
	remove := func(key string) func(*world) {
		return func(w *world) { w.edit("blockstore", func(db dbm.DB) error { return db.DeleteSync([]byte(key)) }) }
	}
	move := func(from, to string) func(*world) {
		return func(w *world) {
			w.edit("blockstore", func(db dbm.DB) error {
				value, err := db.Get([]byte(from))
				if err == nil && len(value) == 0 {
					err = fmt.Errorf("there is no %s", from)
				}
				if err != nil {
					return err
				}
				return db.SetSync([]byte(to), value)
			})
		}
	}
	for _, c := range []struct {
		name   string
		change func(*world)
		says   string
	}{
		{"no head", remove("H:2"), "block 2: it is missing"},
		{"no part", remove("P:2:0"), "part 0 is missing"},
		{"another part", move("P:3:0", "P:2:0"), "part 0 is not of this block"},
		{"a damaged part", func(w *world) {
			w.edit("blockstore", func(db dbm.DB) error { return db.SetSync([]byte("P:2:0"), []byte(frameMagic+"damaged")) })
		}, "is damaged: restore a backup of the node's folder, or, with several validators, make the node anew; keep the files until then (a part of a block can't be unpacked, P:2:0: "},
		{"another head", move("H:3", "H:2"), "block 2"},
		{"a state without blocks", func(w *world) {
			w.edit("state", func(db dbm.DB) error { return db.DeleteSync([]byte("stateKey")) })
		}, "the engine's state is missing"},
		{"no blocks at all", func(w *world) {
			if err := os.RemoveAll(filepath.Join(w.config.Dir, "data", "blockstore.db")); err != nil {
				t.Fatal(err)
			}
		}, "the blocks are missing"},
		{"another genesis", func(w *world) {
			file := filesOf(w.config.Dir).Genesis
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"name": "genesis"`, `"name": "another"`, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is not the one that this ledger began with"},
		{"no signatures of the last block", func(w *world) {
			w.edit("blockstore", func(db dbm.DB) error {
				all, err := dbm.IteratePrefix(db, []byte("SC:"))
				if err != nil {
					return err
				}
				for ; err == nil && all.Valid(); all.Next() {
					err = db.DeleteSync(all.Key())
				}
				return errors.Join(err, all.Close())
			})
		}, "has no signatures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := checked(t, c.change); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}
