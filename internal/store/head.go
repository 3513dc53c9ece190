package store

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// Head reads the state at the last block, unaffected by later commits, and the trades that are over. It is cheap and must be closed.
// Its [ledger.Reader] panics when the disk can't be read, as the rules require.
type Head struct {
	ledger.Reader
	state      stateReader
	db         *pebble.Snapshot
	partitions partitions
	commitment types.Hash
	mark       outcomes.Mark // where the log of outcomes stands
	log        *outcomes.Log
	leave      func()        // lets the store close
	base       uint64        // the last block without history, when the head was made
	below      types.Hash    // the commitment of that block
	params     *types.Params // of the ledger's begin
}

// Head returns a reader of the last block, or an error once the store closes.
func (s *Store) Head() (*Head, error) { return s.newHead(false) }

// RulesHead returns a [Store.Head] for the rules: the values that it reads stay in memory for the next blocks.
func (s *Store) RulesHead() (*Head, error) { return s.newHead(true) }

func (s *Store) newHead(keeps bool) (*Head, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	leave, err := s.enter()
	if err != nil {
		return nil, err
	}
	db := s.db.NewSnapshot()
	state := s.reader(db, keeps)
	return &Head{ledger.Reader{View: state}, state, db, s.partitions, s.commitment, s.position.log, s.log, leave, s.history.base, s.history.commitment, &s.params}, nil
}

// Close releases the head.
func (h *Head) Close() error {
	defer h.leave()
	return h.db.Close()
}

// Height is the height of the last block, [types.Params.Base] before the first.
func (h *Head) Height() uint64 { return h.state.height }

// Base is the last block whose history the store does not keep: the height before the first block when it keeps all.
func (h *Head) Base() uint64 { return h.base }

// History returns the last block whose history the store does not keep, with its commitment; 0 when it keeps all.
func (h *Head) History() (base uint64, commitment types.Hash) { return h.base, h.below }

// Gate is how long before its slot an auction is held, at the last block or at the first one, whichever is longer.
func (h *Head) Gate() types.Duration {
	gate := h.params.Market.Gate
	if g, governed := h.Governance(); governed {
		gate = max(gate, g.Params.Market.Gate)
	}
	return gate
}

// Standing returns the trades in the state, in order of their IDs.
func (h *Head) Standing() iter.Seq[*types.Trade] { return h.Reader.Trades() }

// Leaves is the number of leaves of the log of outcomes.
func (h *Head) Leaves() uint64 { return h.mark.Size }

// LogHead is the head of the log of outcomes, as the block commits to it.
func (h *Head) LogHead() types.LogHead { return h.mark.Head() }

// Commitment is the commitment of the last block (the app hash).
func (h *Head) Commitment() types.Hash { return h.commitment }

// TradeRecord is a trade. Over marks a trade that left the state: nothing is locked in it and no step can follow.
type TradeRecord struct {
	ID    types.TradeID
	Trade *types.Trade
	Over  bool
}

// Trade returns a trade of the state or one that is over; nil when there is none of the ID.
func (h *Head) Trade(id types.TradeID) (*TradeRecord, error) {
	if trade, live := h.Reader.Trade(id); live {
		return &TradeRecord{ID: id, Trade: trade}, nil
	}
	for _, memtable := range h.state.unwritten {
		if ended, ok := memtable.ended(id, h.Height()); ok {
			return &TradeRecord{ID: id, Trade: ended.Trade, Over: true}, nil
		}
	}
	leaf, over, err := h.TradeLeaf(id)
	if !over || err != nil {
		return nil, err
	}
	trade, err := story(h.log, leaf, id)
	if err != nil {
		return nil, fmt.Errorf("read trade %s: %w", id, err)
	}
	return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
}

// TradeLeaf returns the leaf with the story of a trade that left the state; false when none of the ID did.
func (h *Head) TradeLeaf(id types.TradeID) (leaf uint64, over bool, err error) {
	for _, memtable := range h.state.unwritten {
		if ended, ok := memtable.ended(id, h.Height()); ok {
			return ended.leaf, true, nil
		}
	}
	found, err := h.partitions.find(h.db, func(partition uint16) []byte { return endedKey(partition, id) })
	if found == nil || err != nil {
		return 0, false, err
	}
	if len(found) != 8 {
		return 0, false, fmt.Errorf("read trade %s: %x is no leaf", id, found)
	}
	return binary.BigEndian.Uint64(found), true, nil
}
