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
			for _, from := range rapid.SliceOfN(rapid.SampledFrom([]*queue{&c.written, &c.read}), 0, 3).Draw(t, "full") {
				if from.bytes > 0 {
					c.drop(from)
				}
			}
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

// TestCacheSize writes far more than fits, and then removes or replaces all of it.
func TestCacheSize(t *testing.T) {
	t.Parallel()
	const most = 96 << 20
	c := newCache(most)
	value := make([]byte, 1<<16)
	write := func(height uint64, value []byte) {
		c.take([]*revision{{Change: &ledger.Change{Key: fmt.Sprint(height), New: value}, height: height}})
	}
	for height := uint64(1); height <= 1000; height++ {
		write(height, value)
	}
	held := 0
	for key, v := range c.entries {
		held += cost(key, v.Value)
	}
	if held > most || held < most-cost("1000", ledger.Value{Encoded: value}) || held != c.written.bytes {
		t.Errorf("it holds %d bytes and counts %d, its bound is %d", held, c.written.bytes, most)
	}
	if kept := slices.ContainsFunc([]string{"1", "2"}, func(key string) bool { _, known := c.get(key, 1000, false); return known }); kept {
		t.Error("the oldest are still there")
	}
	for height := uint64(1); height <= 1000; height++ {
		c.keep(fmt.Sprint(height), ledger.Value{}, 1000, 0)
		write(height, []byte{1})
		write(height, nil)
	}
	if len(c.entries) != 0 || c.written.bytes != 0 || c.read.bytes != 0 {
		t.Errorf("empty, it holds %d entries and counts %d and %d bytes", len(c.entries), c.written.bytes, c.read.bytes)
	}
}

// TestSecondChance: of values of the same age, those that the rules use stay, as long as they use them. When all are used, some are dropped
// nevertheless.
func TestSecondChance(t *testing.T) {
	t.Parallel()
	const room = 3000
	value := ledger.Value{Encoded: []byte("value")}
	c := newCache(room * cost("00000", value))
	next := 0
	write := func(count int) {
		for range count {
			c.take([]*revision{{Change: &ledger.Change{Key: fmt.Sprintf("%05d", next), New: value.Encoded}, height: 1}})
			next++
		}
	}
	use := func(from, to, step int) (found int) {
		for i := from; i < to; i += step {
			if _, known := c.get(fmt.Sprintf("%05d", i), 1, true); known {
				found++
			}
		}
		return found
	}
	write(room)
	for range 3 {
		const used = room / 20
		if found := use(0, room, 20); found != used {
			t.Fatalf("of %d values that are used, %d are there", used, found)
		}
		write(room - used)
	}
	if found := use(1, room, 20); found != 0 {
		t.Errorf("%d values that nobody uses are there", found)
	}
	for i := 0; i < room; i += 20 {
		if _, known := c.get(fmt.Sprintf("%05d", i), 1, false); !known {
			t.Fatalf("value %d is gone", i)
		}
	}
	write(room)
	if found := use(0, room, 20); found != 0 {
		t.Errorf("%d values that only others than the rules read are there", found)
	}
	oldest := next - room
	use(oldest, next, 1)
	write(1)
	for i := oldest; i < next; i++ {
		if _, known := c.get(fmt.Sprintf("%05d", i), 1, false); known == (i == oldest+chances) {
			t.Errorf("with all values used, one is dropped after %d chances: value %d of %d is there: %t", chances, i-oldest, room, known)
		}
	}
}

// TestPortions: a memtable is added to the cache a few revisions at a time, and fewer where they are large, each once.
func TestPortions(t *testing.T) {
	t.Parallel()
	const small, large = 200, 10
	m := newMemtable(0, newPartitions())
	var changes []ledger.Change
	for i := range small + large {
		change := ledger.Change{Key: fmt.Sprint("value ", i), New: []byte("value")}
		if i >= small {
			change.Key, change.New = fmt.Sprint("large ", i), make([]byte, fewBytes)
		}
		changes = append(changes, change)
	}
	m.add(&Staged{block: &Block{Height: 1}, diff: &ledger.Diff{Changes: changes}})
	seen, visits := map[string]bool{}, 0
	m.portions(func(some []*revision) {
		visits++
		bytes := 0
		for i, r := range some {
			if seen[r.Key] {
				t.Errorf("%s comes twice", r.Key)
			}
			seen[r.Key] = true
			if bytes > fewBytes || i >= fewRevisions {
				t.Errorf("portion %d has %d revisions", visits, len(some))
			}
			bytes += len(r.New)
		}
	})
	if len(seen) != len(changes) || visits > large+small/fewRevisions+2 {
		t.Errorf("%d of %d revisions came, in %d portions", len(seen), len(changes), visits)
	}
}

// TestMemoryShares: the parts of a store leave room in its memory, and the base level takes what is merged into it at once.
func TestMemoryShares(t *testing.T) {
	t.Parallel()
	for _, m := range []Memory{MinMemory, DefaultMemory, 8 << 30} {
		if all := m.blocks() + int64(m.values()+m.balances()+2*m.memtable()) + 2*int64(m.pebbleTable()); all > int64(m) || all < int64(m)*8/10 {
			t.Errorf("of %d bytes, %d are shared out", m, all)
		}
	}
	if least, usual := MinMemory.baseLevel(), DefaultMemory.baseLevel(); least != 64<<20 || usual != l0Levels*int64(DefaultMemory.pebbleTable()) || usual <= least {
		t.Errorf("the base level has %d bytes, or %d", least, usual)
	}
}

// TestReadersInTheCache: readers that find far more on the disk than fits leave two thirds of the cache to the values of flushes, and keep what
// they found last. A flush of a value that a reader found makes room for another one.
func TestReadersInTheCache(t *testing.T) {
	t.Parallel()
	const most = 600_000
	c := newCache(most)
	found := ledger.Value{Encoded: make([]byte, 1000)}
	written := func(i int) string { return fmt.Sprint("written ", i) }
	write := func(key string) {
		c.take([]*revision{{Change: &ledger.Change{Key: key, New: found.Encoded}, height: 1}})
	}
	fill := most * 2 / 3 / cost(written(100), found)
	for i := range fill {
		write(written(i))
	}
	read := func(from, to int) (kept []int) {
		for i := from; i < to; i++ {
			c.keep(fmt.Sprint("read ", i), found, 1, 0)
		}
		for i := range to {
			if _, known := c.get(fmt.Sprint("read ", i), 1, true); known {
				kept = append(kept, i)
			}
		}
		return kept
	}
	kept := read(0, 1000)
	size, third := len(kept)*cost("read 100", found), most/3
	if size > third || size < third*9/10 || kept[0] != 1000-len(kept) {
		t.Errorf("readers fill %d bytes of %d with values from %d on", size, most, kept[0])
	}
	for i := range fill {
		if _, known := c.get(written(i), 1, true); !known {
			t.Fatalf("value %d of a flush was pushed out", i)
		}
	}
	write(fmt.Sprint("read ", kept[0]))
	if now := read(1000, 1001); len(now) != len(kept)+1 {
		t.Errorf("a value that was written still counts as one of readers: %d are there, %d were", len(now), len(kept))
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
