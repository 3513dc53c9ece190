package chain

import (
	"fmt"
	"runtime/debug"
	"slices"

	"lockstep/internal/store"
	"lockstep/types"
)

// optimisticBlock is a block that is executed, and whose commitment is computed, while the validators still vote on it. Most proposed blocks
// are decided; the execution of any other block has no effect.
type optimisticBlock struct {
	height uint64
	time   types.Time
	hashes []types.Hash // of the transactions, signatures included
	signed []address    // validators that signed the block before
	ours   bool         // proposed by this node

	done     chan struct{} // closed when the fields below are set
	quiet    bool          // the block has no effects beside its transactions
	due      bool          // the block leaves due entries to the next one
	outcomes bool          // the block appends to the log of outcomes
	staged   *store.Staged
	err      error

	governance *types.Governance // if the block changed it
	validators []types.Validator // that the block changed
}

// matches reports whether this is the block of a height, a time, the signatures of the block before, and transactions.
func (b *optimisticBlock) matches(height uint64, time types.Time, signed []address, txs []blockTx) bool {
	return b != nil && b.height == height && b.time == time && slices.Equal(b.signed, signed) &&
		slices.EqualFunc(b.hashes, txs, func(hash types.Hash, tx blockTx) bool { return hash == tx.hash })
}

// executeOptimistically starts the execution of a block that others proposed or decided.
func (a *application) executeOptimistically(height uint64, time types.Time, signed []address, txs []blockTx) {
	b := &optimisticBlock{height: height, time: time, signed: signed, hashes: make([]types.Hash, len(txs))}
	for i := range txs {
		b.hashes[i] = txs[i].hash
	}
	a.finish(b, func() *blockExecution {
		x := a.begin(height, time, signed, len(txs))
		for i := range txs {
			x.do(&txs[i])
		}
		return x
	})
}

// finishProposal completes the execution that chose the transactions of this node's proposal.
func (a *application) finishProposal(x *blockExecution) {
	a.finish(&optimisticBlock{height: x.height, time: x.time, signed: x.signed, hashes: x.hashes, ours: true}, func() *blockExecution { return x })
}

// finish executes a block to its end in the background, one block at a time: once the next one begins, or a block is committed, no other
// execution reads the state below.
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
		b.quiet, b.due, b.outcomes = x.quiet, executed.Diff.Due, len(executed.Diff.Leaves) > 0
		b.governance, b.validators = executed.Diff.Governance, executed.Diff.Validators
		b.staged, b.err = a.store.Stage(executed)
	})
}
