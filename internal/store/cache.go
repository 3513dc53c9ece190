package store

import (
	"sync"

	"lockstep/internal/ledger"
)

// cache keeps the newest values of the state that are on the disk in memory, decoded: a block mostly reads what a block shortly
// before it wrote. It is filled by what is written alone and forgets what was written longest ago: in two halves, of which it
// drops the old one when the young one is full.
//
// It answers views of all heights: what was last changed at a height holds for every view from that height on, if none of
// what the view has beside the disk tells otherwise.
type cache struct {
	mu    sync.RWMutex
	most  int // bytes, by [cost], that it holds of both halves
	young map[string]cached
	old   map[string]cached
	bytes int // of the young
}

type cached struct {
	ledger.Value
	height uint64 // of the block that wrote it
}

func newCache(most int) *cache {
	return &cache{most: most, young: map[string]cached{}, old: map[string]cached{}}
}

// get returns what stands under a key at a height; false when the cache can't tell. No cache can tell nothing.
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

// follow takes in what a stretch has changed, which is on the disk by now. Readers go on meanwhile.
func (c *cache) follow(s *stretch) {
	some := make([]*revision, 0, fewRevisions)
	for _, kind := range s.kinds { // any order: no key is in it twice
		for _, newest := range kind.newest {
			if some = append(some, newest); len(some) == cap(some) {
				c.take(some)
				some = some[:0]
			}
		}
	}
	c.take(some)
}

// fewRevisions are taken in at once, so that a reader need not wait for all.
const fewRevisions = 64

func (c *cache) take(revisions []*revision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range revisions {
		delete(c.old, r.Key)
		if before, again := c.young[r.Key]; again {
			c.bytes -= cost(r.Key, before.Value)
			delete(c.young, r.Key)
		}
		if r.New == nil {
			continue
		}
		value := ledger.Value{Encoded: r.New, Decoded: r.After}
		c.young[r.Key] = cached{value, r.height}
		c.bytes += cost(r.Key, value)
		if c.bytes > c.most/2 {
			c.turn()
		}
	}
}

// turn forgets the old half.
func (c *cache) turn() { c.old, c.young, c.bytes = c.young, map[string]cached{}, 0 }

// cost is about what an entry takes in memory: decoded, a value is some one and a half times as large as encoded.
func cost(key string, value ledger.Value) int {
	const perEntry = 160 // of the maps, and of headers
	return perEntry + len(key) + 5*len(value.Encoded)/2
}
