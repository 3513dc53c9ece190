package store

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// Staged is a block that is ready to be committed.
type Staged struct {
	store    *Store
	block    *Block
	diff     *ledger.Diff
	receipts map[types.TxID]*Receipt
	position position
	outcomes *outcomes.Batch
}

// Stage computes the commitment of a block. It changes nothing, so a block that is not decided leaves nothing behind: [Staged.Commit] does. The block must follow the last one, and its diff must
// have been made on [Store.StateReader].
func (s *Store) Stage(executed Executed) (*Staged, error) {
	s.mu.RLock()
	before, commitment := s.position, s.commitment
	s.mu.RUnlock()
	clock := executed.Diff.Clock
	if clock.Height != before.height+1 {
		return nil, fmt.Errorf("store: block %d can't follow block %d", clock.Height, before.height)
	}
	checkpoint, err := s.entering(clock.Height)
	if err != nil {
		return nil, err
	}
	batch, err := extend(before.log, executed.Diff.Leaves)
	if err != nil {
		return nil, fmt.Errorf("store: stage block %d: %w", clock.Height, err)
	}
	link := ledger.Link{Height: clock.Height, Before: commitment, Changes: ledger.HashChanges(executed.Diff.Changes), Checkpoint: checkpoint}
	next := position{height: clock.Height, state: link.Hash(), log: batch.To}
	staged := &Staged{store: s, position: next, outcomes: batch, diff: &executed.Diff, block: &Block{
		Height: clock.Height, BlockTime: clock.BlockTime, Clock: clock.Now(), Txs: executed.Txs, Events: executed.Diff.Events,
		Commitment: next.commitment(), State: next.state, Changes: link.Changes, Checkpoint: checkpoint, Log: next.log.Head(),
		First: batch.From.Size, outcomes: executed.Diff.Outcomes,
	}}
	if err := staged.giveReceipts(); err != nil {
		return nil, fmt.Errorf("store: stage block %d: %w", clock.Height, err)
	}
	return staged, nil
}

// entering returns the hash of the checkpoint that enters the commitment of the block at a height; zero when none does. It waits until the sum is
// computed.
func (s *Store) entering(height uint64) (types.Hash, error) {
	at := s.checkpoints.Entering(height)
	if at == 0 {
		return types.Hash{}, nil
	}
	if last := s.lastCheckpoint(); last.height == at {
		return last.hash, nil
	}
	s.flushing.Wait() // the flush of the checkpoint's memtable began at its commit
	last := s.lastCheckpoint()
	if last.height != at {
		return types.Hash{}, errors.Join(s.failure(), fmt.Errorf("store: the state of block %d is not summed, which block %d needs; the last sum is of block %d", at, height, last.height))
	}
	return last.hash, nil
}

func (s *Store) lastCheckpoint() checkpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sums.checkpoint
}

// failure returns why commits are refused, if they are.
func (s *Store) failure() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.failed
}

// accumulate adds changes to a sum on half of the cores, and so leaves the others to the next blocks. The sum does not depend on the order of changes.
func accumulate(sum *ledger.Accumulator, changes []ledger.Change) {
	parts := make([]ledger.Accumulator, (runtime.GOMAXPROCS(0)+1)/2)
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

// smallestShare is the number of changes from which a goroutine pays.
const smallestShare = 64

// giveReceipts sets the receipt of each transaction: its acceptance, else its latest refusal.
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
	for i := range b.diff.Leaves {
		if leaf := &b.diff.Leaves[i]; leaf.Part == 0 && leaf.Tx != (types.TxID{}) {
			receipt := b.receipts[leaf.Tx]
			if receipt == nil || receipt.Code != types.CodeOK {
				return fmt.Errorf("leaf %d is of transaction %s, which the block does not accept", i, leaf.Tx)
			}
			receipt.Leaf = b.outcomes.From.Size + uint64(i)
		}
	}
	return nil
}

// Block is the record of the block.
func (b *Staged) Block() *Block { return b.block }

