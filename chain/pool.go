package chain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"lockstep/ledger"
	"lockstep/store"
	"lockstep/types"
)

// pool holds the transactions that wait for a block. Each was executed, in order of arrival, on a scratch state on top of
// a block, so a transaction can build on another that still waits, and what is proposed is what can be done.
//
// A block of what waits was executed on the scratch state before, so that state stays in use over several blocks, until
// it has to be made anew on top of the last one: see mustRebase.
type pool struct {
	params   types.Params
	store    *store.Store
	verifier *verifier
	feed     *feed
	maxTxs   int
	maxBytes int
	arrived  chan struct{} // holds one token when something may be waiting

	work     sync.Mutex // held while something is executed, and before mu
	snapshot *store.Snapshot
	scratch  *ledger.State
	based    time.Time // when the scratch state was made: its clock stands there
	executed int       // since then

	mu      sync.Mutex // guards what follows, never for long
	waiting waiting
	failed  bool // something that waits could not be done in a proposal
	closed  bool
}

const (
	// maxScratchAge is how far the clock of the scratch state may be behind.
	maxScratchAge = time.Second
	// rebaseShare bounds the work of making the scratch state anew to one part in so many of what is executed anyway.
	rebaseShare = 4
)

// origin tells where a transaction came from.
type origin bool

const (
	own     origin = true  // handed in at this node, which passes it on
	foreign origin = false // from a peer
)

// reservedShare is the part of the pool and of each block that is kept for running trades: one in so many.
const reservedShare = 4

// txOverhead is the most bytes that a block adds to a transaction: a tag and the length.
const txOverhead = 5

func newPool(s *store.Store, f *feed, config Config) (*pool, error) {
	p := &pool{
		params: s.Params(), store: s, feed: f, maxTxs: config.PoolTxs, maxBytes: config.PoolBytes,
		arrived: make(chan struct{}, 1), waiting: newWaiting(),
	}
	if err := p.rebase(); err != nil {
		return nil, err
	}
	p.verifier = newVerifier(workers(), p.takeAll)
	return p, nil
}

func (p *pool) close() error {
	p.verifier.close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.work.Lock()
	defer p.work.Unlock()
	return p.snapshot.Close()
}

// submit takes a transaction in, or refuses it with the ledger's code or the pool's.
func (p *pool) submit(ctx context.Context, tx *types.Tx, from origin) error {
	if err := p.admit(tx); err != nil { // what needs no work to be refused
		return err
	}
	return p.verifier.submit(ctx, tx, from)
}

// takeAll takes in what was verified, in order.
func (p *pool) takeAll(batch []*submission, good []bool) {
	for i, s := range batch {
		if !good[i] {
			s.answer <- types.Refuse(types.CodeSignature, "a signature does not fit its key and this transaction")
			continue
		}
		s.answer <- p.take(s.tx, s.from)
	}
}

func (p *pool) take(tx *types.Tx, from origin) error {
	p.work.Lock()
	defer p.work.Unlock()
	if err := p.admit(tx); err != nil { // again: it may have come twice while it was verified
		return err
	}
	if err := p.execute(tx); err != nil {
		return p.orReplay(tx, err)
	}
	p.mu.Lock()
	p.waiting.add(&entry{tx: tx, running: onRunningTrade(tx)}, from)
	p.mu.Unlock()
	p.signal()
	return nil
}

// orReplay tells of a transaction that is on the ledger, rather than how it can't be done a second time. It is asked while
// nothing else is executed: a block that holds the transaction may have come while its signatures were verified.
func (p *pool) orReplay(tx *types.Tx, refusal error) error {
	before, err := p.store.Receipt(tx.ID())
	if err != nil {
		return fmt.Errorf("look up transaction %s: %w", tx.ID(), err)
	}
	if before != nil && before.Code == types.CodeOK {
		return types.Refuse(types.CodeReplay, "transaction %s is on the ledger, in block %d", tx.ID(), before.Height)
	}
	return refusal
}

// admit checks what the pool itself asks.
func (p *pool) admit(tx *types.Tx) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errStopping()
	}
	if _, waiting := p.waiting.ids[tx.ID()]; waiting {
		return types.Refuse(types.CodePending, "transaction %s is waiting", tx.ID())
	}
	if trade, ok := unsignedTrade(tx); ok {
		if _, waiting := p.waiting.releases[trade]; waiting {
			return types.Refuse(types.CodePending, "another release or settlement of trade %s is waiting", trade)
		}
	}
	maxTxs, maxBytes := p.maxTxs, p.maxBytes
	if !onRunningTrade(tx) {
		maxTxs, maxBytes = maxTxs-maxTxs/reservedShare, maxBytes-maxBytes/reservedShare
	}
	if w := &p.waiting; len(w.entries)+1 > maxTxs || w.bytes+len(tx.Bytes()) > maxBytes {
		return types.Refuse(types.CodePoolFull, "%d transactions with %d bytes are waiting", len(w.entries), w.bytes)
	}
	return nil
}

func (p *pool) execute(tx *types.Tx) error {
	p.executed++
	result := p.scratch.Execute(tx, true)
	if result.Code == types.CodeOK {
		return nil
	}
	detail := strings.TrimPrefix(result.Detail, result.Code.String()+": ") // a refusal writes its code itself
	return &types.Refusal{Code: result.Code, Detail: detail}
}

