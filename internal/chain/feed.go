package chain

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"lockstep/internal/store"
	"lockstep/types"
)

// feed notifies followers of new blocks. It has no queues: a follower reads missed blocks from the store, so a slow follower costs nothing.
type feed struct {
	store *store.Store

	mu      sync.Mutex
	last    *store.Block  // the newest, nil before the first of this run
	came    time.Time     // when it was committed, or when this run began
	news    chan struct{} // closed at the next block
	waiters map[types.TxID][]chan Outcome
	dropped map[types.TxID]Outcome // left the pool without a block, the latest of them
	oldest  []types.TxID           // keys of dropped, oldest first
}

// maxDropped bounds the remembered outcomes of transactions that left the pool without a block.
const maxDropped = 10_000

// Outcome is the result of a transaction, or that it is pending.
type Outcome struct {
	Tx      types.TxID
	Pending bool
	Height  uint64 // of its block; zero while pending or without a block
	Code    types.Code
	Detail  string
}

func newFeed(s *store.Store) *feed {
	return &feed{store: s, came: time.Now(), news: make(chan struct{}), waiters: map[types.TxID][]chan Outcome{}, dropped: map[types.TxID]Outcome{}}
}

// publish notifies followers of a committed block.
func (f *feed) publish(block *store.Block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.came = block, time.Now()
	close(f.news)
	f.news = make(chan struct{})
	for _, tx := range block.Txs {
		f.notify(Outcome{Tx: tx.ID, Height: block.Height, Code: tx.Code, Detail: tx.Detail})
	}
}

// drop records a transaction that was evicted from the pool.
func (f *feed) drop(id types.TxID, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	outcome := Outcome{Tx: id, Code: types.CodeOf(err), Detail: err.Error()}
	if _, known := f.dropped[id]; !known {
		f.oldest = append(f.oldest, id)
	}
	f.dropped[id] = outcome
	if len(f.oldest) > maxDropped {
		delete(f.dropped, f.oldest[0])
		f.oldest = f.oldest[1:]
	}
	f.notify(outcome)
}

// began marks the start of block production.
func (f *feed) began() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.came = time.Now()
}

// since returns the time since the last block.
func (f *feed) since() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.came)
}

// lastCame returns when the last block of this run was committed; zero before the first.
func (f *feed) lastCame() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return time.Time{}
	}
	return f.came
}

func (f *feed) notify(outcome Outcome) {
	for _, waiter := range f.waiters[outcome.Tx] {
		waiter <- outcome // buffered for its one outcome
	}
	delete(f.waiters, outcome.Tx)
}

// wait registers for the outcome of a transaction. cancel must be called.
func (f *feed) wait(id types.TxID) (outcome <-chan Outcome, cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	waiter := make(chan Outcome, 1)
	f.waiters[id] = append(f.waiters[id], waiter)
	return waiter, func() { f.forget(id, waiter) }
}

func (f *feed) forget(id types.TxID, waiter chan Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rest := f.waiters[id][:0]
	for _, other := range f.waiters[id] {
		if other != waiter {
			rest = append(rest, other)
		}
	}
	if f.waiters[id] = rest; len(rest) == 0 {
		delete(f.waiters, id)
	}
}

func (f *feed) droppedOutcome(id types.TxID) (Outcome, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	outcome, ok := f.dropped[id]
	return outcome, ok
}

// blocks yields every block from a height on, and then each as it is committed, until the context ends.
func (f *feed) blocks(ctx context.Context, from uint64) iter.Seq2[*store.Block, error] {
	return func(yield func(*store.Block, error) bool) {
		for height := max(from, f.store.First()); ; height++ {
			block, err := f.next(ctx, height)
			if err != nil {
				yield(nil, err)
				return
			}
			if block == nil || !yield(block, nil) {
				return
			}
		}
	}
}

// next returns the block of a height as soon as there is one; nil when the context ended.
func (f *feed) next(ctx context.Context, height uint64) (*store.Block, error) {
	for {
		f.mu.Lock()
		last, news := f.last, f.news
		f.mu.Unlock()
		if last != nil && last.Height == height {
			return last, nil
		}
		if height <= f.store.Height() {
			block, err := f.store.Block(height)
			if err == nil && block == nil {
				err = fmt.Errorf("block %d is missing from the store", height)
			}
			return block, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, nil
		}
	}
}
