package store

import (
	"sync"

	"lockstep/ledger"
)

// cache keeps the newest values of the state in memory, decoded: a block mostly reads what a block shortly before it wrote.
// It is filled by commits alone and forgets what was written longest ago: in two halves, of which it drops the old one when the
// young one is full.
//
// It answers views of older heights too: what was last changed at a height holds for every view from that height on.
type cache struct {
	mu     sync.RWMutex
	height uint64 // of the last block that it follows
	most   int    // bytes, by [cost], that it holds of both halves
	young  map[string]cached
	old    map[string]cached
	bytes  int // of the young
}

type cached struct {
	ledger.Value
	height uint64 // of the block that wrote it
}

func newCache(height uint64, most int) *cache {
	return &cache{height: height, most: most, young: map[string]cached{}, old: map[string]cached{}}
}

// get returns what stands under a key at a height; false when the cache can't tell.
func (c *cache) get(key string, height uint64) (ledger.Value, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := c.young[key]
	if !ok {
		found, ok = c.old[key]
	}
	if !ok || found.height > height || height > c.height {
		return ledger.Value{}, false
	}
	return found.Value, true
}

// follow takes in what a block has changed.
func (c *cache) follow(height uint64, changes []ledger.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.height = height
	for _, change := range changes {
		delete(c.old, change.Key)
		if before, again := c.young[change.Key]; again {
			c.bytes -= cost(change.Key, before.Value)
			delete(c.young, change.Key)
		}
		if change.New == nil {
			continue
		}
		value := ledger.Value{Encoded: change.New, Decoded: change.After}
		c.young[change.Key] = cached{value, height}
		c.bytes += cost(change.Key, value)
	}
	if c.bytes > c.most/2 {
		c.turn()
	}
}

// turn forgets the old half.
func (c *cache) turn() { c.old, c.young, c.bytes = c.young, map[string]cached{}, 0 }

// cost is about what an entry takes in memory: decoded, a value is some one and a half times as large as encoded.
func cost(key string, value ledger.Value) int {
	const perEntry = 160 // of the maps, and of headers
	return perEntry + len(key) + 5*len(value.Encoded)/2
}
