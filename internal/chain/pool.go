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

// pool holds the transactions that wait for a block, in order of arrival. While few wait, each is executed as it arrives, on the
// scratch state of lookahead.go, so what can't be done is refused at once. While many wait the pool is hurried: what arrives is
// screened and left for the proposer to execute, and what fails there leaves the pool with its code.
type pool struct {
	params   types.Params
	store    *store.Store
	verifier *verifier
	feed     *feed
	clock    *clock
	maxTxs   int
	maxBytes int
	arrived  chan struct{} // holds one token when something may be waiting
	failed   []*entry      // in the last proposal of this node; touched by consensus methods only

	turn         sync.Mutex // held while something is executed, and before mu
	head         *store.Head
	checkState   *ledger.State // nil until it is needed
	checkStateAt time.Time     // when the scratch state was made: its clock stands there
	overloaded   bool          // something waits that the scratch state has not seen, so it sees nothing more
	rechecked    time.Time     // when what has waited longest was executed again, while hurried

	mu     sync.Mutex // guards what follows, never for long
	queue  queue
	closed bool
}

// maxProposing is how long a proposal is filled at most: the other validators wait for it, and then do as much themselves.
const maxProposing = time.Second

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

func newPool(s *store.Store, f *feed, k *clock, config Config) (*pool, error) {
	p := &pool{
		params: s.Params(), store: s, feed: f, clock: k, maxTxs: config.PoolTxs, maxBytes: config.PoolBytes,
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

// submit takes transactions in, in their order, or refuses them with the ledger's code or the pool's: an error for each.
func (p *pool) submit(ctx context.Context, from origin, txs ...*types.Tx) []error {
	all := &submissionGroup{errs: make([]error, len(txs)), done: make(chan struct{})}
	some := make([]submission, 0, len(txs))
	for i, tx := range txs {
		if all.errs[i] = p.admit(tx); all.errs[i] == nil { // else it needs no work to be refused
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
		return slices.Repeat([]error{ctx.Err()}, len(txs)) // the answers are still being written
	}
}

// offer takes in what comes from a peer, without waiting for the verdict: the engine hands it in between the messages of
// consensus, and nobody waits for an answer. What finds no room is left to the other nodes.
func (p *pool) offer(tx *types.Tx) error {
	if err := p.admit(tx); err != nil {
		return err
	}
	return p.verifier.offer(tx)
}

// take takes in what was verified, in order.
func (p *pool) take(batch []submission, good []bool) {
	p.turn.Lock()
	defer p.turn.Unlock()
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
	if err := p.admit(tx); err != nil { // again: it may have come twice while it was verified
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
	return p.orTaken(tx, refusal)
}

// orTaken names the transaction that waits and spends an input which is missing for that.
func (p *pool) orTaken(tx *types.Tx, refusal error) error {
	if types.CodeOf(refusal) != types.CodeInputMissing {
		return refusal
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, input := range tx.Body.Inputs {
		if by, taken := p.queue.spends[input]; taken {
			return types.Refuse(types.CodeInputMissing,
				"output %s is spent by transaction %s, which waits for a block: when that is on the ledger, make this transaction again", input, by)
		}
	}
	return refusal
}

// admit checks what the pool itself asks, and what can be told without any work.
func (p *pool) admit(tx *types.Tx) error {
	if err := ledger.CheckWork(tx); err != nil { // no block has room for it, so those behind it would wait for ever
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errStopping()
	}
	if _, waiting := p.queue.ids[tx.ID()]; waiting {
		return types.Refuse(types.CodePending, "transaction %s is waiting", tx.ID())
	}
	if trade, ok := unsignedTrade(tx); ok {
		if _, waiting := p.queue.releases[trade]; waiting {
			return types.Refuse(types.CodePending, "another release or settlement of trade %s is waiting", trade)
		}
	}
	maxTxs, maxBytes := p.maxTxs, p.maxBytes
	if !onRunningTrade(tx) {
		maxTxs, maxBytes = maxTxs-maxTxs/reservedShare, maxBytes-maxBytes/reservedShare
	}
	if q := &p.queue; len(q.entries)+1 > maxTxs || q.bytes+len(tx.Bytes()) > maxBytes {
		return types.Refuse(types.CodePoolFull, "%d transactions with %d bytes are waiting", len(q.entries), q.bytes)
	}
	return nil
}

// onRunningTrade reports whether a transaction moves a trade on that has begun.
func onRunningTrade(tx *types.Tx) bool {
	for _, action := range tx.Body.Actions {
		if types.InfoOf(action).Running {
			return true
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
	return len(p.queue.entries)
}

// work is what it takes to execute all that waits.
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

// byHash returns the transactions of these hashes, nil for those that don't wait here.
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

// reap hands out own transactions that peers have not been told of, and that still wait.
func (p *pool) reap(maxBytes int) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.take(maxBytes)
}

// propose fills a block, in order of arrival, up to the first transaction that doesn't fit by its bytes or its work. When not all
// that waits may fit, the transactions on running trades come first, up to the reserved share. What fails stays in the pool until the block is decided: see advance.
func (p *pool) propose(x *blockExecution, maxBytes int) [][]byte {
	p.mu.Lock()
	entries := slices.Clip(p.queue.entries)
	fits := p.queue.bytes+len(entries)*txOverhead <= maxBytes && p.queue.work <= x.room
	p.mu.Unlock()
	began, txs := time.Now(), make([][]byte, 0, len(entries))
	used, chosen := 0, make([]bool, len(entries))
	choose := func(i int) bool {
		if !x.choose(entries[i].tx) {
			return false
		}
		chosen[i], used, txs = true, used+entries[i].size(), append(txs, entries[i].tx.Bytes())
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
		case used+e.size() > maxBytes || e.work > x.room || time.Since(began) > maxProposing:
			return txs
		case !choose(i):
			p.failed = append(p.failed, e)
		}
	}
	return txs
}

// advance follows a committed block: what it holds leaves the pool, and so does what has become impossible. quiet tells
// that the block did nothing but its transactions, ours that it is the last proposal of this node.
func (p *pool) advance(block *store.Block, quiet, ours bool) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	failed := p.failed
	p.failed = nil
	foreseen := quiet && len(failed) == 0
	p.mu.Lock()
	work := p.queue.work // with what the block holds of it
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
