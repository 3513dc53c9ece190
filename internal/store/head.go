package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
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
	leave      func() // lets the store close
}

// Head returns a reader of the last block, or an error once the store closes.
func (s *Store) Head() (*Head, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	leave, err := s.enter()
	if err != nil {
		return nil, err
	}
	db := s.db.NewSnapshot()
	state := stateReader{db, s.unwritten(), s.cache, s.position.height}
	return &Head{ledger.Reader{View: state}, state, db, s.partitions, s.commitment, leave}, nil
}

// Close releases the head.
func (h *Head) Close() error {
	defer h.leave()
	return h.db.Close()
}

// Height is the height of the last block, zero before the first.
func (h *Head) Height() uint64 { return h.state.height }

// Commitment is the commitment of the last block (the app hash).
func (h *Head) Commitment() types.Hash { return h.commitment }

// TradeRecord is a trade. Over marks a trade that left the state: nothing is locked in it and no step can follow.
type TradeRecord struct {
	ID    types.TradeID
	Trade *types.Trade
	Over  bool
}

// Trade returns a trade of the state or of the archive; nil when neither has the ID.
func (h *Head) Trade(id types.TradeID) (*TradeRecord, error) {
	if trade, live := h.Reader.Trade(id); live {
		return &TradeRecord{ID: id, Trade: trade}, nil
	}
	for _, memtable := range h.state.unwritten {
		if trade := memtable.trade(id, h.Height()); trade != nil {
			return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
		}
	}
	trade, err := h.archived(id)
	if err != nil {
		return nil, fmt.Errorf("read trade %s: %w", id, err)
	}
	if trade == nil {
		return nil, nil
	}
	return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
}

// archived returns a trade of the archive, nil when the archive has no such ID.
func (h *Head) archived(id types.TradeID) (*types.Trade, error) {
	ended, err := h.partitions.find(h.db, func(partition uint16) []byte { return endedKey(partition, id) })
	if ended == nil || err != nil {
		return nil, err
	}
	if len(ended) != 8 {
		return nil, fmt.Errorf("%x is no height", ended)
	}
	encoded, err := get(h.db, archivePlace(id, binary.BigEndian.Uint64(ended)))
	if err != nil {
		return nil, err
	}
	trade := new(types.Trade)
	return trade, types.Decode(encoded, trade)
}
