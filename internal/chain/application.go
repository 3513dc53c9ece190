package chain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// usualBlock is the expected number of transactions in a full block.
const usualBlock = 4096

// application implements the engine's interface (ABCI): it executes blocks and returns their commitments. The engine calls the consensus
// methods one at a time, and those of the pool at any time.
type application struct {
	abci.BaseApplication
	params  types.Params      // of genesis
	began   []types.Validator // of the genesis file
	carried *ledger.Carried   // of the genesis file, until the first block
	rules   []ledger.Rules    // versions that this program knows
	idle    time.Duration
	until   uint64 // the last block that this node takes part in; 0: there is none
	store   *store.Store
	pool    *pool
	feed    *feed
	failure *failure
	clock   *clock
	custody *custody
	sync    *blockSync
	logger  *slog.Logger
	stop    <-chan struct{} // closed to end the wait of an idle proposer
	relays  func() bool     // reports whether peers need the transactions of other peers

	replaying atomic.Bool // the engine replays its log: don't wait for transactions

	// State between the calls of one height, used by consensus methods only.
	seen       map[types.Hash]*types.Tx // of proposals of others, decoded and verified
	resolved   []blockTx                // of the block that was proposed or judged last
	optimistic *optimisticBlock         // the block whose execution began last
	finalized  *optimisticBlock         // the block to commit
	due        bool                     // the last block left due entries to the next one
	unproved   bool                     // the last block has outcomes, which the header of the next one proves

	executing sync.WaitGroup // optimistic executions
	retention retention
	restoring *restoring // a snapshot; nil when none is taken over
}

// blockTx is a transaction of a block: decoded, with the verdict on its signatures, or the reason why it can't be decoded.
type blockTx struct {
	hash            types.Hash
	tx              *types.Tx
	signaturesValid bool
	err             error
	raw             []byte // as the block has it
}

// Info returns the height and the commitment of the store. The engine replays later blocks. It takes the version of the rules as that of the first
// block, or, behind a snapshot, of the next one.
func (a *application) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	params := a.params
	if a.store.Base() >= a.store.First() {
		params = a.store.Params()
	}
	info := &abci.ResponseInfo{Data: "lockstep", AppVersion: uint64(params.Version())}
	if height := a.store.Height(); height > a.params.Base() {
		commitment := a.store.Commitment()
		info.LastBlockHeight, info.LastBlockAppHash = int64(height), commitment[:]
	}
	return info, nil
}

// InitChain starts a ledger. The parameters of the genesis file must equal those of the store.
func (a *application) InitChain(_ context.Context, request *abci.RequestInitChain) (_ *abci.ResponseInitChain, err error) {
	defer a.failure.watch("begin the chain", &err)
	params, _, err := parseState(request.ChainId, request.AppStateBytes, request.InitialHeight)
	if err != nil {
		return nil, err
	}
	if params.Hash() != a.params.Hash() {
		return nil, fmt.Errorf("the genesis file has other parameters than the store of chain %q", a.params.ChainID)
	}
	commitment := a.store.Commitment()
	return &abci.ResponseInitChain{AppHash: commitment[:]}, nil
}

// CheckTx submits a transaction that arrived through the engine's own interface.
func (a *application) CheckTx(ctx context.Context, request *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	tx, err := types.DecodeTx(request.Tx)
	if err == nil {
		err = a.pool.submit(ctx, own, tx)[0]
	}
	return &abci.ResponseCheckTx{Code: uint32(types.CodeOf(err))}, nil
}

// InsertTx queues a transaction of a peer for the pool. It doesn't block: the peer's votes and blocks are behind it.
func (a *application) InsertTx(_ context.Context, request *abci.RequestInsertTx) (*abci.ResponseInsertTx, error) {
	tx, err := types.DecodeTx(request.Tx)
	if err == nil {
		err = a.pool.offer(tx)
	}
	return &abci.ResponseInsertTx{Code: uint32(types.CodeOf(err))}, nil
}