// Commit makes the block the last one, visible to every reader. It reaches the disk within some seconds, or with [Store.Flush]. After a
// crash before that, the caller commits it again: the engine keeps its blocks.
func (b *Staged) Commit() error {
	s := b.store
	if err := s.follows(b); err != nil {
		return err
	}
	if err := s.log.Append(b.outcomes); err != nil { // before any reader can know the block
		return s.fail(fmt.Errorf("store: write the outcomes of block %d: %w", b.block.Height, disk.Explain(s.dir, err)))
	}
	s.mu.Lock()
	s.active.add(b)
	s.position, s.commitment = b.position, b.block.Commitment
	if b.diff.Governance != nil {
		s.governance = b.diff.Governance
	}
	due := s.checkpoints.At(b.block.Height) || s.active.due(s.memory.memtable())
	s.mu.Unlock()
	s.follow(b)
	var captured *capture
	if s.wantsCapture(b.block) {
		s.beginCapture(b.block)
		captured = s.captures.current
	}
	if due {
		s.flushing.Wait() // for the flush before: memory is bounded
		s.writing.Lock()
		s.seal() // now, so that the memtable ends with this block: its sum is that of the checkpoint
		s.flushing.Go(func() {
			defer s.writing.Unlock()
			_, err := s.writeSealed() // the next commit returns the error
			captured.pin(s, err)
		})
	}
	return nil
}

// follows reports whether a block can be committed: it follows the last one, and no write has failed.
func (s *Store) follows(b *Staged) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = s.guard.state()
	}
	if s.failed != nil {
		return s.failed
	}
	if b.block.Height != s.position.height+1 {
		return fmt.Errorf("store: block %d was staged before block %d was committed", b.block.Height, s.position.height)
	}
	return nil
}

// fail makes a failure the store's, if it is the first: commits are refused from then on.
func (s *Store) fail(failure error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = failure
	}
	return s.failed
}

// Flush writes all committed blocks to the disk and syncs.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.flush()
	return err
}

// flush returns the memtable that it wrote, nil when there was none. The caller holds s.writing, so that flushes run in order.
func (s *Store) flush() (*memtable, error) {
	s.seal()
	return s.writeSealed()
}

// seal makes the active memtable the immutable one, which the caller writes next. The caller holds s.writing.
func (s *Store) seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil && len(s.active.blocks) > 0 {
		s.partitions = s.partitions.next(s.position.height + 1)
		s.immutable, s.active = s.active, newMemtable(s.position.height, s.partitions)
	}
}

// writeSealed writes the immutable memtable and returns it, nil when there is none. The caller holds s.writing.
func (s *Store) writeSealed() (*memtable, error) {
	s.mu.RLock()
	immutable, failed, sums := s.immutable, s.failed, s.sums
	s.mu.RUnlock()
	if failed != nil || immutable == nil {
		return nil, failed
	}
	var kept uint64
	err := s.guard.call(func() (err error) {
		changes := immutable.net()
		accumulate(&sums.state, changes)
		if height := immutable.position.height; s.checkpoints.At(height) {
			sums.checkpoint = checkpoint{height, sums.state.StateHash(height, &s.params)}
		}
		if err = s.log.Sync(); err == nil { // the batch names leaves up to its position
			kept, err = immutable.write(s.db, changes, sums, s.balances)
		}
		return err
	})
	if err == nil {
		s.cache.follow(immutable)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // the memtable stays in memory, so that readers still see it
		s.failed = fmt.Errorf("store: write blocks %d to %d: %w", immutable.base+1, immutable.position.height, disk.Explain(s.dir, err))
		return nil, s.failed
	}
	s.immutable, s.partitions.kept, s.sums = nil, s.partitions.kept+kept, sums
	s.pack(immutable.position.log)
	return immutable, nil
}

// unwritten returns the memtables that are not on the disk, newest first. The caller holds s.mu.
func (s *Store) unwritten() []*memtable {
	if s.immutable == nil {
		return []*memtable{s.active}
	}
	return []*memtable{s.active, s.immutable}
}