// onRunningTrade reports whether a transaction moves a trade on that has begun.
func onRunningTrade(tx *types.Tx) bool {
	for _, action := range tx.Body.Actions {
		switch action.(type) {
		case *types.Deliver, *types.Release, *types.Split, *types.Reading, *types.Settle, *types.Award:
			return true
		case *types.Issue, *types.Redeem, *types.Post, *types.Cancel, *types.Take, *types.Place, *types.Withdraw, *types.Agree, *types.Pay,
			*types.Admit, *types.Enrol, *types.Retire:
		}
	}
	return false
}

// unsignedTrade tells which trade an unsigned transaction acts on.
func unsignedTrade(tx *types.Tx) (trade types.TradeID, ok bool) {
	if len(tx.Signatures) > 0 || len(tx.Body.Actions) != 1 {
		return trade, false
	}
	if release, ok := tx.Body.Actions[0].(*types.Release); ok {
		return release.Trade, true
	}
	if settle, ok := tx.Body.Actions[0].(*types.Settle); ok {
		return settle.Trade, true
	}
	return trade, false
}

// signal wakes a proposer that waits for the first transaction.
func (p *pool) signal() {
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}

// awaitFirst returns when something is waiting, at the latest after a while.
func (p *pool) awaitFirst(atMost time.Duration, stop <-chan struct{}) {
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	for p.size() == 0 {
		select {
		case <-p.arrived:
		case <-timeout.C:
			return
		case <-stop:
			return
		}
	}
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting.entries)
}

func (p *pool) has(id types.TxID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.ids[id] != nil
}

// byHash returns the transactions of these hashes, nil for those that don't wait here.
func (p *pool) byHash(hashes []types.Hash) []*types.Tx {
	txs := make([]*types.Tx, len(hashes))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, hash := range hashes {
		if e := p.waiting.hashes[hash]; e != nil {
			txs[i] = e.tx
		}
	}
	return txs
}

// reap hands out own transactions that peers have not been told of, and that still wait.
func (p *pool) reap(maxBytes int) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.take(maxBytes)
}

// propose fills a block, in order of arrival. When not all that waits may fit, what acts on running trades comes first, up
// to the reserved share. What fails stays in the pool for now: it may build on a transaction that didn't fit.
func (p *pool) propose(x *execution, maxBytes int) [][]byte {
	p.mu.Lock()
	entries := slices.Clip(p.waiting.entries)
	fits := p.waiting.bytes+len(entries)*txOverhead <= maxBytes
	p.mu.Unlock()
	txs := make([][]byte, 0, len(entries))
	used, chosen := 0, make([]bool, len(entries))
	fill := func(limit int, wanted func(*entry) bool) {
		for i, e := range entries {
			size := len(e.tx.Bytes()) + txOverhead
			if chosen[i] || !wanted(e) || used+size > limit || !x.choose(e.tx) {
				continue
			}
			chosen[i] = true
			used += size
			txs = append(txs, e.tx.Bytes())
		}
	}
	if !fits {
		fill(maxBytes/reservedShare, func(e *entry) bool { return e.running })
	}
	fill(maxBytes, func(*entry) bool { return true })
	if fits && len(txs) < len(entries) {
		p.mu.Lock()
		p.failed = true
		p.mu.Unlock()
	}
	return txs
}

// advance follows a committed block: what it holds leaves the pool, and so does what has become impossible. quiet tells
// that the block did nothing but its transactions.
func (p *pool) advance(block *store.Block, quiet bool) error {
	p.work.Lock()
	defer p.work.Unlock()
	p.mu.Lock()
	ids := make([]types.TxID, len(block.Txs))
	foreseen := quiet && !p.failed
	for i, tx := range block.Txs {
		ids[i] = tx.ID
		foreseen = foreseen && tx.Code == types.CodeOK && p.waiting.ids[tx.ID] != nil
	}
	p.waiting.remove(ids)
	left := len(p.waiting.entries)
	p.mu.Unlock()
	if left > 0 {
		p.signal()
	}
	if !p.mustRebase(foreseen, left) {
		return nil
	}
	return p.rebase()
}

// mustRebase reports whether the scratch state is to be made anew: when it is not what the block has come to, when its clock
// is too far behind, and when that costs little. The latter also bounds the memory that it takes.
func (p *pool) mustRebase(foreseen bool, left int) bool {
	return !foreseen || time.Since(p.based) > maxScratchAge || left <= p.executed/rebaseShare
}

// rebase puts the scratch state on top of the last block and executes again, in order, what waits. What has become
// impossible leaves the pool. The clock of the scratch state is a guess at that of the next block.
func (p *pool) rebase() error {
	if p.snapshot != nil {
		if err := p.snapshot.Close(); err != nil {
			return err
		}
	}
	p.snapshot = p.store.Snapshot()
	p.scratch = ledger.New(p.snapshot, p.params)
	p.based, p.executed = time.Now(), 0
	p.scratch.Begin(p.snapshot.Height()+1, types.TimeOf(p.based))
	p.mu.Lock()
	entries := p.waiting.entries
	p.failed = false
	p.mu.Unlock()
	var ids []types.TxID
	var refusals []error
	for _, e := range entries {
		if err := p.execute(e.tx); err != nil {
			ids, refusals = append(ids, e.tx.ID()), append(refusals, err)
		}
	}
	p.executed = 0
	if len(ids) == 0 {
		return nil
	}
	p.mu.Lock()
	p.waiting.remove(ids)
	p.mu.Unlock()
	for i, id := range ids { // after they have left: who sees one wait here is sure to be told
		p.feed.drop(id, refusals[i])
	}
	return nil
}
