package query

import (
	"sync"

	"lockstep/internal/store"
	"lockstep/types"
)

// matchLeaves finds the leaves of trades that auctions made and that have had no step by a transaction yet. No key of the store names these leaves, so the
// leaves of a block are read once and remembered.
type matchLeaves struct {
	mu     sync.Mutex // held while a block is read: others want the same one
	blocks map[uint64]map[types.TradeID]uint64
	order  []uint64
}

// Bounds of the search.
const (
	matchBlocks = 16   // remembered; each has at most some ten thousand matches
	matchPages  = 1000 // blocks over which an auction can be spread
)

// matchLeaf returns the leaf of a match that an auction of a height made at a moment of the ledger clock; false if there is none.
func (l *Ledger) matchLeaf(id types.TradeID, height uint64, at types.Time) (uint64, bool, error) {
	for next := max(height, l.store.Base()+1); next < height+matchPages; next++ {
		block, err := l.store.Block(next)
		if types.CodeOf(err) == types.CodePruned { // since the search began
			continue
		}
		if err != nil {
			return 0, false, err
		}
		if block == nil || block.Clock > at {
			break
		}
		if block.Clock < at {
			continue
		}
		leaves, err := l.matchesOf(block)
		if err != nil {
			return 0, false, err
		}
		if leaf, ok := leaves[id]; ok {
			return leaf, true, nil
		}
	}
	_, err := l.store.Block(height) // the store says so if the match stands in a removed block
	return 0, false, err
}

// matchesOf returns the leaves of all matches of a block.
func (l *Ledger) matchesOf(block *store.Block) (map[types.TradeID]uint64, error) {
	m := &l.matches
	m.mu.Lock()
	defer m.mu.Unlock()
	if leaves, known := m.blocks[block.Height]; known {
		return leaves, nil
	}
	leaves := map[types.TradeID]uint64{}
	err := l.store.Log().Walk(block.First, block.Log.Size, func(index uint64, leaf []byte) error {
		outcome := new(types.Outcome)
		if err := types.Decode(leaf, outcome); err != nil {
			return err
		}
		for _, effect := range outcome.Effects {
			if matched, ok := effect.(*types.Matched); ok {
				leaves[matched.Match.Trade] = index
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if m.blocks == nil {
		m.blocks = map[uint64]map[types.TradeID]uint64{}
	}
	if m.order = append(m.order, block.Height); len(m.order) > matchBlocks {
		delete(m.blocks, m.order[0])
		m.order = m.order[1:]
	}
	m.blocks[block.Height] = leaves
	return leaves, nil
}
