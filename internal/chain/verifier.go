package chain

import (
	"runtime"
	"sync"
	"sync/atomic"

	"lockstep/types"
)

const (
	// verifyBatch is how many transactions are verified at once: beyond it a batch gains little and delays its first.
	verifyBatch = 512
	// maxQueued is how many may wait to be verified when a peer hands in one more.
	maxQueued = 4096
	// rememberedKeys are kept in the form that is quickest to verify with: 32 MiB of them.
	rememberedKeys = 16 << 10
)

// verifier checks the signatures of transactions in batches, on all cores. A batch is what has arrived while the last one was
// at work, so a lone transaction doesn't wait. Batches are handed on in order of arrival.
type verifier struct {
	*types.Verifier
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	arrived sync.Cond  // something is waiting, or nothing will be any more
	queue   []submission
	stopped bool
	last    chan struct{} // closed when the batch that was gathered last has been handed on
}

// submission is a transaction on its way into the pool.
type submission struct {
	tx   *types.Tx
	from origin
	of   *submissionGroup // nil when nobody waits for the answer
	at   int              // its place in that
}

// submissionGroup is what was handed in together.
type submissionGroup struct {
	errs []error       // for each, what became of it
	left atomic.Int64  // so many are not answered yet
	done chan struct{} // closed when all are
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

// newVerifier hands each batch on with the verdicts.
func newVerifier(workers int, then func(batch []submission, good []bool)) *verifier {
	v := &verifier{Verifier: types.NewVerifier(rememberedKeys), last: make(chan struct{})}
	v.arrived.L = &v.mu
	close(v.last)
	for range workers {
		v.running.Go(func() { v.work(then) })
	}
	return v
}

// close ends the workers. What they leave is answered: the node is stopping.
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

// submit queues transactions. Who hands them in waits for the answers, so that is what bounds the queue.
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

// offer queues a transaction that nobody waits for, if there is room.
func (v *verifier) offer(tx *types.Tx) error {
	v.mu.Lock()
	full := len(v.queue) >= maxQueued
	v.mu.Unlock()
	if full {
		return types.Refuse(types.CodePoolFull, "%d transactions wait to be verified", maxQueued)
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

// gather takes what is waiting, once all who are about to hand something in had their turn; nothing when the verifier stops.
// The batch may be handed on when before is closed, and done is to be closed then.
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

// verifyAll checks the transactions of a block, shared out among all cores.
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
