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
	// rememberedKeys are kept in the form that is quickest to verify with: 32 MiB of them.
	rememberedKeys = 16 << 10
)

// verifier checks the signatures of transactions that arrive one by one in batches, on all cores. A batch is what has
// arrived while the last one was at work, so a lone transaction doesn't wait.
type verifier struct {
	*types.Verifier
	requests chan *submission
	stop     chan struct{}
	running  sync.WaitGroup
}

// submission is a transaction on its way into the pool.
type submission struct {
	tx     *types.Tx
	from   origin
	answer chan error // has room for the one answer
}

// newVerifier hands each batch on with the verdicts.
func newVerifier(workers int, then func(batch []*submission, good []bool)) *verifier {
	v := &verifier{
		Verifier: types.NewVerifier(rememberedKeys),
		requests: make(chan *submission, verifyBatch), stop: make(chan struct{}),
	}
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

// submit queues a transaction and waits for what becomes of it.
func (v *verifier) submit(ctx context.Context, tx *types.Tx, from origin) error {
	s := &submission{tx: tx, from: from, answer: make(chan error, 1)}
	select {
	case v.requests <- s:
	case <-ctx.Done():
		return ctx.Err()
	case <-v.stop:
		return errStopping()
	}
	select {
	case err := <-s.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-v.stop:
		return errStopping()
	}
}

func errStopping() error {
	return types.Refuse(types.CodeUnavailable, "the node is stopping")
}

func (v *verifier) work(then func([]*submission, []bool)) {
	for {
		select {
		case first := <-v.requests:
			batch := v.gather(first)
			txs := make([]*types.Tx, len(batch))
			for i, s := range batch {
				txs[i] = s.tx
			}
			then(batch, v.Verify(txs...))
		case <-v.stop:
			return
		}
	}
}

// gather takes what else is waiting, once all who are about to hand something in had their turn.
func (v *verifier) gather(first *submission) []*submission {
	runtime.Gosched()
	batch := []*submission{first}
	for len(batch) < verifyBatch {
		select {
		case next := <-v.requests:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
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
