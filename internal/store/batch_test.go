package store

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// TestSortedBatch writes random changes, some of the same keys, and compares the entries with a map to which they were applied in turn. Keys
// are shorter and longer than the part that is compared first, and begin alike.
func TestSortedBatch(t *testing.T) {
	t.Parallel()
	key := rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00")), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		db, err := pebble.Open("batch", &pebble.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		want := map[string]string{}
		for range 2 {
			var batch sortedBatch
			for range rapid.IntRange(0, 30).Draw(t, "changes") {
				at := key.Draw(t, "key")
				if rapid.IntRange(0, 3).Draw(t, "removed") == 0 {
					batch.remove([]byte(at))
					delete(want, at)
				} else {
					want[at] = rapid.StringN(0, 3, -1).Draw(t, "value")
					batch.set([]byte(at), []byte(want[at]))
				}
			}
			if err := batch.commit(db, pebble.NoSync); err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(batch.order, func(x, y place) int { return bytes.Compare(batch.entries[x.index].key, batch.entries[y.index].key) }) {
				t.Fatal("the batch is not in the order of its keys")
			}
		}
		got := map[string]string{}
		if err := scan(db, nil, nil, func(key, value []byte) bool { got[string(key)] = string(value); return true }); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("the entries are %q, want %q", got, want)
		}
	})
}
