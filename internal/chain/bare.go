package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/types"
)

// MeasureEngine runs the engine alone in an empty folder, configured as a node's: one validator decides transactions and keeps the blocks,
// over an application that accepts everything and does nothing. It returns the time that this took, a lower bound for any ledger on this
// engine.
func MeasureEngine(ctx context.Context, dir string, txs [][]byte) (took time.Duration, err error) {
	params := types.DefaultParams("bare")
	if err := Create(dir, params, 0); err != nil {
		return 0, err
	}
	c := &Chain{config: Config{Dir: dir}.withDefaults(&params), failure: newFailure(), stop: make(chan struct{})}
	c.logger = slog.New(slog.DiscardHandler)
	if err := c.openClock(); err != nil {
		return 0, errors.Join(err, c.Close())
	}
	application := &bareApplication{txs: txs, done: make(chan struct{})}
	if err := c.openEngine(application, c.logger); err != nil {
		return 0, errors.Join(fmt.Errorf("open the bare engine: %w", err), c.Close())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		cancel(c.Run(ctx))
		close(ended)
	}()
	select {
	case <-application.done:
		took = application.took
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-ended
	return took, errors.Join(err, c.Close())
}

// bareApplication proposes given transactions in order, as many in a block as fit, until all are decided. The engine calls
// its methods one at a time.
type bareApplication struct {
	abci.BaseApplication
	txs   [][]byte // still to be decided
	begin time.Time
	took  time.Duration
	done  chan struct{} // closed when all are
}

// PrepareProposal fills a block.
func (a *bareApplication) PrepareProposal(_ context.Context, request *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	if a.begin.IsZero() {
		a.begin = time.Now()
	}
	count, size := 0, int64(0)
	for count < len(a.txs) {
		if size += int64(len(a.txs[count]) + txOverhead); size > request.MaxTxBytes {
			break
		}
		count++
	}
	return &abci.ResponsePrepareProposal{Txs: a.txs[:count]}, nil
}

// FinalizeBlock counts the decided transactions.
func (a *bareApplication) FinalizeBlock(_ context.Context, request *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	response := &abci.ResponseFinalizeBlock{TxResults: make([]*abci.ExecTxResult, len(request.Txs))}
	for i := range response.TxResults {
		response.TxResults[i] = &abci.ExecTxResult{}
	}
	a.txs = a.txs[len(request.Txs):]
	return response, nil
}

// Commit ends the measurement after the last block with transactions.
func (a *bareApplication) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	if len(a.txs) == 0 && a.took == 0 {
		a.took = time.Since(a.begin)
		close(a.done)
	}
	return &abci.ResponseCommit{}, nil
}
