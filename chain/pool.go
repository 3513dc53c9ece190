package chain

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"lockstep/ledger"
	"lockstep/store"
	"lockstep/types"
)

// pool holds the transactions that wait for a block. Each was executed, in order of arrival, on a scratch state on top of
// the last block, so a transaction can build on another that still waits, and what is proposed is what can be done.
type pool struct {
	params   types.Params
	store    *store.Store
	verifier *verifier
	feed     *feed
	maxTxs   int
	maxBytes int
	arrived  chan struct{} // holds one token when something may be waiting

	mu       sync.Mutex
	entries  []*entry // in order of arrival
	ids      map[types.TxID]*entry
	hashes   map[types.Hash]*entry
	releases map[types.TradeID]struct{} // trades with an unsigned transaction waiting
	bytes    int
	fresh    []types.TxID // own, not yet handed out to peers
	snapshot *store.Snapshot
	scratch  *ledger.State
	closed   bool
}

// entry is a transaction in the pool: decoded, its signatures verified.
type entry struct {
	tx      *types.Tx
	running bool // acts on a running trade: has a deadline to keep, or money to free
}

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

func newPool(s *store.Store, v *verifier, f *feed, config Config) (*pool, error) {
	p := &pool{
		params: s.Params(), store: s, verifier: v, feed: f, maxTxs: config.PoolTxs, maxBytes: config.PoolBytes,
		arrived: make(chan struct{}, 1),
		ids:     map[types.TxID]*entry{}, hashes: map[types.Hash]*entry{}, releases: map[types.TradeID]struct{}{},
	}
	return p, p.rebase()
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.snapshot.Close()
}

// submit takes a transaction in, or refuses it with the ledger's code or the pool's.
func (p *pool) submit(ctx context.Context, tx *types.Tx, from origin) error {
	if err := p.precheck(tx); err != nil {
		return err
	}
	good, err := p.verifier.verify(ctx, tx)
	if err != nil {
		return err
	}
	if !good {
		return types.Refuse(types.CodeSignature, "a signature does not fit its key and this transaction")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.admit(tx); err != nil { // again: it may have come twice while it was verified
		return err
	}
	if err := p.execute(tx); err != nil {
		return p.orReplay(tx, err)
	}
	p.add(&entry{tx: tx, running: onRunningTrade(tx)})
	if from == own {
		p.fresh = append(p.fresh, tx.ID())
	}
	p.signal()
	return nil
}

// precheck refuses what needs no work to be refused.
func (p *pool) precheck(tx *types.Tx) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.admit(tx)
}

// orReplay tells of a transaction that is on the ledger, rather than how it can't be done a second time. It is asked under
// the lock: a block that holds the transaction may have come while its signatures were verified.
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
	if p.closed {
		return errStopping()
	}
	if _, waiting := p.ids[tx.ID()]; waiting {
		return types.Refuse(types.CodePending, "transaction %s is waiting", tx.ID())
	}
	if trade, ok := unsignedTrade(tx); ok {
		if _, waiting := p.releases[trade]; waiting {
			return types.Refuse(types.CodePending, "another release or settlement of trade %s is waiting", trade)
		}
	}
	maxTxs, maxBytes := p.maxTxs, p.maxBytes
	if !onRunningTrade(tx) {
		maxTxs, maxBytes = maxTxs-maxTxs/reservedShare, maxBytes-maxBytes/reservedShare
	}
	if len(p.entries)+1 > maxTxs || p.bytes+len(tx.Bytes()) > maxBytes {
		return types.Refuse(types.CodePoolFull, "%d transactions with %d bytes are waiting", len(p.entries), p.bytes)
	}
	return nil
}

func (p *pool) execute(tx *types.Tx) error {
	result := p.scratch.Execute(tx, true)
	if result.Code == types.CodeOK {
		return nil
	}
	detail := strings.TrimPrefix(result.Detail, result.Code.String()+": ") // a refusal writes its code itself
	return &types.Refusal{Code: result.Code, Detail: detail}
}

