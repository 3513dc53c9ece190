package chain

import (
	"context"
	"sync"

	"lockstep/types"
)

// verifyBatch is how many transactions are verified at once: beyond it a batch gains little and delays its first.
const verifyBatch = 512

// verifier checks the signatures of transactions that arrive one by one in batches, on all cores. A batch is what has
// arrived while the last one was at work, so a lone transaction doesn't wait.
type verifier struct {
	requests chan verifyRequest
	stop     chan struct{}
	running  sync.WaitGroup
}

type verifyRequest struct {
	tx   *types.Tx
	good chan<- bool
}

func newVerifier(workers int) *verifier {
	v := &verifier{requests: make(chan verifyRequest, verifyBatch), stop: make(chan struct{})}
	for range workers {
		v.running.Go(v.work)
	}
	return v
}

// close ends the workers. Who still waits for a verdict is told by its own context or that the verifier stopped.
func (v *verifier) close() {
	close(v.stop)
	v.running.Wait()
}

// verify tells whether all signatures of a transaction are good.
func (v *verifier) verify(ctx context.Context, tx *types.Tx) (bool, error) {
	if len(tx.Signatures) == 0 {
		return true, nil
	}
	good := make(chan bool, 1)
	select {
	case v.requests <- verifyRequest{tx, good}:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-v.stop:
		return false, errStopping()
	}
	select {
	case verdict := <-good:
		return verdict, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-v.stop:
		return false, errStopping()
	}
}

func errStopping() error {
	return types.Refuse(types.CodeUnavailable, "the node is stopping")
}

func (v *verifier) work() {
	for {
		select {
		case first := <-v.requests:
			v.decide(v.gather(first))
		case <-v.stop:
			return
		}
	}
}

// gather takes what else is waiting.
func (v *verifier) gather(first verifyRequest) []verifyRequest {
	batch := []verifyRequest{first}
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

func (v *verifier) decide(batch []verifyRequest) {
	txs := make([]*types.Tx, len(batch))
	for i, request := range batch {
		txs[i] = request.tx
	}
	for i, good := range types.VerifySignatures(txs...) {
		batch[i].good <- good
	}
}

// verifyAll checks the transactions of a block, shared out among all cores.
func verifyAll(txs []*types.Tx, workers int) []bool {
	good := make([]bool, len(txs))
	share := (len(txs) + workers - 1) / workers
	var running sync.WaitGroup
	for from := 0; from < len(txs); from += share {
		to := min(from+share, len(txs))
		running.Go(func() { copy(good[from:to], types.VerifySignatures(txs[from:to]...)) })
	}
	running.Wait()
	return good
}
