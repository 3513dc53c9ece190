package chain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// usualBlock is how many transactions a block holds, hardly more, when much waits.
const usualBlock = 4096

// appVersion is the version of the rules, part of every block's header.
const appVersion = 1

// application is what the engine drives: blocks go in, commitments come out (ABCI). The engine calls the consensus
// methods one at a time, and those of the pool at any time.
type application struct {
	abci.BaseApplication
	params  types.Params
	idle    time.Duration
	store   *store.Store
	pool    *pool
	feed    *feed
	failure *failure
	clock   *clock
	stop    <-chan struct{} // ends the wait of an idle proposer

	replaying atomic.Bool // the engine reads its log again: nothing is worth a wait

	// Between the calls of one height; touched by consensus methods only.
	seen       map[types.Hash]*types.Tx // of proposals of others, decoded and verified
	optimistic *optimisticBlock         // the last block that was begun
	finalized  *optimisticBlock         // is to be committed
	due        bool                     // the last block has left something to the next one

	executing sync.WaitGroup // what runs ahead
}

// decided is a transaction of a block: decoded, with the verdict on its signatures, or the reason why it can't be.
type blockTx struct {
	hash types.Hash
	tx   *types.Tx
	good bool
	err  error
}

// Info tells the engine where the store stands; it replays what is missing.
func (a *application) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	info := &abci.ResponseInfo{Data: "lockstep", AppVersion: appVersion}
	if height := a.store.Height(); height > 0 {
		commitment := a.store.Commitment()
		info.LastBlockHeight, info.LastBlockAppHash = int64(height), commitment[:]
	}
	return info, nil
}

// InitChain begins a ledger with the parameters of the genesis file, which must be those of the store.
func (a *application) InitChain(_ context.Context, request *abci.RequestInitChain) (_ *abci.ResponseInitChain, err error) {
	defer a.failure.watch("begin the chain", &err)
	params, err := paramsOf(request.ChainId, request.AppStateBytes)
	if err != nil {
		return nil, err
	}
	if params.Hash() != a.params.Hash() {
		return nil, fmt.Errorf("the genesis file has other parameters than the store of chain %q", a.params.ChainID)
	}
	commitment := a.store.Commitment()
	return &abci.ResponseInitChain{AppHash: commitment[:]}, nil
}

// CheckTx puts a transaction into the pool that came through the engine's own interface.
func (a *application) CheckTx(ctx context.Context, request *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	tx, err := types.DecodeTx(request.Tx)
	if err == nil {
		err = a.pool.submit(ctx, own, tx)[0]
	}
	return &abci.ResponseCheckTx{Code: uint32(types.CodeOf(err))}, nil
}

// InsertTx queues a transaction for the pool that came from a peer. It must not wait for anything: the peer's votes and
// blocks come behind it.
func (a *application) InsertTx(_ context.Context, request *abci.RequestInsertTx) (*abci.ResponseInsertTx, error) {
	tx, err := types.DecodeTx(request.Tx)
	if err == nil {
		err = a.pool.offer(tx)
	}
	return &abci.ResponseInsertTx{Code: uint32(types.CodeOf(err))}, nil
}

// ReapTxs hands out this node's own new transactions, for the peers.
func (a *application) ReapTxs(_ context.Context, request *abci.RequestReapTxs) (*abci.ResponseReapTxs, error) {
	return &abci.ResponseReapTxs{Txs: a.pool.reap(int(request.MaxBytes))}, nil
}

// PrepareProposal makes a block of what waits. An idle chain makes an empty one, so that the ledger clock goes on.
func (a *application) PrepareProposal(
	_ context.Context, request *abci.RequestPrepareProposal,
) (_ *abci.ResponsePrepareProposal, err error) {
	defer a.failure.watch("prepare a proposal", &err)
	if !a.due && !a.replaying.Load() {
		a.pool.awaitFirst(a.idle, a.stop)
	}
	x := newBlockExecution(a.store.StateReader(), a.params, uint64(request.Height), types.TimeOf(request.Time), min(a.pool.size(), usualBlock))
	txs := a.pool.propose(x, int(request.MaxTxBytes))
	a.finishProposal(x)
	return &abci.ResponsePrepareProposal{Txs: txs}, nil
}

