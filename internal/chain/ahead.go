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
type ahead struct {
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

// isOf reports whether the block is this one.
func (b *ahead) isOf(height uint64, time types.Time, txs []decided) bool {
	return b != nil && b.height == height && b.time == time &&
		slices.EqualFunc(b.hashes, txs, func(hash types.Hash, tx decided) bool { return hash == tx.hash })
}

// goAhead executes a block that others have proposed or decided.
func (a *application) goAhead(height uint64, time types.Time, txs []decided) {
	b := &ahead{height: height, time: time, hashes: make([]types.Hash, len(txs))}
	for i := range txs {
		b.hashes[i] = txs[i].hash
	}
	a.finish(b, func() *execution {
		x := newExecution(a.store.StateReader(), a.params, height, time, len(txs))
		for i := range txs {
			x.do(&txs[i])
		}
		return x
	})
}

// proposeAhead goes on with what this node has executed to propose it.
func (a *application) proposeAhead(x *execution) {
	a.finish(&ahead{height: x.height, time: x.time, hashes: x.hashes, ours: true}, func() *execution { return x })
}

// finish executes a block to its end, beside what the engine does meanwhile. One at a time: when the next one begins, or a block
// is committed, nobody looks at the state that the last one was executed on.
func (a *application) finish(b *ahead, execute func() *execution) {
	if a.ahead != nil {
		<-a.ahead.done
	}
	a.ahead, b.done = b, make(chan struct{})
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
