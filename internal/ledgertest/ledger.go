// Package ledgertest is a real ledger without consensus: the rules on a real store in memory, with a block for each submission. Tests use
// [New] behind a real server in place of a node.
package ledgertest

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/query"
	"lockstep/internal/store"
	"lockstep/types"
)

// Start is the block time of the first block.
const Start = types.Time(1_780_000_000_000)

// Ledger answers as a node does. Its time advances by a second for each block and by [Ledger.Advance].
type Ledger struct {
	*query.Ledger
	chain *chain
}

// New returns a ledger with one empty block. Its auctions have hold terms, so that a test needs no meter. It is closed when the test ends.
func New(t testing.TB, chainID string) *Ledger {
	t.Helper()
	return opened(t, holding(chainID))
}

// NewMetered is [New] with the grids of a new ledger: auctions of energy have meter terms, see [Ledger.Enrol].
func NewMetered(t testing.TB, chainID string) *Ledger {
	t.Helper()
	return opened(t, types.DefaultParams(chainID))
}

// holding returns the default parameters with auctions under hold terms.
func holding(chainID string) types.Params {
	params := types.DefaultParams(chainID)
	params.Market.Grids = party.HoldGrids()
	return params
}

func opened(t testing.TB, params types.Params) *Ledger {
	t.Helper()
	l, err := open(params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Open is [New] outside of a test, for an example. The caller closes the ledger.
func Open(chainID string) (*Ledger, error) { return open(holding(chainID)) }

func open(params types.Params) (*Ledger, error) {
	params.Operators = []types.PublicKey{party.Key("operator")}
	s, err := store.OpenVolatile(params, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	c := &chain{store: s, params: params, time: Start, changed: make(chan struct{}), bodies: map[uint64][]*types.Tx{}}
	if err := c.commit(0); err != nil {
		return nil, err
	}
	return &Ledger{Ledger: query.New(c, s), chain: c}, nil
}

// Close frees the memory of the ledger. Servers that answer from it must have stopped.
func (l *Ledger) Close() error { return l.chain.store.Close() }

// Hold keeps transactions that are submitted from now on in the pool until [Ledger.Resume].
func (l *Ledger) Hold() {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	l.chain.hold = true
}

// Halt makes the ledger report that no block arrived for a minute.
func (l *Ledger) Halt() {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	l.chain.halted = true
}

// Resume puts all transactions of the pool into one block.
func (l *Ledger) Resume() {
	c := l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.held
	c.hold, c.held = false, nil
	c.mustCommit(1000, held...)
}

// Advance lets time pass in blocks that are no further apart than the clock cap.
func (l *Ledger) Advance(span types.Duration) {
	c := l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	for span > 0 {
		step := min(span, c.params.ClockCap)
		c.mustCommit(step)
		span -= step
	}
}

// Now is the block time of the last block.
func (l *Ledger) Now() types.Time {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	return l.chain.time
}

// chain implements [query.Chain] by making a block for each submission.
type chain struct {
	store  *store.Store
	params types.Params

	mu      sync.Mutex
	time    types.Time
	bodies  map[uint64][]*types.Tx // of the blocks, by height
	held    []*types.Tx            // the pool, while it is held
	hold    bool
	halted  bool
	changed chan struct{} // closed at the next block
}

func (c *chain) mustCommit(after types.Duration, txs ...*types.Tx) {
	if err := c.commit(after, txs...); err != nil {
		panic(err) // a store in memory has no disk to fail
	}
}

// commit makes a block some time after the last one. The caller holds the lock.
func (c *chain) commit(after types.Duration, txs ...*types.Tx) error {
	c.time = c.time.Add(after)
	height := c.store.Height() + 1
	state := ledger.New(c.store.StateReader(), c.params)
	state.Begin(height, c.time)
	var executed store.Executed
	for i, good := range types.VerifySignatures(txs...) {
		result := state.Execute(txs[i], good)
		executed.Txs = append(executed.Txs, store.TxResult{ID: txs[i].ID(), Code: result.Code, Detail: result.Detail})
	}
	executed.Diff = state.Finish()
	staged, err := c.store.Stage(executed)
	if err != nil {
		return err
	}
	if err := staged.Commit(); err != nil {
		return err
	}
	c.bodies[height] = txs
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

func (c *chain) Submit(_ context.Context, tx *types.Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch outcome, known, err := c.outcome(tx.ID()); {
	case err != nil:
		return err
	case known && outcome.Pending:
		return types.Refuse(types.CodePending, "transaction %s", tx.ID())
	case known && outcome.Code == types.CodeOK:
		return types.Refuse(types.CodeReplay, "transaction %s is on the ledger", tx.ID())
	}
	if c.hold {
		c.held = append(c.held, tx)
		return nil
	}
	trial := ledger.New(c.store.StateReader(), c.params)
	trial.Begin(c.store.Height()+1, c.time.Add(1000))
	if result := trial.Execute(tx, types.VerifySignatures(tx)[0]); result.Code != types.CodeOK {
		return types.Refuse(result.Code, "%s", result.Detail)
	}
	return c.commit(1000, tx)
}

func (c *chain) SubmitAll(ctx context.Context, txs []*types.Tx) []error {
	errs := make([]error, len(txs))
	for i, tx := range txs {
		errs[i] = c.Submit(ctx, tx)
	}
	return errs
}

func (c *chain) Outcome(id types.TxID) (query.Outcome, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outcome(id)
}

func (c *chain) outcome(id types.TxID) (query.Outcome, bool, error) {
	for _, tx := range c.held {
		if tx.ID() == id {
			return query.Outcome{Tx: id, Pending: true}, true, nil
		}
	}
	receipt, err := c.store.Receipt(id)
	if receipt == nil || err != nil {
		return query.Outcome{}, false, err
	}
	return query.Outcome{Tx: id, Height: receipt.Height, Code: receipt.Code, Detail: receipt.Detail}, true, nil
}

func (c *chain) Await(ctx context.Context, id types.TxID) (query.Outcome, error) {
	for {
		c.mu.Lock()
		changed := c.changed
		outcome, known, err := c.outcome(id)
		c.mu.Unlock()
		switch {
		case err != nil || known && !outcome.Pending:
			return outcome, err
		case !known:
			return outcome, types.Refuse(types.CodeNotFound, "transaction %s", id)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return query.Outcome{}, ctx.Err()
		}
	}
}

func (c *chain) Blocks(ctx context.Context, from uint64) iter.Seq2[*store.Block, error] {
	return func(yield func(*store.Block, error) bool) {
		for height := from; ; {
			c.mu.Lock()
			last, changed := c.store.Height(), c.changed
			c.mu.Unlock()
			if height == 0 {
				height = last + 1
			}
			for ; height <= last; height++ {
				if block, err := c.store.Block(height); !yield(block, err) || err != nil {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c *chain) Transactions(height uint64) []*types.Tx {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies[height]
}

// SignedHeader implements [query.Chain]: without consensus there are no signatures.
func (c *chain) SignedHeader(uint64) (wire.SignedHeader, error) {
	return wire.SignedHeader{}, unsigned()
}

// LightBlock implements [query.Chain].
func (c *chain) LightBlock(uint64) (wire.LightBlock, error) { return wire.LightBlock{}, unsigned() }

func unsigned() error {
	return types.Refuse(types.CodeNotFound, "this ledger has no validators, so nobody signs its blocks")
}

func (c *chain) Status() query.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := query.Status{Waiting: len(c.held), Validators: 1, Genesis: c.params.Hash(), Halted: c.halted}
	if c.halted {
		status.SinceBlock = time.Minute
	}
	return status
}
