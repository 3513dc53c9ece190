package store

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/ledger"
	"lockstep/types"
)

// Staged is a block that is ready to be written.
type Staged struct {
	store   *Store
	batch   *pebble.Batch
	block   *Block
	head    head
	changes []ledger.Change
}

// Stage computes what a block commits to and prepares its batch; nothing is written before [Staged.Commit]. The block must
// be the one after the last, and its diff must have been made on [Store.View].
func (s *Store) Stage(executed Executed) (*Staged, error) {
	s.mu.RLock()
	next, likely := s.head, s.batchBytes
	s.mu.RUnlock()
	clock := executed.Diff.Clock
	if clock.Height != next.height+1 {
		return nil, fmt.Errorf("store: block %d can't follow block %d", clock.Height, next.height)
	}
	next.height = clock.Height
	accumulate(&next.accumulator, executed.Diff.Changes)
	staged := &Staged{store: s, batch: s.db.NewBatchWithSize(likely), head: next, changes: executed.Diff.Changes, block: &Block{
		Height: clock.Height, BlockTime: clock.BlockTime, Clock: clock.Now(),
		Commitment: next.accumulator.Commitment(clock.Height, &s.params),
		Txs:        executed.Txs, Events: executed.Diff.Events,
	}}
	if err := staged.fill(&executed.Diff); err != nil {
		return nil, errors.Join(fmt.Errorf("store: stage block %d: %w", clock.Height, err), staged.Discard())
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

// Block is the record of the block.
func (b *Staged) Block() *Block { return b.block }

// Discard gives a block up that is not to be written after all.
func (b *Staged) Discard() error { return b.batch.Close() }

// Commit writes the block. When it returns nil the block is on the disk, whole.
func (b *Staged) Commit() error {
	s := b.store
	if err := b.batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("store: write block %d: %w", b.block.Height, err)
	}
	s.cache.follow(b.block.Height, b.changes)
	s.mu.Lock()
	s.head, s.commitment, s.batchBytes = b.head, b.block.Commitment, b.batch.Len()
	s.mu.Unlock()
	return b.batch.Close()
}

func (b *Staged) fill(diff *ledger.Diff) error {
	for _, change := range diff.Changes {
		if err := b.setState(change); err != nil {
			return err
		}
		if err := b.deriveCoins(change); err != nil {
			return err
		}
		if err := b.deriveTrades(change); err != nil {
			return err
		}
	}
	for _, closed := range diff.Closed {
		if err := b.archive(closed); err != nil {
			return err
		}
	}
	if err := b.archiveAuctions(diff); err != nil {
		return err
	}
	if err := b.putReceipts(); err != nil {
		return err
	}
	encoded, err := encodeBlock(b.block)
	if err != nil {
		return err
	}
	return errors.Join(
		b.batch.Set(blockKey(b.block.Height), encoded, nil),
		b.batch.Set(headKey(), b.head.encode(), nil),
	)
}

func (b *Staged) setState(change ledger.Change) error {
	if change.New == nil {
		return b.batch.Delete(stateKey(change.Key), nil)
	}
	return b.batch.Set(stateKey(change.Key), change.New, nil)
}

// deriveCoins keeps the outputs of a key in step with the outputs of the state.
func (b *Staged) deriveCoins(change ledger.Change) error {
	if owner, ok := coinOwner(change.Before); ok {
		if err := b.batch.Delete(coinKey(owner, outpointOf(change.Key)), nil); err != nil {
			return err
		}
	}
	if owner, ok := coinOwner(change.After); ok {
		return b.batch.Set(coinKey(owner, outpointOf(change.Key)), change.New, nil)
	}
	return nil
}

// coinOwner tells whose an output is when it is locked to a key.
func coinOwner(value any) (owner types.PublicKey, ok bool) {
	output, ok := value.(*types.Output)
	if !ok {
		return owner, false
	}
	lock, ok := output.Lock.(*types.KeyLock)
	if !ok {
		return owner, false
	}
	return lock.Key, true
}

// deriveTrades keeps the trades of a party in step with those that come into the state and leave it.
func (b *Staged) deriveTrades(change ledger.Change) error {
	before, was := change.Before.(*types.Trade)
	after, is := change.After.(*types.Trade)
	switch {
	case is && !was:
		id := tradeOf(change.Key)
		return errors.Join(b.indexParties(prefixParty, id, after), b.indexParties(prefixOpen, id, after))
	case was && !is:
		id := tradeOf(change.Key)
		return errors.Join(
			b.batch.Delete(partyKey(prefixOpen, before.Agreement.Producer, before.Height, id), nil),
			b.batch.Delete(partyKey(prefixOpen, before.Agreement.Consumer, before.Height, id), nil),
		)
	}
	return nil
}

func (b *Staged) indexParties(keyspace byte, id types.TradeID, trade *types.Trade) error {
	return errors.Join(
		b.batch.Set(partyKey(keyspace, trade.Agreement.Producer, trade.Height, id), nil, nil),
		b.batch.Set(partyKey(keyspace, trade.Agreement.Consumer, trade.Height, id), nil, nil),
	)
}

// archive keeps a trade that leaves the state. One that began in this block was never in the state, so it is put under
// its parties here.
func (b *Staged) archive(closed ledger.Closed) error {
	if err := b.batch.Set(archiveKey(closed.ID), types.Encode(closed.Trade), nil); err != nil {
		return err
	}
	if closed.Trade.Height != b.block.Height {
		return nil
	}
	return b.indexParties(prefixParty, closed.ID, closed.Trade)
}

// putReceipts keeps for each transaction the receipt that counts: the acceptance, else the latest refusal.
func (b *Staged) putReceipts() error {
	accepted := map[types.TxID]bool{}
	for index, tx := range b.block.Txs {
		if tx.Code != types.CodeOK {
			before, err := receipt(b.store.db, tx.ID)
			if err != nil {
				return err
			}
			if accepted[tx.ID] || before != nil && before.Code == types.CodeOK {
				continue
			}
		}
		accepted[tx.ID] = tx.Code == types.CodeOK
		entry := Receipt{Height: b.block.Height, Index: uint32(index), Code: tx.Code, Detail: tx.Detail}
		if err := b.batch.Set(txKey(tx.ID), types.Encode(&entry), nil); err != nil {
			return err
		}
	}
	return nil
}

func receipt(reader pebble.Reader, id types.TxID) (*Receipt, error) {
	encoded, err := get(reader, txKey(id))
	if encoded == nil || err != nil {
		return nil, err
	}
	found := new(Receipt)
	return found, types.Decode(encoded, found)
}
