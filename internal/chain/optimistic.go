package chain

import (
	"fmt"
	"runtime/debug"
	"slices"

	"lockstep/internal/store"
	"lockstep/types"
)

// ahead is a block that is executed, and whose commitment is computed, while the validators still vote on it. Most blocks that
// are proposed are decided; of one that is not, nothing has happened.
type optimisticBlock struct {
	height uint64
	time   types.Time
	hashes []types.Hash // of the whole transactions
	ours   bool         // proposed by this node

	done   chan struct{} // closed when all that follows is there
	quiet  bool          // it does nothing but its transactions
	due    bool          // it leaves something to the next block
	staged *store.Staged
	err    error
}

// matches reports whether the block is this one.
func (b *optimisticBlock) matches(height uint64, time types.Time, txs []blockTx) bool {
	return b != nil && b.height == height && b.time == time &&
		slices.EqualFunc(b.hashes, txs, func(hash types.Hash, tx blockTx) bool { return hash == tx.hash })
}

// executeOptimistically executes a block that others have proposed or decided.
func (a *application) executeOptimistically(height uint64, time types.Time, txs []blockTx) {
	b := &optimisticBlock{height: height, time: time, hashes: make([]types.Hash, len(txs))}
	for i := range txs {
		b.hashes[i] = txs[i].hash
	}
	a.finish(b, func() *blockExecution {
		x := newBlockExecution(a.store.StateReader(), a.params, height, time, len(txs))
		for i := range txs {
			x.do(&txs[i])
		}
		return x
	})
}

// finishProposal goes on with what this node has executed to propose it.
func (a *application) finishProposal(x *blockExecution) {
	a.finish(&optimisticBlock{height: x.height, time: x.time, hashes: x.hashes, ours: true}, func() *blockExecution { return x })
}

// finish executes a block to its end, beside what the engine does meanwhile. One at a time: when the next one begins, or a block
// is committed, nobody looks at the state that the last one was executed on.
func (a *application) finish(b *optimisticBlock, execute func() *blockExecution) {
	if a.optimistic != nil {
		<-a.optimistic.done
	}
	a.optimistic, b.done = b, make(chan struct{})
	a.executing.Go(func() {
		defer close(b.done)
		defer func() {
			if r := recover(); r != nil {
				b.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		x := execute()
		executed := x.finish()
		b.quiet, b.due = x.quiet, executed.Diff.Due
		b.staged, b.err = a.store.Stage(executed)
	})
}
