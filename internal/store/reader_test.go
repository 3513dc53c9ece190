package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"lockstep/internal/ledger"
)

// TestReaderAtEveryHeight puts random blocks on the disk and into two memtables, and compares the look-ups and lists of a reader at each
// height with a full history.
func TestReaderAtEveryHeight(t *testing.T) {
	t.Parallel()
	keys := []string{"a1", "a2", "a3", "a4", "b1", "b2", "b3"}
	rapid.Check(t, func(t *rapid.T) {
		db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		written := rapid.Uint64Range(0, 4).Draw(t, "written")
		split := written + rapid.Uint64Range(0, 4).Draw(t, "older")
		last := split + rapid.Uint64Range(0, 4).Draw(t, "recent")
		older, recent := newMemtable(written, newPartitions()), newMemtable(split, newPartitions())
		history := []map[string]string{{}}
		for height := uint64(1); height <= last; height++ {
			state := maps.Clone(history[height-1])
			diff := &ledger.Diff{}
			for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 4, rapid.ID[string]).Draw(t, "keys") {
				change := ledger.Change{Key: key}
				if before, was := state[key]; was {
					change.Old = []byte(before)
				}
				delete(state, key)
				if rapid.Bool().Draw(t, "there") {
					state[key] = fmt.Sprint(key, " of ", height)
					change.New = []byte(state[key])
				}
				diff.Changes = append(diff.Changes, change)
			}
			history = append(history, state)
			staged := &Staged{block: &Block{Height: height}, diff: diff}
			switch {
			case height > split:
				recent.add(staged)
			case height > written:
				older.add(staged)
			default:
				memtable := newMemtable(height-1, newPartitions())
				memtable.add(staged)
				if _, err := memtable.write(db, memtable.net(), sums{}, newKnownBalances(1<<20)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for height := written; height <= last; height++ {
			v := stateReader{Reader: db, unwritten: []*memtable{recent, older}, height: height}
			for _, key := range keys {
				if got, want := string(v.Get(key).Encoded), history[height][key]; got != want {
					t.Fatalf("at height %d of %d, %d of them written, %s is %q, not %q", height, last, written, key, got, want)
				}
			}
			for _, bounds := range [][2]string{{"a", "b"}, {"b", "c"}, {"a2", "a4"}, {"a3", "b"}, {"c", "d"}} {
				var got, want []string
				v.Ascend(bounds[0], bounds[1], func(key string, value ledger.Value) bool {
					got = append(got, key+"="+string(value.Encoded))
					return len(got) < 2 // and no more
				})
				for _, key := range slices.Sorted(maps.Keys(history[height])) {
					if key >= bounds[0] && key < bounds[1] && len(want) < 2 {
						want = append(want, key+"="+history[height][key])
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("at height %d from %s to %s it lists %q, not %q", height, bounds[0], bounds[1], got, want)
				}
			}
		}
	})
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
