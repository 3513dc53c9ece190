package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// maxMemtableAge is the age at which a memtable is flushed. The index asks for snapshots, which flush it sooner.
const maxMemtableAge = 3 * time.Second

// memtable holds the changes of consecutive blocks that are not on the disk yet. A flush writes it in one batch, so entries that were
// created and removed within it are never written: most outputs and half of the steps of a trade.
//
// It answers reads at the height of each of its blocks, also after it was flushed.
type memtable struct {
	base       uint64     // height before its first block
	partitions partitions // a flush writes to the last one
	began      time.Time  // when its first block was added

	mu       sync.RWMutex // guards the fields below: heads read while blocks are added
	bytes    int          // approximate memory in use
	kinds    map[byte]*revisions
	closed   map[types.TradeID]closing
	receipts map[types.TxID]*Receipt
	blocks   []*Block
	auctions []*ledger.Diff // of the blocks with auctions, matches or removed orders
	position position
}

// revisions are the changes of the keys of one kind.
type revisions struct {
	newest map[string]*revision
	least  string // lower bound of the keys: a scan of due entries below it skips the map
}

// revision is the change of one key in one block.
type revision struct {
	*ledger.Change
	height  uint64
	earlier *revision // of the same key in this memtable
}

// closing is a trade that ended in a block.
type closing struct {
	*types.Trade
	height uint64
	leaf   uint64 // of the log of outcomes
}

func newMemtable(base uint64, partitions partitions) *memtable {
	return &memtable{
		base: base, partitions: partitions, kinds: map[byte]*revisions{}, closed: map[types.TradeID]closing{}, receipts: map[types.TxID]*Receipt{},
	}
}

// add appends a block.
func (s *memtable) add(b *Staged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blocks) == 0 {
		s.began = time.Now()
	}
	s.blocks, s.position = append(s.blocks, b.block), b.position
	height, changes := b.block.Height, b.diff.Changes
	room := make([]revision, len(changes))
	for i := range changes {
		room[i] = revision{Change: &changes[i], height: height}
		s.revise(&room[i])
		s.bytes += cost(changes[i].Key, ledger.Value{Encoded: changes[i].New})
	}
	for _, ended := range b.diff.Closed {
		s.closed[ended.ID] = closing{ended.Trade, height, b.outcomes.From.Size + uint64(ended.Leaf)}
	}
	for id, receipt := range b.receipts { // any order: entries are independent
		s.receipts[id] = receipt
	}
	if len(b.diff.Auctions)+len(b.diff.Matched)+len(b.diff.Departed) > 0 {
		s.auctions = append(s.auctions, b.diff)
	}
	const perEvent, perTx = 256, 128
	s.bytes += perEvent*len(b.block.Events) + perTx*len(b.block.Txs)
}

func (s *memtable) revise(r *revision) {
	kind := s.kinds[r.Key[0]]
	if kind == nil {
		kind = &revisions{newest: map[string]*revision{}, least: r.Key}
		s.kinds[r.Key[0]] = kind
	}
	r.earlier = kind.newest[r.Key]
	kind.newest[r.Key] = r
	kind.least = min(kind.least, r.Key)
}

// due reports whether the memtable is full, at most bytes, or too old.
func (s *memtable) due(most int) bool {
	return s.bytes > most || len(s.blocks) > 0 && time.Since(s.began) > maxMemtableAge
}

// get returns the value of a key at a height; false when no block of the memtable up to that height changed the key.
func (s *memtable) get(key string, height uint64) (ledger.Value, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	kind := s.kinds[key[0]]
	if kind == nil {
		return ledger.Value{}, false
	}
	return kind.newest[key].at(height)
}

func (r *revision) at(height uint64) (ledger.Value, bool) {
	for ; r != nil; r = r.earlier {
		if r.height <= height {
			return ledger.Value{Encoded: r.New, Decoded: r.After}, true
		}
	}
	return ledger.Value{}, false
}

// stored is an entry of the state. An empty value marks a removed key.
type stored struct {
	key   string
	value ledger.Value
}

// within returns the changed entries in a range of keys of one kind at a height, in key order.
func (s *memtable) within(from, to string, height uint64) (entries []stored) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	kind := s.kinds[from[0]]
	if kind == nil || to <= kind.least {
		return nil
	}
	for key, newest := range kind.newest { // any order: sorted below
		if key < from || key >= to {
			continue
		}
		if value, changed := newest.at(height); changed {
			entries = append(entries, stored{key, value})
		}
	}
	slices.SortFunc(entries, func(a, b stored) int { return strings.Compare(a.key, b.key) })
	return entries
}

// ended returns a trade that ended at or below a height.
func (s *memtable) ended(id types.TradeID, height uint64) (closing, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ended, ok := s.closed[id]
	return ended, ok && ended.height <= height
}

func (s *memtable) receipt(id types.TxID) *Receipt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.receipts[id]
}

func (s *memtable) block(height uint64) *Block {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if height <= s.base || height > s.base+uint64(len(s.blocks)) {
		return nil
	}
	return s.blocks[height-s.base-1]
}

// write flushes the immutable memtable to the disk, all of it or nothing: its net changes, with the sums of the state after them. It returns the number
// of entries added to the last partition.
func (s *memtable) write(db *pebble.DB, changes []ledger.Change, sums sums, known *knownBalances) (kept uint64, err error) {
	w := &writer{partitions: s.partitions, balances: balances{}, known: known}
	if err = errors.Join(s.fill(w, changes, sums), w.writeBalances(db)); err == nil {
		err = w.commit(db, pebble.Sync)
	}
	return w.kept, err
}

// fill writes all changes to the batch, in any order: no key occurs twice.
func (s *memtable) fill(w *writer, changes []ledger.Change, sums sums) error {
	for i := range changes {
		w.change(&changes[i])
	}
	for id, ended := range s.closed {
		w.end(id, ended, !s.hadTrade(id))
	}
	for id, receipt := range s.receipts {
		w.receipt(id, receipt)
	}
	for _, diff := range s.auctions {
		w.archiveAuctions(diff)
	}
	if err := w.writeBlocks(s.blocks); err != nil {
		return err
	}
	written := s.partitions
	written.kept += w.kept
	end := flushed{s.position, sums}
	w.set(partitionsKey(), types.Encode(&written))
	w.set(positionKey(), end.encode())
	return nil
}

// net returns the changes of all blocks together, one for a key, in any order. A key whose value is as before the memtable has none.
func (s *memtable) net() []ledger.Change {
	count := 0
	for _, kind := range s.kinds {
		count += len(kind.newest)
	}
	changes := make([]ledger.Change, 0, count)
	for _, kind := range s.kinds {
		for _, newest := range kind.newest {
			if change := newest.net(); !bytes.Equal(change.Old, change.New) {
				changes = append(changes, change)
			}
		}
	}
	return changes
}

// hadTrade reports whether a trade that ended in the memtable was in the state before it.
func (s *memtable) hadTrade(id types.TradeID) bool {
	key := ledgerTrade(id)
	kind := s.kinds[key[0]]
	if kind == nil || kind.newest[key] == nil { // it began and ended within a block
		return false
	}
	_, had := kind.newest[key].net().Before.(*types.Trade)
	return had
}

// net merges the revisions of a key into one change.
func (r *revision) net() ledger.Change {
	first := r
	for first.earlier != nil {
		first = first.earlier
	}
	return ledger.Change{Key: r.Key, Old: first.Old, Before: first.Before, New: r.New, After: r.After}
}
