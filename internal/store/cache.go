package store

import (
	"sync"

	"lockstep/internal/ledger"
)

// cache keeps flushed values of the state in memory: those that recent flushes wrote, decoded, and those that the rules read from the disk,
// since a transaction is checked before a block executes it. It knows absent keys too. It has two halves and drops the old half when the
// young one is full.
//
// It serves readers of all heights: a value last changed at a height holds for every reader from that height on, unless a memtable of the
// reader has a newer one.
type cache struct {
	mu      sync.RWMutex
	most    int // bytes of both halves, by [cost]
	young   map[string]cached
	old     map[string]cached
	bytes   int    // of the young half
	read    int    // of these, of values that readers found on the disk
	flushes uint64 // that have begun
}

type cached struct {
	ledger.Value
	height uint64 // from which on it holds: of the block that wrote it, or a later one
	read   bool   // a reader found it on the disk
}

func newCache(most int) *cache {
	return &cache{most: most, young: map[string]cached{}, old: map[string]cached{}}
}

// get returns the value of a key at a height; false on a miss. A nil cache always misses.
func (c *cache) get(key string, height uint64) (ledger.Value, bool) {
	if c == nil {
		return ledger.Value{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := c.young[key]
	if !ok {
		found, ok = c.old[key]
	}
	return found.Value, ok && found.height <= height
}

// begun is the number of flushes whose changes were added, or are being added.
func (c *cache) begun() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.flushes
}

// keep adds a value that a reader found on the disk, unless a flush has begun since the reader was made: it may have changed the value.
// From the reader's base on the value holds until a memtable of a reader has another one. Values of readers take at most a third of a half:
// a transaction that is refused costs nothing, and must not push out the values of blocks.
func (c *cache) keep(key string, value ledger.Value, base, flushes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := cost(key, value)
	if flushes != c.flushes || c.read+size > c.most/2/3 {
		return
	}
	if _, again := c.young[key]; !again {
		c.read += size
		c.put(key, cached{value, base, true})
	}
}

// put adds the value of a key that the young half has not.
func (c *cache) put(key string, value cached) {
	c.young[key] = value
	c.bytes += cost(key, value.Value)
	if c.bytes > c.most/2 {
		c.turn()
	}
}

// follow adds the changes of a flushed memtable. Readers continue meanwhile.
func (c *cache) follow(m *memtable) {
	c.mu.Lock()
	c.flushes++
	c.mu.Unlock()
	some := make([]*revision, 0, fewRevisions)
	for _, kind := range m.kinds { // any order: no key occurs twice
		for _, newest := range kind.newest {
			if some = append(some, newest); len(some) == cap(some) {
				c.take(some)
				some = some[:0]
			}
		}
	}
	c.take(some)
}

// fewRevisions bounds the revisions added under one lock, so that readers don't wait long.
const fewRevisions = 64

func (c *cache) take(revisions []*revision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range revisions {
		delete(c.old, r.Key)
		if before, again := c.young[r.Key]; again {
			size := cost(r.Key, before.Value)
			if c.bytes -= size; before.read {
				c.read -= size
			}
			delete(c.young, r.Key)
		}
		if r.New == nil {
			continue
		}
		c.put(r.Key, cached{ledger.Value{Encoded: r.New, Decoded: r.After}, r.height, false})
	}
}

// turn drops the old half.
func (c *cache) turn() { c.old, c.young, c.bytes, c.read = c.young, map[string]cached{}, 0, 0 }

// cost estimates the memory of an entry: a decoded value is about 1.5 times as large as its encoding.
func cost(key string, value ledger.Value) int {
	const perEntry = 160 // of the maps, and of headers
	return perEntry + len(key) + 5*len(value.Encoded)/2
}