func (p *pool) add(e *entry) {
	p.entries = append(p.entries, e)
	p.ids[e.tx.ID()], p.hashes[e.tx.Hash()] = e, e
	p.bytes += len(e.tx.Bytes())
	if trade, ok := unsignedTrade(e.tx); ok {
		p.releases[trade] = struct{}{}
	}
}

// onRunningTrade reports whether a transaction moves a trade on that has begun.
func onRunningTrade(tx *types.Tx) bool {
	for _, action := range tx.Body.Actions {
		switch action.(type) {
		case *types.Deliver, *types.Release, *types.Split, *types.Reading, *types.Settle, *types.Award:
			return true
		case *types.Issue, *types.Redeem, *types.Post, *types.Cancel, *types.Take, *types.Agree, *types.Pay,
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
	for p.waiting() == 0 {
		select {
		case <-p.arrived:
		case <-timeout.C:
			return
		case <-stop:
			return
		}
	}
}

func (p *pool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.entries)
}

func (p *pool) has(id types.TxID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids[id] != nil
}

func (p *pool) byHash(hash types.Hash) *types.Tx {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.hashes[hash]; e != nil {
		return e.tx
	}
	return nil
}

// reap hands out own transactions that peers have not been told of, and that still wait.
func (p *pool) reap(maxBytes int) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var txs [][]byte
	total := 0
	for i, id := range p.fresh {
		e := p.ids[id]
		if e == nil {
			continue
		}
		if total += len(e.tx.Bytes()); maxBytes > 0 && total > maxBytes {
			p.fresh = p.fresh[i:]
			return txs
		}
		txs = append(txs, e.tx.Bytes())
	}
	p.fresh = nil
	return txs
}

// propose fills a block: first what acts on running trades, up to the reserved share, then all else in order of arrival.
// What fails stays in the pool: it may build on a transaction that didn't fit.
func (p *pool) propose(x *execution, maxBytes int) [][]byte {
	p.mu.Lock()
	entries := p.entries[:len(p.entries):len(p.entries)]
	p.mu.Unlock()
	var txs [][]byte
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
	fill(maxBytes/reservedShare, func(e *entry) bool { return e.running })
	fill(maxBytes, func(*entry) bool { return true })
	return txs
}

// advance follows a committed block: what it holds leaves the pool, and what has become impossible by it.
func (p *pool) advance(block *store.Block) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tx := range block.Txs {
		delete(p.ids, tx.ID)
	}
	return p.rebase()
}

// rebase puts the scratch state on top of the last block and executes again, in order, the entries that p.ids still
// holds. The clock of the scratch state is a guess at that of the next block.
func (p *pool) rebase() error {
	if p.snapshot != nil {
		if err := p.snapshot.Close(); err != nil {
			return err
		}
	}
	p.snapshot = p.store.Snapshot()
	p.scratch = ledger.New(p.snapshot, p.params)
	p.scratch.Begin(p.snapshot.Height()+1, types.TimeOf(time.Now()))
	before, ids := p.entries, p.ids
	p.entries, p.bytes = make([]*entry, 0, len(ids)), 0
	p.ids = make(map[types.TxID]*entry, len(ids))
	clear(p.hashes)
	clear(p.releases)
	for _, e := range before {
		if ids[e.tx.ID()] != e {
			continue
		}
		if err := p.execute(e.tx); err != nil {
			p.feed.drop(e.tx.ID(), err)
			continue
		}
		p.add(e)
	}
	p.fresh = stillWaiting(p.fresh, p.ids)
	if len(p.entries) > 0 {
		p.signal()
	}
	return nil
}

func stillWaiting(fresh []types.TxID, ids map[types.TxID]*entry) []types.TxID {
	var rest []types.TxID
	for _, id := range fresh {
		if ids[id] != nil {
			rest = append(rest, id)
		}
	}
	return rest
}