// ProcessProposal refuses a block that no honest proposer makes: with a transaction that can't be read, is not signed or stands
// there twice, with more work than a block may take, or with a time that is far ahead.
func (a *application) ProcessProposal(
	_ context.Context, request *abci.RequestProcessProposal,
) (_ *abci.ResponseProcessProposal, err error) {
	defer a.failure.watch("judge a proposal", &err)
	txs := a.resolve(request.Txs)
	if !clean(txs) || !a.clock.judge(request.Time) {
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	height, blockTime := uint64(request.Height), types.TimeOf(request.Time)
	if !a.optimistic.matches(height, blockTime, txs) {
		a.executeOptimistically(height, blockTime, txs)
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// clean reports whether all transactions can be read, are signed, stand there once, and are no more work than a block may take.
func clean(txs []blockTx) bool {
	ids := make(map[types.TxID]struct{}, len(txs))
	work := uint64(0)
	for _, tx := range txs {
		if tx.err != nil || !tx.good {
			return false
		}
		ids[tx.tx.ID()] = struct{}{}
		work += ledger.Work(tx.tx)
	}
	return len(ids) == len(txs) && work <= ledger.MaxBlockWork
}

// FinalizeBlock returns what comes of a decided block, which mostly is executed by now. Nothing is written before Commit.
func (a *application) FinalizeBlock(_ context.Context, request *abci.RequestFinalizeBlock) (_ *abci.ResponseFinalizeBlock, err error) {
	defer a.failure.watch(fmt.Sprintf("execute block %d", request.Height), &err)
	height, blockTime, txs := uint64(request.Height), types.TimeOf(request.Time), a.resolve(request.Txs)
	if !a.optimistic.matches(height, blockTime, txs) {
		a.executeOptimistically(height, blockTime, txs)
	}
	<-a.optimistic.done
	a.finalized, a.optimistic = a.optimistic, nil
	if a.finalized.err != nil {
		return nil, a.finalized.err
	}
	block := a.finalized.staged.Block()
	response := &abci.ResponseFinalizeBlock{AppHash: block.Commitment[:], TxResults: make([]*abci.ExecTxResult, len(txs))}
	for i, result := range block.Txs {
		response.TxResults[i] = &abci.ExecTxResult{Code: uint32(result.Code), Log: result.Detail}
	}
	return response, nil
}

// Commit makes the block the store's last, then tells pool and followers. The engine has it on the disk by now; the store
// writes it soon. After a crash Info tells which block the store has, and the engine replays what came after it: each
// is done once.
func (a *application) Commit(context.Context, *abci.RequestCommit) (_ *abci.ResponseCommit, err error) {
	defer a.failure.watch("commit a block", &err)
	finalized := a.finalized
	if finalized == nil || finalized.staged == nil {
		return nil, fmt.Errorf("no block is to be committed")
	}
	a.finalized = nil
	if err := finalized.staged.Commit(); err != nil {
		return nil, err
	}
	a.due = finalized.due
	clear(a.seen)
	block := finalized.staged.Block()
	a.clock.decided(block.BlockTime.Std())
	if err := a.pool.advance(block, finalized.quiet, finalized.ours); err != nil {
		return nil, err
	}
	a.feed.publish(block)
	return &abci.ResponseCommit{}, nil
}

// resolve finds the transactions of a block among those that are known, and decodes and verifies the rest.
func (a *application) resolve(raw [][]byte) []blockTx {
	txs, hashes := make([]blockTx, len(raw)), make([]types.Hash, len(raw))
	for i, bytes := range raw {
		hashes[i] = sha256.Sum256(bytes)
	}
	var unknown []*types.Tx
	var places []int
	for i, tx := range a.known(hashes) {
		txs[i].hash = hashes[i]
		if tx != nil {
			txs[i].tx, txs[i].good = tx, true
			continue
		}
		if txs[i].tx, txs[i].err = types.DecodeTx(raw[i]); txs[i].err == nil {
			unknown, places = append(unknown, txs[i].tx), append(places, i)
		}
	}
	for j, good := range a.pool.verifier.verifyAll(unknown, workers()) {
		txs[places[j]].good = good
		if good {
			a.seen[unknown[j].Hash()] = unknown[j]
		}
	}
	return txs
}

// known returns the transactions whose signatures are known to be good, nil for others. The hash covers the signatures too.
func (a *application) known(hashes []types.Hash) []*types.Tx {
	txs := a.pool.byHash(hashes)
	for i, tx := range txs {
		if tx == nil {
			txs[i] = a.seen[hashes[i]]
		}
	}
	return txs
}