// ReapTxs returns new transactions for the peers.
func (a *application) ReapTxs(_ context.Context, request *abci.RequestReapTxs) (*abci.ResponseReapTxs, error) {
	return &abci.ResponseReapTxs{Txs: a.pool.reap(int(request.MaxBytes), a.relays())}, nil
}

// PrepareProposal fills a block from the pool. The block after one with outcomes is proposed at once, since its header has the app hash that proves
// them. An idle chain proposes an empty block now and then, so that the ledger clock advances; that has no outcomes and so triggers none.
func (a *application) PrepareProposal(
	_ context.Context, request *abci.RequestPrepareProposal,
) (_ *abci.ResponsePrepareProposal, err error) {
	defer a.failure.watch("prepare a proposal", &err)
	if err := a.checkRules(); err != nil {
		return nil, err
	}
	if !a.due && !a.unproved && !a.replaying.Load() && !a.beyond(uint64(request.Height)) {
		a.pool.awaitFirst(a.idle, a.stop)
	}
	signers := make([]address, 0, len(request.LocalLastCommit.Votes))
	for i := range request.LocalLastCommit.Votes {
		signers = appendSigner(signers, &request.LocalLastCommit.Votes[i])
	}
	x := a.begin(uint64(request.Height), types.TimeOf(request.Time), signers, min(a.pool.size(), usualBlock))
	a.resolved = a.pool.propose(x, int(request.MaxTxBytes), time.Now().Add(maxProposing))
	a.finishProposal(x)
	txs := make([][]byte, len(a.resolved))
	for i := range a.resolved {
		txs[i] = a.resolved[i].raw
	}
	return &abci.ResponsePrepareProposal{Txs: proposal(txs)}, nil
}

