package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/internal/snapshot"
	"lockstep/types"
)

// Restore fills an empty store from a snapshot. Until [Restore.Finish] the store stays at height 0, and a start after a crash empties it.
type Restore struct {
	store  *Store
	head   *snapshot.Head
	state  types.Hash // of the last block
	reader snapshot.Reader
	sum    ledger.Accumulator
	kept   uint64
	blocks int
}

// Restore begins to fill the store from a snapshot. It checks the head against the app hash of the snapshot's last block, which the caller trusts.
func (s *Store) Restore(head *snapshot.Head, trusted types.Hash) (*Restore, error) {
	if height := s.Height(); height > s.Base() {
		return nil, fmt.Errorf("the store is at block %d: only an empty one takes a snapshot", height)
	}
	state, err := head.Check(s.checkpoints, trusted)
	if err != nil {
		return nil, err
	}
	if err = s.reset(); err == nil { // it may have a snapshot that the engine has lost in a crash
		err = s.guard.call(func() error { return s.db.Set(restoringKey(), nil, pebble.Sync) })
	}
	if err != nil {
		return nil, fmt.Errorf("begin to take the snapshot: %w", disk.Explain(s.dir, err))
	}
	r := &Restore{store: s, head: head, state: state}
	r.reader = snapshot.Reader{State: r.addState, Ended: r.endState, Block: r.addBlock}
	return r, nil
}

// Add takes the next piece of the snapshot. An error of code [types.CodeUnavailable] is the disk's; any other means that the snapshot is not that of the ledger.
func (r *Restore) Add(piece []byte) error { return r.reader.Add(piece) }

// addState adds entries of the state at the checkpoint.
func (r *Restore) addState(entries []ledger.Change) (err error) {
	accumulate(&r.sum, entries)
	return r.write(entries)
}

// write writes changes, and derives from them.
func (r *Restore) write(changes []ledger.Change) (err error) {
	for i := range changes {
		change := &changes[i]
		if change.Before, err = ledger.DecodeValue(change.Key, change.Old); err == nil {
			change.After, err = ledger.DecodeValue(change.Key, change.New)
		}
		if err != nil {
			return err
		}
	}
	var odd error // of the entries, not of the disk
	err = r.store.guard.call(func() (err error) {
		defer func() {
			if p := recover(); p != nil { // a key of another form than the rules write
				odd = fmt.Errorf("an entry can't be read: %v", p)
			}
		}()
		w := &writer{partitions: newPartitions(), balances: balances{}, known: newKnownBalances(r.store.memory.balances())}
		for i := range changes {
			w.change(&changes[i])
			w.forget(&changes[i])
		}
		r.kept += w.kept
		if err := w.writeBalances(r.store.db); err != nil {
			return err
		}
		return w.commit(r.store.db, pebble.NoSync)
	})
	if odd != nil {
		return odd
	}
	if err != nil {
		return types.Refuse(types.CodeUnavailable, "the snapshot can't be written: %v", disk.Explain(r.store.dir, err))
	}
	return nil
}

// forget removes the lists of a trade that ends in a block whose history a restored store does not have.
func (w *writer) forget(change *ledger.Change) {
	before, was := change.Before.(*types.Trade)
	if _, is := change.After.(*types.Trade); !was || is {
		return
	}
	for _, party := range parties(before) {
		w.remove(listed(partyPrefix(w.partitions.of(before.Height), party), before.Height, tradeOf(change.Key)))
	}
}

// endState compares the whole state at the checkpoint with the ledger's sum.
func (r *Restore) endState() error {
	if got := r.sum.StateHash(r.head.Height, &r.store.params); got != r.head.Checkpoint {
		return fmt.Errorf("the entries of the snapshot have the sum %s, and block %d has %s", got, r.head.Last(), r.head.Checkpoint)
	}
	return nil
}

// addBlock adds the changes of the next block behind the checkpoint.
func (r *Restore) addBlock(changes []ledger.Change) error {
	if r.blocks == len(r.head.Links) {
		return fmt.Errorf("the snapshot has more than %d blocks behind its checkpoint", len(r.head.Links))
	}
	if got, want := ledger.HashChanges(changes), r.head.Links[r.blocks].Changes; got != want {
		return fmt.Errorf("the changes of block %d in the snapshot have the hash %s, and the ledger's %s", r.head.Height+uint64(r.blocks)+1, got, want)
	}
	r.blocks++
	accumulate(&r.sum, changes)
	return r.write(changes)
}

// Finish makes the snapshot's last block that of the store. From there on it has history.
func (r *Restore) Finish() error {
	if err := r.reader.Finish(len(r.head.Links)); err != nil {
		return err
	}
	s := r.store
	end := flushed{
		position: position{height: r.head.Last(), state: r.state, log: r.head.End},
		sums:     sums{state: r.sum, checkpoint: checkpoint{r.head.Height, r.head.Checkpoint}},
	}
	partitions := newPartitions()
	partitions.kept = r.kept
	kept := history{base: end.height, commitment: end.commitment(), mark: end.log, start: outcomes.Start{First: end.log.Size, Joined: end.log}}
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.guard.call(func() (err error) {
		if err := s.log.Join(end.log); err != nil {
			return err
		}
		batch := s.db.NewBatch()
		defer func() { err = errors.Join(err, batch.Close()) }()
		return errors.Join(
			batch.Set(partitionsKey(), types.Encode(&partitions), nil), batch.Set(historyKey(), types.Encode(&kept), nil),
			batch.Set(positionKey(), end.encode(), nil), batch.Delete(restoringKey(), nil), batch.Commit(pebble.Sync),
		)
	})
	if err != nil {
		return s.fail(fmt.Errorf("store: end the snapshot: %w", disk.Explain(s.dir, err)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loadPosition()
}

// Abort empties the store again.
func (r *Restore) Abort() error { return r.store.reset() }

// reset empties a store without history.
func (s *Store) reset() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.guard.call(func() error { return errors.Join(s.empty(), s.log.Join(outcomes.Mark{})) })
	if err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loadPosition()
}

// empty removes all but the format and the parameters.
func (s *Store) empty() error {
	batch := s.db.NewBatch()
	err := errors.Join(
		batch.DeleteRange([]byte{0}, []byte{prefixMeta}, nil), batch.DeleteRange([]byte{prefixMeta + 1}, []byte{0xff}, nil),
		batch.Delete(positionKey(), nil), batch.Delete(partitionsKey(), nil), batch.Delete(historyKey(), nil), batch.Delete(restoringKey(), nil),
		batch.Commit(pebble.Sync),
	)
	return errors.Join(err, batch.Close())
}

// undoRestore empties a store whose restore was cut off.
func (s *Store) undoRestore() error {
	cutOff, err := get(s.db, restoringKey())
	if cutOff == nil || err != nil {
		return err
	}
	return s.empty()
}
