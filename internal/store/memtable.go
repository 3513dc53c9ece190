package store

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// stretchTime is how old a stretch becomes before it is written, when nobody asks for a snapshot: the index does sooner.
const stretchTime = 3 * time.Second

// stretch is what a run of blocks has done that is not on the disk yet. It is written in one batch, so that what came and
// went within it never is: most outputs and half of the steps of a trade.
//
// It answers for every height of its blocks, and goes on to when it has been written.
type stretch struct {
	base   uint64    // height before its first block
	epochs epochs    // it is written in the last of them
	began  time.Time // when its first block came

	mu       sync.RWMutex // guards what follows: tips read it while blocks are added
	bytes    int          // about what it takes in memory
	kinds    map[byte]*revisions
	closed   map[types.TradeID]closing
	receipts map[types.TxID]*Receipt
	blocks   []*Block
	auctions []*ledger.Diff // of the blocks that did anything of any
	head     head
}

// revisions are the changes of the keys of one kind.
type revisions struct {
	newest map[string]*revision
	least  string // no key is less: saves a look at all of them for what is due, which mostly is on the disk
}

// revision is what one block did to one key.
type revision struct {
	*ledger.Change
	height  uint64
	earlier *revision // of the same key, in this stretch
}

// closing is a trade that a block has ended.
type closing struct {
	*types.Trade
	height uint64
}

func newStretch(base uint64, epochs epochs) *stretch {
	return &stretch{
		base: base, epochs: epochs, kinds: map[byte]*revisions{}, closed: map[types.TradeID]closing{}, receipts: map[types.TxID]*Receipt{},
	}
}

// add takes in a block.
func (s *stretch) add(b *Staged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blocks) == 0 {
		s.began = time.Now()
	}
	s.blocks, s.head = append(s.blocks, b.block), b.head
	height, changes := b.block.Height, b.diff.Changes
	room := make([]revision, len(changes))
	for i := range changes {
		room[i] = revision{Change: &changes[i], height: height}
		s.revise(&room[i])
		s.bytes += cost(changes[i].Key, ledger.Value{Encoded: changes[i].New})
	}
	for _, ended := range b.diff.Closed {
		s.closed[ended.ID] = closing{ended.Trade, height}
	}
	for id, receipt := range b.receipts { // any order: each by itself
		s.receipts[id] = receipt
	}
	if len(b.diff.Auctions)+len(b.diff.Matched)+len(b.diff.Left) > 0 {
		s.auctions = append(s.auctions, b.diff)
	}
	const perEvent, perTx = 256, 128
	s.bytes += perEvent*len(b.block.Events) + perTx*len(b.block.Txs)
}

func (s *stretch) revise(r *revision) {
	kind := s.kinds[r.Key[0]]
	if kind == nil {
		kind = &revisions{newest: map[string]*revision{}, least: r.Key}
		s.kinds[r.Key[0]] = kind
	}
	r.earlier = kind.newest[r.Key]
	kind.newest[r.Key] = r
	kind.least = min(kind.least, r.Key)
}

// due reports whether the stretch is to be written, when it may hold so many bytes.
func (s *stretch) due(most int) bool {
	return s.bytes > most || len(s.blocks) > 0 && time.Since(s.began) > stretchTime
}

// get returns what stood under a key at a height; false when no block up to there has changed it.
func (s *stretch) get(key string, height uint64) (ledger.Value, bool) {
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

// stored is an entry of the state; without a value it is gone.
type stored struct {
	key   string
	value ledger.Value
}

// within returns what was changed in a range of keys of one kind, in order, as it stood at a height.
func (s *stretch) within(from, to string, height uint64) (entries []stored) {
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

// trade returns a trade that had ended by a height.
func (s *stretch) trade(id types.TradeID, height uint64) *types.Trade {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ended, ok := s.closed[id]; ok && ended.height <= height {
		return ended.Trade
	}
	return nil
}

func (s *stretch) receipt(id types.TxID) *Receipt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.receipts[id]
}

func (s *stretch) block(height uint64) *Block {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if height <= s.base || height > s.base+uint64(len(s.blocks)) {
		return nil
	}
	return s.blocks[height-s.base-1]
}

// write puts the stretch, to which nothing is added any more, on the disk: all of it or nothing. It returns how many entries that
// added to the last epoch.
func (s *stretch) write(db *pebble.DB) (kept uint64, err error) {
	batch := db.NewBatchWithSize(s.bytes / 2)
	w := &writer{batch: batch, epoch: s.epochs.last(), balances: map[holding]*Balance{}}
	if err = errors.Join(s.fill(w), w.writeBalances(db)); err == nil {
		err = batch.Commit(pebble.Sync)
	}
	return w.kept, errors.Join(err, batch.Close())
}

// fill writes in any order: no key is written twice.
func (s *stretch) fill(w *writer) error {
	for _, kind := range s.kinds {
		for _, newest := range kind.newest {
			if err := w.change(newest.net()); err != nil {
				return err
			}
		}
	}
	for id, ended := range s.closed {
		if err := w.archive(id, ended, s.base); err != nil {
			return err
		}
	}
	for id, receipt := range s.receipts {
		if err := w.receipt(id, receipt); err != nil {
			return err
		}
	}
	for _, diff := range s.auctions {
		if err := w.archiveAuctions(diff); err != nil {
			return err
		}
	}
	for _, block := range s.blocks {
		if err := w.block(block); err != nil {
			return err
		}
	}
	written := s.epochs
	written.kept += w.kept
	return errors.Join(w.batch.Set(epochsKey(), types.Encode(&written), nil), w.batch.Set(headKey(), s.head.encode(), nil))
}

// net is what the stretch as a whole did to a key.
func (r *revision) net() ledger.Change {
	first := r
	for first.earlier != nil {
		first = first.earlier
	}
	return ledger.Change{Key: r.Key, Old: first.Old, Before: first.Before, New: r.New, After: r.After}
}