// ProcessProposal rejects blocks that no honest proposer makes: with a transaction that can't be decoded, lacks a valid signature or
// occurs twice, with more work than the limit, or with a time too far ahead.
func (a *application) ProcessProposal(
	_ context.Context, request *abci.RequestProcessProposal,
) (_ *abci.ResponseProcessProposal, err error) {
	defer a.failure.watch("judge a proposal", &err)
	if err := a.checkRules(); err != nil {
		return nil, err
	}
	txs := a.resolve(request.Txs)
	if !clean(txs) || !a.clock.judge(request.Time) || a.beyond(uint64(request.Height)) {
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	height, blockTime, signers := uint64(request.Height), types.TimeOf(request.Time), signersOf(request.ProposedLastCommit.Votes)
	if !a.optimistic.matches(height, blockTime, signers, txs) {
		a.executeOptimistically(height, blockTime, signers, txs)
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// clean reports whether all transactions are decoded, signed and unique, and their work is within the limit of a block.
func clean(txs []blockTx) bool {
	ids := make(map[types.TxID]struct{}, len(txs))
	work := uint64(0)
	for _, tx := range txs {
		if tx.err != nil || !tx.signaturesValid {
			return false
		}
		ids[tx.tx.ID()] = struct{}{}
		work += ledger.Work(tx.tx)
	}
	return len(ids) == len(txs) && work <= ledger.MaxBlockWork
}

// FinalizeBlock returns the results of a decided block, usually from its optimistic execution. Nothing is written before Commit.
func (a *application) FinalizeBlock(_ context.Context, request *abci.RequestFinalizeBlock) (_ *abci.ResponseFinalizeBlock, err error) {
	defer a.failure.watch(fmt.Sprintf("execute block %d", request.Height), &err)
	a.sync.rest()
	if err := a.checkRules(); err != nil {
		return nil, err
	}
	height, blockTime, txs := uint64(request.Height), types.TimeOf(request.Time), a.resolve(request.Txs)
	if a.beyond(height) {
		return nil, fmt.Errorf("the other validators have decided block %d, and this node was to stop after block %d: agree with them on a later one", height, a.until)
	}
	a.custody.committed(request)
	signers := signersOf(request.DecidedLastCommit.Votes)
	if !a.optimistic.matches(height, blockTime, signers, txs) {
		a.executeOptimistically(height, blockTime, signers, txs)
	}
	<-a.optimistic.done
	a.finalized, a.optimistic = a.optimistic, nil
	if a.finalized.err != nil {
		return nil, a.finalized.err
	}
	block := a.finalized.staged.Block()
	response := &abci.ResponseFinalizeBlock{AppHash: block.Commitment[:], TxResults: make([]*abci.ExecTxResult, len(txs))}
	response.ValidatorUpdates, response.ConsensusParamUpdates = a.changes(a.finalized)
	for i, result := range block.Txs {
		response.TxResults[i] = &abci.ExecTxResult{Code: uint32(result.Code), Log: result.Detail}
	}
	return response, nil
}

// Commit makes the block the store's last one, then informs the pool and the followers. The engine has the block on its disk by now; the
// store flushes it later. After a crash the engine replays the blocks after [application.Info]'s height, each once.
func (a *application) Commit(context.Context, *abci.RequestCommit) (_ *abci.ResponseCommit, err error) {
	defer a.failure.watch("commit a block", &err)
	finalized := a.finalized
	if finalized == nil || finalized.staged == nil {
		return nil, fmt.Errorf("no finalized block to commit")
	}
	a.finalized, a.carried = nil, nil
	if err := finalized.staged.Commit(); err != nil {
		return nil, err
	}
	a.due, a.unproved = finalized.due, finalized.outcomes
	clear(a.seen)
	a.resolved = nil
	block := finalized.staged.Block()
	a.clock.decided(block.BlockTime.Std())
	if err := a.pool.advance(block, finalized.quiet, finalized.ours); err != nil {
		return nil, err
	}
	a.feed.publish(block)
	if governance := finalized.governance; governance != nil {
		a.clock.setSeveral(len(governance.Validators) > 1)
	}
	a.tellStop()
	return &abci.ResponseCommit{RetainHeight: a.retention.next()}, a.haltForUpgrade()
}

// resolve looks up the transactions of a block among the known ones, and decodes and verifies the rest. Mostly it is the block that was proposed or judged
// last: those transactions are not even hashed again.
func (a *application) resolve(raw [][]byte) []blockTx {
	txs := make([]blockTx, len(raw))
	var places []int // of those that aren't the last block's
	var hashes []types.Hash
	for i := range raw {
		if i < len(a.resolved) && bytes.Equal(raw[i], a.resolved[i].raw) {
			txs[i] = a.resolved[i]
			continue
		}
		txs[i].hash, txs[i].raw = sha256.Sum256(raw[i]), raw[i]
		places, hashes = append(places, i), append(hashes, txs[i].hash)
	}
	a.identify(txs, places, hashes)
	a.resolved = txs
	return txs
}

// identify looks up the transactions at some places by their hashes, or decodes and verifies them.
func (a *application) identify(txs []blockTx, places []int, hashes []types.Hash) {
	var unknown []*types.Tx
	var unknownAt []int
	for i, known := range a.known(hashes) {
		tx := &txs[places[i]]
		if known != nil {
			tx.tx, tx.signaturesValid = known, true
		} else if tx.tx, tx.err = types.DecodeTx(tx.raw); tx.err == nil {
			unknown, unknownAt = append(unknown, tx.tx), append(unknownAt, places[i])
		}
	}
	for i, good := range a.pool.verifier.verifyAll(unknown, workers()) {
		txs[unknownAt[i]].signaturesValid = good
		if good {
			a.seen[unknown[i].Hash()] = unknown[i]
		}
	}
}

// known returns the transactions whose signatures are known to be valid, nil for others. The hash covers the signatures too.
func (a *application) known(hashes []types.Hash) []*types.Tx {
	txs := a.pool.byHash(hashes)
	for i, tx := range txs {
		if tx == nil {
			txs[i] = a.seen[hashes[i]]
		}
	}
	return txs
}
