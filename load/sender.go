package load

import (
	"context"
	"sync"

	"lockstep/api/wire"
	"lockstep/client"
	"lockstep/types"
)

// sendersAtOnce is how many requests with transactions are under way to one node.
const sendersAtOnce = 4

// sender hands transactions in at one node by its API: what has come while requests were under way goes into the next one.
type sender struct {
	client *client.Client

	mu      sync.Mutex
	waiting []*handIn
	busy    int // requests under way
}

// handIn is a transaction on its way to the node.
type handIn struct {
	tx     *types.Tx
	answer chan error // has room for the one answer
}

func (s *sender) submit(ctx context.Context, tx *types.Tx) error {
	h := &handIn{tx, make(chan error, 1)}
	s.mu.Lock()
	s.waiting = append(s.waiting, h)
	free := s.busy < sendersAtOnce
	if free {
		s.busy++
	}
	s.mu.Unlock()
	if free {
		s.send(ctx)
	}
	select {
	case err := <-h.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send sends until nothing waits.
func (s *sender) send(ctx context.Context) {
	for {
		s.mu.Lock()
		some := s.waiting[:min(len(s.waiting), wire.MaxBatch)]
		s.waiting = s.waiting[len(some):]
		if len(some) == 0 {
			s.busy--
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		txs := make([]*types.Tx, len(some))
		for i, h := range some {
			txs[i] = h.tx
		}
		receipts, err := s.client.SubmitMany(ctx, txs)
		for i, h := range some {
			switch {
			case i >= len(receipts):
				h.answer <- err
			case receipts[i].Status == wire.StatusRefused:
				h.answer <- &types.Refusal{Code: receipts[i].Code, Detail: receipts[i].Detail}
			default:
				h.answer <- nil
			}
		}
	}
}
