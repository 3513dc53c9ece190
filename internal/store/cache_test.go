package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/types/canon"
)

// text is a value that stands for a domain type.
type text string

func (text) Fields(*canon.Coder) {}

// TestMemoryAtEveryHeight compares random blocks, some of them flushed together, with a full history. Every value that a reader finds in
// memory is the one at its height, and it finds the newest values. A reader reads all others from the disk, at any time, and the
// cache may keep them.
func TestMemoryAtEveryHeight(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "b", "c", "d", "e", "never"}
	rapid.Check(t, func(t *rapid.T) {
		c := newCache(1 << 20)
		recent := newMemtable(0, newPartitions())
		history := []map[string]string{{}}
		views, disks := []stateReader{{unwritten: []*memtable{recent}, cache: c}}, []map[string]string{history[0]}
		flushed := uint64(0)
		for height := uint64(1); height <= 20; height++ {
			state := maps.Clone(history[height-1])
			var changes []ledger.Change
			for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys[:5]), 0, 4, rapid.ID[string]).Draw(t, "keys") {
				change := ledger.Change{Key: key}
				delete(state, key)
				if rapid.Bool().Draw(t, "there") {
					state[key] = fmt.Sprint(key, height)
					change.New, change.After = []byte(state[key]), text(state[key])
				}
				changes = append(changes, change)
			}
			history = append(history, state)
			recent.add(&Staged{block: &Block{Height: height}, diff: &ledger.Diff{Changes: changes}})
			unwritten := []*memtable{recent}
			if rapid.IntRange(0, 3).Draw(t, "written") == 0 {
				c.follow(recent)
				flushed = height
				if rapid.Bool().Draw(t, "half full") {
					c.turn()
				}
				recent = newMemtable(height, newPartitions())
				if rapid.Bool().Draw(t, "done") {
					unwritten = []*memtable{recent}
				}
			}
			views = append(views, stateReader{unwritten: unwritten, cache: c, height: height, flushes: c.begun()})
			disks = append(disks, history[flushed])
			for _, change := range changes {
				if _, known := views[height].inMemory(change.Key); !known && change.New != nil {
					t.Fatalf("%s of block %d is forgotten at once", change.Key, height)
				}
			}
			for i, v := range views {
				for _, key := range keys {
					got, known := v.inMemory(key)
					if want := history[v.height][key]; known && (string(got.Encoded) != want || got.Decoded != nil && got.Decoded != text(want)) {
						t.Fatalf("at height %d of %d %s was %q, the memory says %q, %v", v.height, height, key, want, got.Encoded, got.Decoded)
					}
					if !known && rapid.Bool().Draw(t, "read") {
						var onDisk ledger.Value
						if encoded, there := disks[i][key]; there {
							onDisk.Encoded = []byte(encoded)
						}
						c.keep(key, onDisk, v.base(), v.flushes)
						if _, kept := v.inMemory(key); kept != (v.flushes == c.begun()) {
							t.Fatalf("at height %d of %d, after %d flushes of %d, %s is kept: %t", v.height, height, v.flushes, c.begun(), key, kept)
						}
					}
				}
			}
		}
	})
}

// TestCacheSize writes far more than fits.
func TestCacheSize(t *testing.T) {
	t.Parallel()
	const most = 96 << 20
	c := newCache(most)
	value := make([]byte, 1<<16)
	for height := uint64(1); height <= 1000; height++ {
		c.take([]*revision{{Change: &ledger.Change{Key: fmt.Sprint(height), New: value}, height: height}})
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

// TestReadersInTheCache: readers that find far more on the disk than fits leave two thirds of the cache to the values of flushes. A flush of
// a value that a reader found makes room for another one.
func TestReadersInTheCache(t *testing.T) {
	t.Parallel()
	const most = 600_000
	c := newCache(most)
	value := make([]byte, 1000)
	written := func(i int) string { return fmt.Sprint("written ", i) }
	fill := most / 2 / 3 / cost(written(0), ledger.Value{Encoded: value})
	for i := range fill {
		c.take([]*revision{{Change: &ledger.Change{Key: written(i), New: value}, height: 1}})
	}
	read, found := 0, ledger.Value{Encoded: value}
	for i := range 1000 {
		key := fmt.Sprint("read ", i)
		c.keep(key, found, 1, 0)
		if _, kept := c.get(key, 1); kept {
			read += cost(key, found)
		}
	}
	if third := most / 2 / 3; read > third || read < third*9/10 {
		t.Errorf("readers fill %d bytes of a half of %d", read, most/2)
	}
	for i := range fill {
		if _, known := c.get(written(i), 1); !known {
			t.Fatalf("value %d of a flush was pushed out", i)
		}
	}
	c.take([]*revision{{Change: &ledger.Change{Key: "read 0", New: value}, height: 2}})
	c.keep("read 1000", found, 1, 0)
	if _, kept := c.get("read 1000", 1); !kept {
		t.Error("a value that was written still counts as one of readers")
	}
	c.turn()
	c.keep("again", found, 1, 0)
	if _, kept := c.get("again", 1); !kept {
		t.Error("the next half takes nothing of readers")
	}
}

// TestKnownBalances: the balances in memory are bounded, and the last ones are there.
func TestKnownBalances(t *testing.T) {
	t.Parallel()
	const most = 3
	known := newKnownBalances(2 * most * 160)
	at := func(i int) holding { return holding{owner: types.PublicKey{byte(i)}} }
	for i := range 20 {
		known.put(at(i), Balance{Coins: uint64(i)})
		if len(known.young) > most || len(known.old) > most {
			t.Fatalf("after %d balances, %d and %d are in memory", i+1, len(known.young), len(known.old))
		}
	}
	for i := 20 - most; i < 20; i++ {
		if sum, err := known.get(nil, at(i)); err != nil || sum.Coins != uint64(i) {
			t.Errorf("balance %d is %+v: %v", i, sum, err)
		}
	}
}
