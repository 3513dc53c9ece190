// Package apitest is a real ledger without consensus: the rules of package ledger on a state in memory, with a block for
// each submission. Tests of what stands on the API start [New] behind a real server instead of a node.
package apitest

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
)

// Start is the block time of the first block.
const Start = types.Time(1_780_000_000_000)

// Ledger implements api.Ledger. Its time stands still but for [Ledger.Advance] and a second for each block.
type Ledger struct {
	params types.Params

	mu       sync.Mutex
	view     *ledger.Memory
	sum      ledger.Accumulator
	time     types.Time
	blocks   []wire.Block
	receipts map[types.TxID]wire.Receipt
	trades   []types.TradeID // in the order in which they were agreed
	closed   map[types.TradeID]*types.Trade
	auctions map[types.ProductID]*auctioned
	held     []*types.Tx // the pool, while it is held
	hold     bool
	halted   bool
	changed  chan struct{} // closed when something has changed
}

// New returns a ledger with one empty block.
func New(chainID string) *Ledger {
	params := types.DefaultParams(chainID)
	params.Operators = []types.PublicKey{Key("operator")}
	l := &Ledger{
		params: params, view: ledger.NewMemory(), time: Start, changed: make(chan struct{}),
		receipts: map[types.TxID]wire.Receipt{}, closed: map[types.TradeID]*types.Trade{},
		auctions: map[types.ProductID]*auctioned{},
	}
	l.commit(0)
	return l
}

// Hold keeps what is submitted from now on waiting in the pool until [Ledger.Resume].
func (l *Ledger) Hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = true
}

// Halt lets the ledger say that no block came for a minute.
func (l *Ledger) Halt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.halted = true
}

// Resume puts all that waits into one block.
func (l *Ledger) Resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held
	l.hold, l.held = false, nil
	l.commit(1000, held...)
}

// Advance lets time pass in blocks that are no further apart than the clock cap.
func (l *Ledger) Advance(span types.Span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for span > 0 {
		step := min(span, l.params.ClockCap)
		l.commit(step)
		span -= step
	}
}

// Now is the block time of the last block.
func (l *Ledger) Now() types.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.time
}

// commit makes a block some time after the last one. The caller holds the lock.
func (l *Ledger) commit(after types.Span, txs ...*types.Tx) {
	l.time = l.time.Add(after)
	height := uint64(len(l.blocks) + 1)
	state := ledger.New(l.view, l.params)
	block := wire.Block{Height: height, BlockTime: l.time, Events: state.Begin(height, l.time)}
	for i, good := range types.VerifySignatures(txs...) {
		result := state.Execute(txs[i], good)
		block.Events = append(block.Events, result.Events...)
		block.Txs = append(block.Txs, wire.BlockTx{ID: txs[i].ID(), Code: result.Code, Detail: result.Detail, Tx: txs[i]})
		status := wire.StatusCommitted
		if result.Code != types.CodeOK {
			status = wire.StatusRefused
		}
		l.receipts[txs[i].ID()] = wire.Receipt{Tx: txs[i].ID(), Status: status, Height: height, Code: result.Code, Detail: result.Detail}
	}
	diff := state.Finish()
	l.view.Apply(diff.Changes)
	l.sum.Apply(diff.Changes)
	l.archive(&diff)
	for _, closed := range diff.Closed {
		l.closed[closed.ID] = closed.Trade
	}
	for _, event := range block.Events {
		if event.Trade != (types.TradeID{}) && !slices.Contains(l.trades, event.Trade) {
			l.trades = append(l.trades, event.Trade)
		}
	}
	block.Clock, block.Commitment = diff.Clock.Now(), l.sum.Commitment(height, &l.params)
	l.blocks = append(l.blocks, block)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Ledger) reader() ledger.Reader { return ledger.Reader{View: l.view} }

// Params implements api.Ledger, as do all below.
func (l *Ledger) Params() types.Params { return l.params }

func (l *Ledger) Status(context.Context) (wire.Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.blocks[len(l.blocks)-1]
	since := types.Span(0)
	if l.halted {
		since = 60_000
	}
	return wire.Status{
		SinceBlock: since, Halted: l.halted, Troubles: []string{},
		ChainID: l.params.ChainID, Genesis: l.params.Hash(), Height: last.Height, BlockTime: last.BlockTime, Clock: last.Clock, Skew: l.reader().Clock().Skew,
		Commitment: last.Commitment, Waiting: len(l.held), Validators: 1,
	}, nil
}

func (l *Ledger) Submit(_ context.Context, tx *types.Tx) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch receipt := l.receipts[tx.ID()]; receipt.Status {
	case wire.StatusPending:
		return types.Refuse(types.CodePending, "transaction %s", tx.ID())
	case wire.StatusCommitted:
		return types.Refuse(types.CodeReplay, "transaction %s is on the ledger", tx.ID())
	}
	if l.hold {
		l.held = append(l.held, tx)
		l.receipts[tx.ID()] = wire.Receipt{Tx: tx.ID(), Status: wire.StatusPending}
		return nil
	}
	trial := ledger.New(l.view, l.params)
	trial.Begin(uint64(len(l.blocks)+1), l.time.Add(1000))
	if result := trial.Execute(tx, types.VerifySignatures(tx)[0]); result.Code != types.CodeOK {
		return types.Refuse(result.Code, "%s", result.Detail)
	}
	l.commit(1000, tx)
	return nil
}

