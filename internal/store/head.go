package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// Tip shows the state as of the last block, whatever is committed meanwhile, and the trades that are over. It costs next
// to nothing and must be closed. Its [ledger.Reader] panics when the disk can't be read, as the rules need it to.
type Tip struct {
	ledger.Reader
	view       view
	db         *pebble.Snapshot
	epochs     epochs
	commitment types.Hash
}

// Tip returns a view of now.
func (s *Store) Tip() *Tip {
	s.mu.RLock()
	defer s.mu.RUnlock()
	db := s.db.NewSnapshot()
	return newTip(view{db, s.unwritten(), s.cache, s.head.height}, db, s.epochs, s.commitment)
}

func newTip(view view, db *pebble.Snapshot, epochs epochs, commitment types.Hash) *Tip {
	return &Tip{ledger.Reader{View: view}, view, db, epochs, commitment}
}

// Close gives the tip's resources back.
func (t *Tip) Close() error { return t.db.Close() }

// Height is that of the last block, zero before the first.
func (t *Tip) Height() uint64 { return t.view.height }

// Commitment is what the last block commits to (the app hash).
func (t *Tip) Commitment() types.Hash { return t.commitment }

// TradeRecord is a trade with whether it is over: out of the state, so that nothing is locked and no step can follow.
type TradeRecord struct {
	ID    types.TradeID
	Trade *types.Trade
	Over  bool
}

// Trade returns a trade, of the state or of the archive; nil when there never was one of that ID that lasted.
func (t *Tip) Trade(id types.TradeID) (*TradeRecord, error) {
	if trade, live := t.Reader.Trade(id); live {
		return &TradeRecord{ID: id, Trade: trade}, nil
	}
	for _, stretch := range t.view.unwritten {
		if trade := stretch.trade(id, t.Height()); trade != nil {
			return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
		}
	}
	trade, err := t.archived(id)
	if err != nil {
		return nil, fmt.Errorf("read trade %s: %w", id, err)
	}
	if trade == nil {
		return nil, nil
	}
	return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
}

// archived returns a trade of the archive, nil when it has none of that ID.
func (t *Tip) archived(id types.TradeID) (*types.Trade, error) {
	ended, err := t.epochs.find(t.db, func(epoch uint16) []byte { return endedKey(epoch, id) })
	if ended == nil || err != nil {
		return nil, err
	}
	if len(ended) != 8 {
		return nil, fmt.Errorf("%x is no height", ended)
	}
	encoded, err := get(t.db, archivePlace(id, binary.BigEndian.Uint64(ended)))
	if err != nil {
		return nil, err
	}
	trade := new(types.Trade)
	return trade, types.Decode(encoded, trade)
}
