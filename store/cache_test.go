package store

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/ledger"
)

// TestCacheNeverTellsTheWrongHeight follows random blocks beside a history that forgets nothing: whatever the cache answers,
// to a view of any height, is what stood there then, and it has answers for what was written last.
func TestCacheNeverTellsTheWrongHeight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCache(0, 1<<20)
		history := []map[string]string{{}}
		for height := uint64(1); height <= 20; height++ {
			state := map[string]string{}
			for key, value := range history[height-1] {
				state[key] = value
			}
			var changes []ledger.Change
			for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 4, rapid.ID[string]).Draw(t, "keys") {
				change := ledger.Change{Key: key}
				delete(state, key)
				if rapid.Bool().Draw(t, "there") {
					state[key] = fmt.Sprint(key, height)
					change.New, change.After = []byte(state[key]), state[key]
				}
				changes = append(changes, change)
			}
			history = append(history, state)
			c.follow(height, changes)
			if rapid.IntRange(0, 4).Draw(t, "half full") == 0 {
				c.turn()
			}
			for _, change := range changes {
				if _, known := c.get(change.Key, height); !known && change.New != nil {
					t.Fatalf("%s of block %d is forgotten at once", change.Key, height)
				}
			}
			if _, known := c.get("a", height+1); known {
				t.Fatal("the cache tells of a block that it has not seen")
			}
			for at := range history {
				for _, key := range []string{"a", "b", "c", "d", "e", "never"} {
					got, known := c.get(key, uint64(at))
					if want := history[at][key]; known && (string(got.Encoded) != want || got.Decoded == nil && want != "") {
						t.Fatalf("at height %d of %d %s was %q, the cache says %q", at, height, key, want, got.Encoded)
					}
				}
			}
		}
	})
}

// TestCacheIsBounded writes far more than fits.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const most = 96 << 20
	c := newCache(0, most)
	value := make([]byte, 1<<16)
	for height := uint64(1); height <= 1000; height++ {
		c.follow(height, []ledger.Change{{Key: fmt.Sprint(height), New: value}})
	}
	held := 0
	for _, half := range []map[string]cached{c.young, c.old} {
		for key, v := range half {
			held += cost(key, v.Value)
		}
	}
	if held > most+cost("1000", ledger.Value{Encoded: value}) || held < most/2 {
		t.Errorf("it holds %d bytes, its bound is %d", held, most)
	}
	if kept := slices.ContainsFunc([]string{"1", "2"}, func(key string) bool { _, known := c.get(key, 1000); return known }); kept {
		t.Error("the oldest are still there")
	}
}
