package store

import (
	"sync"
	"sync/atomic"

	"lockstep/internal/ledger"
)

// cache keeps flushed values of the state in memory: those that recent flushes wrote, decoded, and those that the rules read from the disk,
// since a transaction is checked before a block executes it. It knows absent keys too. When it is full, it drops the oldest values, but those
// that the rules have used meanwhile get a second chance (the CLOCK algorithm).
//
// It serves readers of all heights: a value last changed at a height holds for every reader from that height on, unless a memtable of the
// reader has a newer one.
type cache struct {
	mu      sync.RWMutex
	most    int // bytes, by [cost]
	entries map[string]*cached
	written queue  // of flushes
	read    queue  // of readers, at most a third: a transaction that is refused costs nothing, and must not push out the values of blocks
	flushes uint64 // that have begun
}

// cached is an entry in a queue.
type cached struct {
	ledger.Value
	key             string
	height          uint64      // from which on it holds: of the block that wrote it, or a later one
	used            atomic.Bool // by the rules, since it came to the end of its queue
	in              *queue
	previous, after *cached
}

func newCache(most int) *cache {
	c := &cache{most: most, entries: map[string]*cached{}}
	c.written.init()
	c.read.init()
	return c
}

// get returns the value of a key at a height; false on a miss. A nil cache always misses. The value counts as used if the caller says so.
func (c *cache) get(key string, height uint64, uses bool) (ledger.Value, bool) {
	if c == nil {
		return ledger.Value{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := c.entries[key]
	if found == nil || found.height > height {
		return ledger.Value{}, false
	}
	if uses && !found.used.Load() { // one write for many readers: each would take the memory from the others
		found.used.Store(true)
	}
	return found.Value, true
}

// begun is the number of flushes whose changes were added, or are being added.
func (c *cache) begun() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.flushes
}

// keep adds a value that a reader found on the disk, unless a flush has begun since the reader was made: it may have changed the value.
// From the reader's base on the value holds until a memtable of a reader has another one.
func (c *cache) keep(key string, value ledger.Value, base, flushes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if flushes == c.flushes && c.entries[key] == nil {
		c.put(&c.read, key, value, base)
	}
}

// put adds or replaces the value of a key, and drops others if it must.
func (c *cache) put(in *queue, key string, value ledger.Value, height uint64) {
	entry := c.entries[key]
	if entry == nil {
		entry = &cached{key: key}
		c.entries[key] = entry
	} else {
		entry.leave()
	}
	entry.Value, entry.height = value, height
	in.add(entry)
	for c.read.bytes > c.most/3 {
		c.drop(&c.read)
	}
	for c.read.bytes+c.written.bytes > c.most {
		c.drop(&c.written)
	}
}

// follow adds the changes of a flushed memtable. Readers continue meanwhile.
func (c *cache) follow(m *memtable) {
	c.mu.Lock()
	c.flushes++
	c.mu.Unlock()
	m.portions(c.take)
}

// portions visits the newest revisions of all keys, a few at a time.
func (s *memtable) portions(visit func([]*revision)) {
	some, bytes := make([]*revision, 0, fewRevisions), 0
	for _, kind := range s.kinds { // any order: no key occurs twice
		for _, newest := range kind.newest {
			some, bytes = append(some, newest), bytes+len(newest.New)
			if len(some) == cap(some) || bytes > fewBytes {
				visit(some)
				some, bytes = some[:0], 0
			}
		}
	}
	visit(some)
}

// What is added under one lock is bounded, and so is what is dropped for it, so that readers don't wait long.
const (
	fewRevisions = 64
	fewBytes     = 64 << 10
	chances      = 64 // used entries that are passed over for one that is dropped
)

func (c *cache) take(revisions []*revision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range revisions {
		if r.New != nil {
			c.put(&c.written, r.Key, ledger.Value{Encoded: r.New, Decoded: r.After}, r.height)
		} else if entry := c.entries[r.Key]; entry != nil {
			c.forget(entry)
		}
	}
}

func (c *cache) forget(entry *cached) {
	entry.leave()
	delete(c.entries, entry.key)
}

// drop forgets the oldest entry of a queue that was not used. Those before it that were used go to the end, up to a number.
func (c *cache) drop(from *queue) {
	oldest := from.root.after
	for left := chances; left > 0 && oldest.used.Load(); left-- {
		oldest.leave()
		from.add(oldest)
		oldest = from.root.after
	}
	c.forget(oldest)
}

// queue is a ring of entries, the oldest after its root.
type queue struct {
	root  cached
	bytes int
}

func (q *queue) init() { q.root.previous, q.root.after = &q.root, &q.root }

// add puts an entry that is in no queue at the end.
func (q *queue) add(entry *cached) {
	last := q.root.previous
	entry.in, entry.previous, entry.after = q, last, &q.root
	last.after, q.root.previous = entry, entry
	entry.used.Store(false)
	q.bytes += cost(entry.key, entry.Value)
}

// leave takes an entry out of its queue.
func (e *cached) leave() {
	e.previous.after, e.after.previous = e.after, e.previous
	e.in.bytes -= cost(e.key, e.Value)
}

// cost estimates the memory of an entry: a decoded value is about 1.5 times as large as its encoding.
func cost(key string, value ledger.Value) int {
	const perEntry = 160 // of the map, the queue and headers
	return perEntry + len(key) + 5*len(value.Encoded)/2
}
