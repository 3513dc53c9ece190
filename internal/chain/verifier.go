package chain

import (
	"runtime"
	"sync"
	"sync/atomic"

	"lockstep/types"
)

const (
	// verifyBatch bounds a batch: a larger one gains little and delays its first transactions.
	verifyBatch = 512
	// maxQueued bounds the verification queue for transactions of peers.
	maxQueued = 4096
	// rememberedKeys bounds the keys kept in expanded form, for fast verification: 32 MiB.
	rememberedKeys = 16 << 10
)

// verifier verifies the signatures of transactions in batches, on all cores. A batch collects the arrivals during the verification of the
// last one, so a single transaction doesn't wait. Batches are passed on in order of arrival.
type verifier struct {
	signatures *types.Verifier
	records    records
	running    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	arrived sync.Cond  // the queue is non-empty, or the verifier stops
	queue   []submission
	stopped bool
	last    chan struct{} // closed when the last batch was passed on
}

// submission is a transaction on its way to the pool.
type submission struct {
	tx   *types.Tx
	from origin
	of   *submissionGroup // nil when no caller waits for the answer
	at   int              // index in the group
}

// submissionGroup is the transactions of one call of submit.
type submissionGroup struct {
	errs []error       // one for each transaction
	left atomic.Int64  // transactions without an answer
	done chan struct{} // closed with the last answer
}

func (s *submission) answer(err error) {
	if s.of == nil {
		return
	}
	s.of.errs[s.at] = err
	if s.of.left.Add(-1) == 0 {
		close(s.of.done)
	}
}

// newVerifier passes each batch on with its verdicts.
func newVerifier(workers int, then func(batch []submission, good []bool)) *verifier {
	v := &verifier{signatures: types.NewVerifier(rememberedKeys), last: make(chan struct{})}
	v.arrived.L = &v.mu
	close(v.last)
	for range workers {
		v.running.Go(func() { v.work(then) })
	}
	return v
}

// close ends the workers and refuses the queued submissions: the node is stopping.
func (v *verifier) close() {
	v.mu.Lock()
	v.stopped = true
	v.mu.Unlock()
	v.arrived.Broadcast()
	v.running.Wait()
	for i := range v.queue {
		v.queue[i].answer(errStopping())
	}
}

// submit queues transactions. Their callers wait for the answers, which bounds the queue.
func (v *verifier) submit(some ...submission) {
	v.mu.Lock()
	stopped := v.stopped
	if !stopped {
		v.queue = append(v.queue, some...)
	}
	v.mu.Unlock()
	if !stopped {
		v.arrived.Signal()
		return
	}
	for i := range some {
		some[i].answer(errStopping())
	}
}

// offer queues a transaction without a waiting caller, if there is room.
func (v *verifier) offer(tx *types.Tx) error {
	v.mu.Lock()
	full := len(v.queue) >= maxQueued
	v.mu.Unlock()
	if full {
		return types.Refuse(types.CodePoolFull, "%d transactions are queued for verification; submit again later", maxQueued)
	}
	v.submit(submission{tx: tx, from: foreign})
	return nil
}

func errStopping() error {
	return types.Refuse(types.CodeUnavailable, "the node is stopping")
}

func (v *verifier) work(then func([]submission, []bool)) {
	for {
		batch, before, done := v.gather()
		if len(batch) == 0 {
			return
		}
		txs := make([]*types.Tx, len(batch))
		for i := range batch {
			txs[i] = batch[i].tx
		}
		good := v.Verify(txs...)
		<-before
		then(batch, good)
		close(done)
	}
}

// gather returns a batch, after all running callers had their turn to submit; an empty one when the verifier stops. Pass the batch on when
// before is closed, then close done.
func (v *verifier) gather() (batch []submission, before <-chan struct{}, done chan<- struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(batch) == 0 {
		for len(v.queue) == 0 && !v.stopped {
			v.arrived.Wait()
		}
		if v.stopped {
			return nil, nil, nil
		}
		v.mu.Unlock()
		runtime.Gosched()
		v.mu.Lock()
		count := min(len(v.queue), verifyBatch)
		batch, v.queue = v.queue[:count:count], v.queue[count:]
	}
	if len(v.queue) > 0 {
		v.arrived.Signal()
	}
	before, v.last = v.last, make(chan struct{})
	return batch, before, v.last
}

// verifyAll verifies the transactions of a block on all cores.
func (v *verifier) verifyAll(txs []*types.Tx, workers int) []bool {
	good := make([]bool, len(txs))
	share := (len(txs) + workers - 1) / workers
	var running sync.WaitGroup
	for from := 0; from < len(txs); from += share {
		to := min(from+share, len(txs))
		running.Go(func() { copy(good[from:to], v.Verify(txs[from:to]...)) })
	}
	running.Wait()
	return good
}
