package query

import (
	"fmt"
	"sync"

	"lockstep/types"
)

// carried are the leaves of the first block about trades that an earlier ledger began, once somebody asked for one.
type carried struct {
	mu     sync.Mutex
	leaves map[types.TradeID]uint64
}

// carriedLeaf returns the leaf of the first block about a trade of an earlier ledger, if no later leaf tells of it.
func (l *Ledger) carriedLeaf(t *types.Trade, id types.TradeID) (leaf uint64, found bool, err error) {
	first := l.store.First()
	if t.Height >= first {
		return 0, false, nil
	}
	if last := t.Steps[len(t.Steps)-1].Tx; last != (types.TxID{}) {
		receipt, err := l.store.Receipt(last)
		if receipt != nil || err != nil {
			return 0, false, err
		}
	}
	l.carried.mu.Lock()
	defer l.carried.mu.Unlock()
	if l.carried.leaves == nil {
		if err := l.readCarried(first); err != nil {
			return 0, false, err
		}
	}
	if leaf, found = l.carried.leaves[id]; !found {
		err = fmt.Errorf("no leaf of block %d tells of trade %s, which an earlier ledger began", first, id)
	}
	return leaf, found, err
}

// readCarried reads the leaves of the first block.
func (l *Ledger) readCarried(first uint64) error {
	block, err := l.store.Block(first)
	if err == nil && block == nil {
		err = types.Refuse(types.CodeUnavailable, "the first block has not been made yet")
	}
	if err != nil {
		return err
	}
	leaves := map[types.TradeID]uint64{}
	for leaf := block.First; leaf < block.Log.Size; leaf++ {
		outcome, err := l.store.Log().Outcome(leaf)
		if err != nil {
			return err
		}
		if outcome.Tx != (types.TxID{}) {
			break
		}
		for _, effect := range outcome.Effects {
			if step, ok := effect.(*types.Stepped); ok {
				leaves[step.Trade] = leaf
			}
		}
	}
	l.carried.leaves = leaves
	return nil
}
