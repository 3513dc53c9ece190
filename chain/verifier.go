package chain

import (
	"context"
	"runtime"
	"sync"

	"lockstep/types"
)

const (
	// verifyBatch is how many transactions are verified at once: beyond it a batch gains little and delays its first.
	verifyBatch = 512
	// queued is how many may wait to be verified.
	queued = 4096
	// rememberedKeys are kept in the form that is quickest to verify with: 32 MiB of them.
	rememberedKeys = 16 << 10
)

// verifier checks the signatures of transactions that arrive one by one in batches, on all cores. A batch is what has
// arrived while the last one was at work, so a lone transaction doesn't wait. Batches are handed on in order of arrival.
type verifier struct {
	*types.Verifier
	requests chan *submission
	stop     chan struct{}
	running  sync.WaitGroup

	gathering sync.Mutex
	last      chan struct{} // closed when the batch that was gathered last has been handed on
}

// submission is a transaction on its way into the pool.
type submission struct {
	tx     *types.Tx
	from   origin
	answer chan error // has room for the one answer; nil when nobody waits for it
}

// newVerifier hands each batch on with the verdicts.
func newVerifier(workers int, then func(batch []*submission, good []bool)) *verifier {
	v := &verifier{
		Verifier: types.NewVerifier(rememberedKeys),
		requests: make(chan *submission, queued), stop: make(chan struct{}), last: make(chan struct{}),
	}
	close(v.last)
	for range workers {
		v.running.Go(func() { v.work(then) })
	}
	return v
}

// close ends the workers. Who still waits for an answer is told by its own context or that the verifier stopped.
func (v *verifier) close() {
	close(v.stop)
	v.running.Wait()
}

// submit queues a transaction, whose verdict is to be awaited.
func (v *verifier) submit(ctx context.Context, tx *types.Tx, from origin) (*submission, error) {
	s := &submission{tx: tx, from: from, answer: make(chan error, 1)}
	select {
	case v.requests <- s:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-v.stop:
		return nil, errStopping()
	}
}

// await returns what became of a transaction that was submitted.
func (v *verifier) await(ctx context.Context, s *submission) error {
	select {
	case err := <-s.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-v.stop:
		return errStopping()
	}
}

// offer queues a transaction that nobody waits for, if there is room.
func (v *verifier) offer(tx *types.Tx) error {
	select {
	case v.requests <- &submission{tx: tx, from: foreign}:
		return nil
	default:
		return types.Refuse(types.CodePoolFull, "%d transactions wait to be verified", queued)
	}
}

func errStopping() error {
	return types.Refuse(types.CodeUnavailable, "the node is stopping")
}

func (v *verifier) work(then func([]*submission, []bool)) {
	for {
		batch, before, done := v.gather()
		if len(batch) == 0 {
			return
		}
		txs := make([]*types.Tx, len(batch))
		for i, s := range batch {
			txs[i] = s.tx
		}
		good := v.Verify(txs...)
		<-before
		then(batch, good)
		close(done)
	}
}

// gather takes what is waiting, once all who are about to hand something in had their turn; nothing when the verifier stops.
// The batch may be handed on when before is closed, and done is to be closed then.
func (v *verifier) gather() (batch []*submission, before <-chan struct{}, done chan<- struct{}) {
	v.gathering.Lock()
	defer v.gathering.Unlock()
	select {
	case first := <-v.requests:
		batch = append(batch, first)
	case <-v.stop:
		return nil, nil, nil
	}
	before, v.last = v.last, make(chan struct{})
	runtime.Gosched()
	for len(batch) < verifyBatch {
		select {
		case next := <-v.requests:
			batch = append(batch, next)
		default:
			return batch, before, v.last
		}
	}
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