// SubmitAll implements [api.Ledger].
func (l *Ledger) SubmitAll(ctx context.Context, txs []*types.Tx) []error {
	errs := make([]error, len(txs))
	for i, tx := range txs {
		errs[i] = l.Submit(ctx, tx)
	}
	return errs
}

func (l *Ledger) Receipt(_ context.Context, id types.TxID) (wire.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	receipt, ok := l.receipts[id]
	if !ok {
		return receipt, types.Refuse(types.CodeNotFound, "transaction %s", id)
	}
	return receipt, nil
}

func (l *Ledger) Await(ctx context.Context, id types.TxID) (wire.Receipt, error) {
	for {
		l.mu.Lock()
		changed := l.changed
		l.mu.Unlock()
		if receipt, err := l.Receipt(ctx, id); err != nil || receipt.Status != wire.StatusPending {
			return receipt, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return wire.Receipt{}, ctx.Err()
		}
	}
}

func (l *Ledger) Trade(_ context.Context, id types.TradeID) (wire.Trade, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trade(id)
}

func (l *Ledger) trade(id types.TradeID) (wire.Trade, error) {
	clock := l.reader().Clock()
	t, open := l.reader().Trade(id)
	if !open {
		if t = l.closed[id]; t == nil {
			return wire.Trade{}, types.Refuse(types.CodeNotFound, "trade %s", id)
		}
	}
	return wire.Trade{
		ID: id, Phase: trade.PhaseAt(t, clock.Now()), Over: !open, Clock: clock.Now(), Height: clock.Height,
		Moves: trade.Moves(t, clock.Now()), Trade: *t,
	}, nil
}

func (l *Ledger) Trades(_ context.Context, key types.PublicKey, openOnly bool, part wire.Page) (wire.Trades, error) {
	after, limit := part.After, part.Limit
	l.mu.Lock()
	defer l.mu.Unlock()
	from := len(l.trades)
	if after != "" {
		var err error
		if from, err = strconv.Atoi(after); err != nil || from < 0 || from > len(l.trades) {
			return wire.Trades{}, types.Refuse(types.CodeMalformed, "%q is not the next of a page", after)
		}
	}
	var page wire.Trades
	for i := from - 1; i >= 0; i-- {
		trade, err := l.trade(l.trades[i])
		if err != nil {
			return page, err
		}
		agreement := trade.Trade.Agreement
		if agreement.Producer != key && agreement.Consumer != key || openOnly && trade.Over {
			continue
		}
		if len(page.Trades) == limit {
			page.Next = strconv.Itoa(i + 1)
			return page, nil
		}
		page.Trades = append(page.Trades, trade)
	}
	return page, nil
}

func (l *Ledger) Offer(_ context.Context, id types.OfferID) (wire.Offer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	standing, ok := l.reader().Offer(id)
	if !ok {
		return wire.Offer{}, types.Refuse(types.CodeNotFound, "offer %s", id)
	}
	return wire.Offer{ID: id, Remaining: standing.Remaining, Offer: standing.Offer}, nil
}

func (l *Ledger) Offers(_ context.Context, part wire.Page) (wire.Offers, error) {
	after, limit := part.After, part.Limit
	l.mu.Lock()
	defer l.mu.Unlock()
	page := wire.Offers{Clock: l.reader().Clock().Now()}
	for standing := range l.reader().Offers() {
		id := standing.Offer.ID()
		if id.String() <= after {
			continue
		}
		if len(page.Offers) == limit {
			page.Next = page.Offers[limit-1].ID.String()
			break
		}
		page.Offers = append(page.Offers, wire.Offer{ID: id, Remaining: standing.Remaining, Offer: standing.Offer})
	}
	return page, nil
}

func (l *Ledger) Block(_ context.Context, height uint64, _ bool) (wire.Block, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if height == 0 {
		height = uint64(len(l.blocks))
	}
	if height > uint64(len(l.blocks)) {
		return wire.Block{}, types.Refuse(types.CodeNotFound, "block %d; the last is %d", height, len(l.blocks))
	}
	return l.blocks[height-1], nil
}

func (l *Ledger) Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error] {
	return func(yield func(wire.Block, error) bool) {
		for {
			l.mu.Lock()
			if from == 0 {
				from = uint64(len(l.blocks) + 1)
			}
			var ready []wire.Block
			if from <= uint64(len(l.blocks)) {
				ready = slices.Clone(l.blocks[from-1:])
			}
			changed := l.changed
			l.mu.Unlock()
			for _, block := range ready {
				if !yield(block, nil) {
					return
				}
				from++
			}
			if len(ready) > 0 {
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}
