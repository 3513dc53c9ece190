package store

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/types"
)

// Staged is a block that is ready to be committed.
type Staged struct {
	store    *Store
	block    *Block
	diff     *ledger.Diff
	receipts map[types.TxID]*Receipt
	head     head
}

// Stage computes what a block commits to; nothing has happened before [Staged.Commit]. The block must be the one after the
// last, and its diff must have been made on [Store.View].
func (s *Store) Stage(executed Executed) (*Staged, error) {
	s.mu.RLock()
	next := s.head
	s.mu.RUnlock()
	clock := executed.Diff.Clock
	if clock.Height != next.height+1 {
		return nil, fmt.Errorf("store: block %d can't follow block %d", clock.Height, next.height)
	}
	next.height = clock.Height
	accumulate(&next.accumulator, executed.Diff.Changes)
	staged := &Staged{store: s, head: next, diff: &executed.Diff, block: &Block{
		Height: clock.Height, BlockTime: clock.BlockTime, Clock: clock.Now(),
		Commitment: next.accumulator.Commitment(clock.Height, &s.params),
		Txs:        executed.Txs, Events: executed.Diff.Events,
	}}
	if err := staged.giveReceipts(); err != nil {
		return nil, fmt.Errorf("store: stage block %d: %w", clock.Height, err)
	}
	return staged, nil
}

// accumulate shares the changes of a block out among all cores; the sum is the same however they are shared.
func accumulate(sum *ledger.Accumulator, changes []ledger.Change) {
	parts := make([]ledger.Accumulator, runtime.GOMAXPROCS(0))
	share := max((len(changes)+len(parts)-1)/len(parts), smallestShare)
	var running sync.WaitGroup
	for i, part := range slices.Collect(slices.Chunk(changes, share)) {
		running.Go(func() { parts[i].Apply(part) })
	}
	running.Wait()
	for i := range parts {
		sum.Merge(&parts[i])
	}
}

// smallestShare of changes is worth a goroutine.
const smallestShare = 64

// giveReceipts finds for each transaction the receipt that counts: the acceptance, else the latest refusal.
func (b *Staged) giveReceipts() error {
	b.receipts = make(map[types.TxID]*Receipt, len(b.block.Txs))
	for index, tx := range b.block.Txs {
		if tx.Code != types.CodeOK {
			before, err := b.store.Receipt(tx.ID)
			if err != nil {
				return err
			}
			if again := b.receipts[tx.ID]; again != nil {
				before = again
			}
			if before != nil && before.Code == types.CodeOK {
				continue
			}
		}
		b.receipts[tx.ID] = b.block.receipt(index)
	}
	return nil
}

// Block is the record of the block.
func (b *Staged) Block() *Block { return b.block }

// Commit makes the block the last one, which every reader sees from now on. It is on the disk within some seconds, or
// after [Store.Flush]; until then it is the caller's to do again after a crash, as the engine does, which keeps its blocks.
func (b *Staged) Commit() error {
	s := b.store
	s.mu.Lock()
	if s.failed == nil {
		s.failed = s.guard.state()
	}
	if s.failed != nil {
		defer s.mu.Unlock()
		return s.failed
	}
	if b.block.Height != s.head.height+1 {
		defer s.mu.Unlock()
		return fmt.Errorf("store: block %d was staged before block %d was committed", b.block.Height, s.head.height)
	}
	s.recent.add(b)
	s.head, s.commitment = b.head, b.block.Commitment
	due := s.recent.due(s.memory.stretch())
	s.mu.Unlock()
	if due {
		s.flushing.Wait() // for an earlier one: memory is bounded
		s.flushing.Go(func() { _ = s.Flush() /* the next commit returns what went wrong */ })
	}
	return nil
}

// Flush writes all that is committed to the disk. When it returns nil it is there.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.flush()
	return err
}

// flush returns what it has written, nil when there was nothing. The caller holds s.writing: one writes at a time, in order.
func (s *Store) flush() (*stretch, error) {
	s.mu.Lock()
	if s.failed == nil && len(s.recent.blocks) > 0 {
		s.epochs = s.epochs.next(s.head.height + 1)
		s.older, s.recent = s.recent, newStretch(s.head.height, s.epochs)
	}
	older, failed := s.older, s.failed
	s.mu.Unlock()
	if failed != nil || older == nil {
		return nil, failed
	}
	var kept uint64
	err := s.guard.call(func() (err error) {
		kept, err = older.write(s.db)
		return err
	})
	if err == nil {
		s.cache.follow(older)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // what is not written stays in memory, so that all readers go on to see it
		s.failed = fmt.Errorf("store: write blocks %d to %d: %w", older.base+1, older.head.height, disk.Explain(s.dir, err))
		return nil, s.failed
	}
	s.older, s.epochs.kept = nil, s.epochs.kept+kept
	return older, nil
}

// unwritten returns what is not on the disk, newest first. The caller holds s.mu.
func (s *Store) unwritten() []*stretch {
	if s.older == nil {
		return []*stretch{s.recent}
	}
	return []*stretch{s.recent, s.older}
}
