package chain

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// pool is the mempool: the queue of transactions for the next blocks, in order of arrival. While the queue is short, each arrival is executed
// on the check state of checkstate.go, and an impossible one is refused at once. A long queue makes the pool overloaded: arrivals are
// screened, the proposer executes them, and those that fail are evicted with their code.
type pool struct {
	params   types.Params // in force after the head
	rules    []ledger.Rules
	store    *store.Store
	verifier *verifier
	feed     *feed
	clock    *clock
	maxTxs   int
	maxBytes int
	arrived  chan struct{} // holds a token when the queue may be non-empty
	failed   []*entry      // in this node's last proposal; used by consensus methods only

	turn         sync.Mutex // held during executions; locked before mu
	head         *store.Head
	checkState   *ledger.State // nil until needed
	checkStateAt time.Time     // when the check state was created: the time of its clock
	overloaded   bool          // the queue holds transactions that were not executed on the check state
	rechecked    time.Time     // when an overloaded pool last executed its oldest transactions again
	now          types.Time    // the clock of the next block, as estimated when the batch came that is taken

	mu     sync.Mutex // guards the fields below; held briefly
	queue  queue
	closed bool
}

// maxProposing bounds the time to fill a proposal: the other validators wait for it, and then take as long themselves.
const maxProposing = time.Second

// origin is the source of a transaction.
type origin bool

const (
	own     origin = true  // submitted at this node, which sends it to peers
	foreign origin = false // from a peer
)

// reservedShare is the part of the pool and of each block reserved for running trades: one in so many.
const reservedShare = 4

// txOverhead is the most bytes that a block adds to a transaction: a tag and the length.
const txOverhead = 5

func newPool(s *store.Store, f *feed, k *clock, config Config) (*pool, error) {
	p := &pool{
		params: s.Params(), rules: config.rules, store: s, feed: f, clock: k, maxTxs: config.PoolTxs, maxBytes: config.PoolBytes,
		arrived: make(chan struct{}, 1), queue: newQueue(),
	}
	if err := p.resetCheckState(); err != nil {
		return nil, err
	}
	p.verifier = newVerifier(workers(), p.take)
	return p, nil
}

func (p *pool) close() error {
	p.verifier.close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.head.Close()
}

// submit adds transactions to the queue in their order, or refuses them with a code: an error for each.
func (p *pool) submit(ctx context.Context, from origin, txs ...*types.Tx) []error {
	all := &submissionGroup{errs: make([]error, len(txs)), done: make(chan struct{})}
	some := make([]submission, 0, len(txs))
	for i, tx := range txs {
		if all.errs[i] = p.admit(tx); all.errs[i] == nil { // the others are refused without verification
			some = append(some, submission{tx: tx, from: from, of: all, at: i})
		}
	}
	if len(some) == 0 {
		return all.errs
	}
	all.left.Store(int64(len(some)))
	p.verifier.submit(some...)
	select {
	case <-all.done:
		return all.errs
	case <-ctx.Done():
		return slices.Repeat([]error{ctx.Err()}, len(txs)) // the errors are still being written
	}
}

// offer accepts a transaction of a peer without waiting for its verification: the engine calls it between consensus messages, and no caller
// needs an answer. A full node leaves the transaction to others.
func (p *pool) offer(tx *types.Tx) error {
	if err := p.admit(tx); err != nil {
		return err
	}
	return p.verifier.offer(tx)
}

// take checks and queues verified transactions, in order.
func (p *pool) take(batch []submission, good []bool) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.now = p.clock.next()
	for i := range batch {
		s := &batch[i]
		var err error
		if good[i] {
			err = p.takeOne(s.tx, s.from)
		} else {
			err = types.Refuse(types.CodeSignature, "a signature does not fit its key and this transaction")
		}
		s.answer(err)
	}
}

func (p *pool) takeOne(tx *types.Tx, from origin) error {
	if err := p.admit(tx); err != nil { // again: a duplicate may have been queued during its verification
		return err
	}
	if err := p.check(tx); err != nil {
		return p.orReplay(tx, err)
	}
	p.mu.Lock()
	p.queue.add(newEntry(tx), from)
	p.mu.Unlock()
	p.signal()
	return nil
}

// orReplay returns the refusal of a transaction that is already on the ledger, else the given one. It runs while no other execution does: a
// block with the transaction may have been committed during its verification.
func (p *pool) orReplay(tx *types.Tx, refusal error) error {
	before, err := p.store.Receipt(tx.ID())
	if err != nil {
		return fmt.Errorf("look up transaction %s: %w", tx.ID(), err)
	}
	if before != nil && before.Code == types.CodeOK {
		return types.Refuse(types.CodeReplay, "transaction %s is on the ledger, in block %d", tx.ID(), before.Height)
	}
	return p.orTaken(tx, refusal)
}

