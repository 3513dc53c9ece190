package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
	"lockstep/types/canon"
)

// history is which blocks and outcomes the store keeps.
type history struct {
	base       uint64         // the last block of which nothing is kept
	commitment types.Hash     // the app hash of that block
	mark       outcomes.Mark  // where that block leaves the log of outcomes
	start      outcomes.Start // where the files of the log begin: whole segments are removed
}

// Fields is the stored form, see [canon.Value].
func (h *history) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "base", &h.base)
	c.Bytes("commitment", h.commitment[:])
	canon.Part(c, "mark", &h.mark, (*outcomes.Mark).Fields)
	canon.Part(c, "start", &h.start, (*outcomes.Start).Fields)
}

func readHistory(reader pebble.Reader, params *types.Params) (h history, err error) {
	encoded, err := get(reader, historyKey())
	if encoded == nil || err != nil {
		none := begin(params)
		return history{base: none.height, commitment: none.commitment()}, err
	}
	if err := types.Decode(encoded, &h); err != nil {
		return h, err
	}
	if !h.mark.Valid() || h.start.First > h.mark.Size || h.base < params.Base() {
		err = errors.New("the begin of its history contradicts itself")
	}
	return h, err
}

// Base is the last block whose history the store does not keep: the height before the first block, [types.Params.Base], when it keeps all.
func (s *Store) Base() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.history.base
}

// First is the height of the ledger's first block: 1, unless it continues another ledger.
func (s *Store) First() uint64 { return s.params.Base() + 1 }

// Flushed is the last block on the disk. A store that is opened after a crash is there.
func (s *Store) Flushed() (uint64, error) {
	s.mu.RLock()
	leave, err := s.enter()
	s.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	defer leave()
	at, err := readFlushed(s.db, &s.params)
	return at.height, err
}

// pruned is the refusal to read a block that is not kept.
func pruned(height, base uint64, params *types.Params) error {
	if origin := params.Origin(); origin != nil && height <= origin.Height {
		return types.Refuse(types.CodePruned, "block %d is of ledger %q, which this one continues from block %d on: ask a node of that ledger", height, origin.ChainID, origin.Height+1)
	}
	return types.Refuse(types.CodePruned, "this node does not keep block %d: it keeps those from %d on; ask a node that keeps all (\"keep\": \"all\")", height, base+1)
}

// The bounds of one step of [Store.Prune].
const (
	prunedBlocks  = 1000
	prunedEntries = 20_000
)

// Prune removes the history of blocks up to a height, as far as it is on the disk: their records, receipts and auctions, the trades that they ended, and the segments of the log
// that lie wholly before. It does one step, of a bounded number of blocks and entries, and returns the last block without history. The hashes of the log stay.
// Only one goroutine may call it at a time.
func (s *Store) Prune(to uint64) (base uint64, err error) {
	s.mu.RLock()
	next, partitions, commitment := s.history, s.partitions, s.commitment
	leave, err := s.enter()
	s.mu.RUnlock()
	if err != nil {
		return next.base, err
	}
	defer leave()
	var step *pruning
	err = s.guard.call(func() (err error) {
		db := s.db.NewSnapshot()
		defer func() { err = errors.Join(err, db.Close()) }()
		at, err := readFlushed(db, &s.params)
		if err != nil || min(to, at.height) <= next.base {
			return err
		}
		state := stateReader{Reader: db, height: at.height}
		head := &Head{ledger.Reader{View: state}, state, db, partitions, commitment, at.log, s.log, nil, 0, types.Hash{}, &s.params}
		step = &pruning{checker{IndexedSnapshot: &IndexedSnapshot{head}}, s.db.NewBatch(), next}
		err = step.blocks(min(to, at.height, next.base+prunedBlocks))
		return errors.Join(err, step.batch.Close())
	})
	if err != nil {
		return next.base, fmt.Errorf("store: prune blocks from %d on: %w", next.base+1, disk.Explain(s.dir, err))
	}
	if step == nil {
		return next.base, nil
	}
	s.mu.Lock()
	s.history = step.history
	s.mu.Unlock()
	return step.base, errors.Join(s.log.Prune(step.start), s.reclaim(step.base))
}

// The bounds of [Store.reclaim]. A larger database fills its levels by itself, and gives room back then.
const (
	reclaimedBlocks = 100
	reclaimedBytes  = 1 << 30
)

// reclaim gives back the room of the history that is removed, once it is of many blocks: a quarter of those that are kept. Without it a small database keeps that room for good.
func (s *Store) reclaim(base uint64) error {
	if base-s.reclaimed < max(reclaimedBlocks, (s.Height()-base)/4) {
		return nil
	}
	s.reclaimed = base
	return s.guard.call(func() error {
		for _, keyspace := range []byte{prefixParty, prefixEnded, prefixBlock, prefixIDs, prefixTx, prefixRefused, prefixAuction, prefixPlaced} {
			from, to := []byte{keyspace}, []byte{keyspace + 1}
			size, err := s.db.EstimateDiskUsage(from, to)
			if err == nil && size > 0 && size < reclaimedBytes {
				err = s.db.Compact(context.Background(), from, to, false)
			}
			if err != nil {
				return fmt.Errorf("give back the room of removed history: %w", disk.Explain(s.dir, err))
			}
		}
		return nil
	})
}

// pruning removes the entries that belong to blocks: those that a check derives from them.
type pruning struct {
	checker
	batch *pebble.Batch
	history
}

// blocks removes blocks up to a height, or fewer, and commits.
func (p *pruning) blocks(to uint64) error {
	first := p.base + 1
	for p.base < to && p.batch.Count() < prunedEntries {
		block, err := readBlock(p.db, p.base+1)
		if err == nil && block == nil {
			err = errors.New("its record is missing")
		}
		if err == nil {
			err = p.block(block)
		}
		if err != nil {
			return fmt.Errorf("block %d: %w", p.base+1, err)
		}
		p.base, p.commitment = block.Height, block.Commitment
	}
	p.start = p.log.Prunable(p.mark.Size)
	return errors.Join(
		p.batch.DeleteRange(blockKey(first), blockKey(p.base+1), nil), p.batch.DeleteRange(idsKey(first), idsKey(p.base+1), nil), // of blocks after the base, a later key has them
		p.batch.Set(historyKey(), types.Encode(&p.history), nil), p.batch.Commit(pebble.Sync),
	)
}

func (p *pruning) block(block *Block) error {
	remove := func(key, _ []byte, _ fmt.Stringer) error { return p.batch.Delete(key, nil) }
	if _, err := p.deriveOutcomes(block, &p.mark, remove); err != nil {
		return err
	}
	for i, tx := range block.Txs {
		if tx.Code == types.CodeOK {
			if err := remove(txKey(p.partitions.of(block.Height), tx.ID), nil, nil); err != nil {
				return err
			}
			continue
		}
		encoded, err := get(p.db, refusedKey(tx.ID))
		if err == nil && encoded != nil && string(encoded) == string(types.Encode(block.receipt(i))) { // no later block has refused it too
			err = remove(refusedKey(tx.ID), nil, nil)
		}
		if err != nil {
			return err
		}
	}
	for i := range block.Events {
		if event := &block.Events[i]; event.Kind == types.EventCleared {
			auction, placed := auctionKey(event.Product), append([]byte{prefixPlaced}, event.Product[:]...)
			if err := errors.Join(p.batch.DeleteRange(auction, after(auction), nil), p.batch.DeleteRange(placed, after(placed), nil)); err != nil {
				return err
			}
		}
	}
	return nil
}