// orTaken names the queued transaction that spends the missing input.
func (p *pool) orTaken(tx *types.Tx, refusal error) error {
	if types.CodeOf(refusal) != types.CodeInputMissing {
		return refusal
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, input := range tx.Body.Inputs {
		if by, taken := p.queue.spends[input]; taken {
			return types.Refuse(types.CodeInputMissing,
				"output %s is spent by transaction %s, which is queued: wait until it is on the ledger, then create this transaction anew", input, by)
		}
	}
	return refusal
}

// admit makes the pool's own checks, which need no execution.
func (p *pool) admit(tx *types.Tx) error {
	if err := ledger.CheckWork(tx); err != nil { // it fits into no block and would block the queue
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errStopping()
	}
	if _, waiting := p.queue.ids[tx.ID()]; waiting {
		return types.Refuse(types.CodePending, "transaction %s is queued already", tx.ID())
	}
	if trade, ok := unsignedTrade(tx); ok {
		if _, waiting := p.queue.releases[trade]; waiting {
			return types.Refuse(types.CodePending, "another release or settlement of trade %s is queued", trade)
		}
	}
	maxTxs, maxBytes := p.maxTxs, p.maxBytes
	if !onRunningTrade(tx) {
		maxTxs, maxBytes = maxTxs-maxTxs/reservedShare, maxBytes-maxBytes/reservedShare
	}
	if q := &p.queue; len(q.entries)+1 > maxTxs || q.bytes+len(tx.Bytes()) > maxBytes {
		return types.Refuse(types.CodePoolFull, "the queue is full with %d transactions of %d bytes; submit again later", len(q.entries), q.bytes)
	}
	return nil
}

// onRunningTrade reports whether a transaction acts on a trade that is paid.
func onRunningTrade(tx *types.Tx) bool {
	for _, action := range tx.Body.Actions {
		if types.InfoOf(action).Running {
			return true
		}
	}
	return false
}

// unsignedTrade returns the trade of an unsigned transaction.
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

// signal wakes a proposer that waits for a transaction.
func (p *pool) signal() {
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}

// awaitFirst waits until the queue has a transaction, at most for a while.
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
	return len(p.queue.entries)
}

// work returns the work of the whole queue.
func (p *pool) work() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.work
}

func (p *pool) has(id types.TxID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.ids[id] != nil
}

// byHash returns the queued transactions with these hashes, nil for others.
func (p *pool) byHash(hashes []types.Hash) []*types.Tx {
	txs := make([]*types.Tx, len(hashes))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, hash := range hashes {
		if e := p.queue.hashes[hash]; e != nil {
			txs[i] = e.tx
		}
	}
	return txs
}

// reap returns queued transactions that were not sent to peers yet: own ones, and with relay those of peers too.
func (p *pool) reap(maxBytes int, relay bool) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.take(maxBytes, relay)
}

// propose fills a block in order of arrival, up to the first transaction that exceeds its bytes or its work, or comes after a moment. If the whole queue may not fit,
// transactions on running trades come first, up to the reserved share. Failed transactions stay in the queue until the block is decided:
// see advance.
func (p *pool) propose(x *blockExecution, maxBytes int, until time.Time) []blockTx {
	p.mu.Lock()
	entries := slices.Clip(p.queue.entries)
	fits := p.queue.bytes+len(entries)*txOverhead <= maxBytes && p.queue.work <= x.room
	p.mu.Unlock()
	txs := make([]blockTx, 0, len(entries))
	used, chosen := 0, make([]bool, len(entries))
	choose := func(i int) bool {
		tx := entries[i].tx
		if !x.choose(tx) {
			return false
		}
		chosen[i], used = true, used+entries[i].size()
		txs = append(txs, blockTx{tx: tx, hash: tx.Hash(), signaturesValid: true, raw: tx.Bytes()})
		return true
	}
	if !fits {
		shared := x.room - x.room/reservedShare
		for i, e := range entries {
			if e.running && used+e.size() <= maxBytes/reservedShare && shared+e.work <= x.room {
				choose(i)
			}
		}
	}
	p.failed = nil
	for i, e := range entries {
		switch {
		case chosen[i]:
		case used+e.size() > maxBytes || e.work > x.room || time.Now().After(until):
			return txs
		case !choose(i):
			p.failed = append(p.failed, e)
		}
	}
	return txs
}

// advance removes the transactions of a committed block, and those that the block made impossible. quiet tells that the block had no effects
// beside its transactions, ours that it is this node's last proposal.
func (p *pool) advance(block *store.Block, quiet, ours bool) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	failed := p.failed
	p.failed = nil
	foreseen := quiet && len(failed) == 0
	p.mu.Lock()
	work := p.queue.work // including the transactions of the block
	ids := make([]types.TxID, len(block.Txs))
	for i, tx := range block.Txs {
		ids[i] = tx.ID
		foreseen = foreseen && tx.Code == types.CodeOK && p.queue.ids[tx.ID] != nil
	}
	p.queue.remove(ids)
	left := len(p.queue.entries)
	p.mu.Unlock()
	if left > 0 {
		p.signal()
	}
	switch {
	case p.overloaded && work > maxCheckWork:
		return p.recheck(ours, failed)
	case !p.overloaded && foreseen && left > 0 && time.Since(p.checkStateAt) <= maxCheckStateAge:
		return nil
	default:
		return p.resetCheckState()
	}
}
