package ledger

import (
	"fmt"
	"slices"

	"lockstep/types"
)

// Diff is all that a block did. A store writes it in one batch.
type Diff struct {
	Clock    Clock
	Changes  []Change         // one for a key: orders that left after their auctions, then all else in order of the first time that the block wrote to it
	Departed []Change         // the first of those: the orders, those of a product by owner and number
	Closed   []Closed         // trades that left the state, in order
	Leaves   []Leaf           // of the log of outcomes, in order
	Outcomes []types.Outcome  // those of the leaves, in order, before a large one is divided
	Auctions []*types.Auction // that were held, without their trades
	Matched  []Matched        // trades of auctions, in order
	Due      bool             // what is due, or auctions and their trades, is left in part to the next block
	Events   []types.Event    // all of the block's, in order

	Governance *types.Governance // after the block, if it changed or is the first; not to be changed
	Validators []types.Validator // whose power the block changed, in order of their keys; 0 removes one
}

// Matched is a page of the trades of an auction, which this block or an earlier one has held.
type Matched struct {
	Product types.ProductID
	Page    uint32
	Trades  []types.MatchTrade
}

// Closed is the final record of a trade that left the state.
type Closed struct {
	ID    types.TradeID
	Trade *types.Trade
	Leaf  int // of the block's, which has its story
}

// Result is the outcome of a transaction. Code is part of the block's result and so of consensus; Detail is for people.
type Result struct {
	Code   types.Code
	Detail string
	Events []types.Event
}

// Begin starts the block: it advances the clock, handles due entries, and returns their events.
func (s *State) Begin(height uint64, blockTime types.Time) []types.Event {
	s.moveOn(height, blockTime)
	s.closeGates()
	return s.settle()
}

// BeginTrial is Begin for a state that only decides which transactions are valid in the block. It holds no auctions: they cost
// much work, and no transaction can use their results before the block contains them.
func (s *State) BeginTrial(height uint64, blockTime types.Time) {
	s.moveOn(height, blockTime)
	s.settle()
}

func (s *State) moveOn(height uint64, blockTime types.Time) {
	if s.begun || height <= s.clock.Height {
		panic(fmt.Sprintf("ledger: block %d on a state of block %d, begun: %t", height, s.clock.Height, s.begun))
	}
	s.begun = true
	s.followRules()
	before := s.clock
	first := before.Height == 0
	carried := s.facts.Carried // of no account later
	if first && carried != nil {
		s.clock = carried.clock()
	}
	s.clock = s.clock.next(height, blockTime, s.params.ClockCap)
	s.now = s.clock.Now()
	clock := s.clock
	s.put(clockKey(), &clock)
	if clock.Stalled == s.now { // in this block, or in one at the same moment
		s.put(timeKey(kindStall, s.now.Add(s.params.Horizon)), &mark{})
	}
	switch {
	case first && carried != nil:
		s.beginGovernance()
		s.takeOver(carried)
	case first:
		s.note(&types.Begun{Params: s.params.Hash()})
		s.issueGenesis()
		s.beginGovernance()
	}
	s.keepCheckpoint(before)
	s.hearSilent()
	s.expire()
}

// Clock returns the clock of the current block.
func (s *State) Clock() Clock { return s.clock }

// mostAuctions bounds the auctions of a block, however small they are.
const mostAuctions = 1024

// closeGates continues the auctions of earlier blocks. When none of them remains it holds those of the products whose gates have
// closed, in order of gate and product: the first, and as many more as one product may have orders for all of them. The next
// blocks hold the rest, so that no block takes much longer than to clear the largest book.
func (s *State) closeGates() {
	work, done := s.doEarlierPages()
	if !done {
		return
	}
	var gates []string // of what is held here, and one more
	from, to := before(kindGate, s.clock.BlockTime)
	s.view.Ascend(from, to, func(key string, _ Value) bool {
		gates = append(gates, key)
		return len(gates) <= mostAuctions
	})
	orders := uint64(0)
	for i, key := range gates {
		id := parseGateKey(key)
		book := s.mustBook(id)
		orders += uint64(book.Orders)
		if i > 0 && (orders > uint64(s.params.MarketOf(&book.Product).MaxOrders) || i == mostAuctions) {
			s.unfinished = true
			return
		}
		s.spent += uint64(book.Orders) * orderWork
		s.remove(gateKey(book.Product.Gate(&s.params), id))
		s.holdAuction(book)
		work, _ = s.doPages(id, work)
	}
}

// Execute does a transaction, wholly or not at all. signaturesValid is the verdict on all its signatures by the ZIP-215 rule;
// see [types.VerifySignatures].
func (s *State) Execute(tx *types.Tx, signaturesValid bool) Result {
	s.executing = true
	err := s.execute(tx, signaturesValid)
	s.executing = false
	if err != nil {
		s.rollback()
		return Result{Code: types.CodeOf(err), Detail: err.Error()}
	}
	s.endOutcome(tx.ID())
	return Result{Events: s.settle()}
}

// Finish ends the block and returns its changes. The next block needs a new state, over a
// view that has the diff.
func (s *State) Finish() Diff {
	s.applyScheduled()
	s.queueOver()
	changes, leaves := s.changes(), s.leaves()
	governance, validators := s.governed()
	return Diff{
		Governance: governance, Validators: validators,
		Clock: s.clock, Changes: changes, Departed: changes[:len(s.taken)], Closed: s.closed, Leaves: leaves, Outcomes: s.outcomes, Auctions: s.auctions, Matched: s.matched,
		Due: s.unfinished, Events: s.events,
	}
}

func (s *State) emit(kind types.EventKind, event types.Event, keys ...types.PublicKey) {
	event.Kind, event.Height, event.At, event.Keys = kind, s.clock.Height, s.now, s.copyKeys(keys)
	s.noteEvent(kind, &event)
	if len(s.events) == cap(s.events) {
		s.events = slices.Grow(s.events, max(len(s.events), fewEvents)) // events are large: append alone would copy them more often
	}
	s.events = append(s.events, event)
}

// copyKeys puts keys where they can stay. Those of many events stand in one piece of memory.
func (s *State) copyKeys(keys []types.PublicKey) []types.PublicKey {
	if len(keys) == 0 {
		return nil
	}
	if len(keys) > cap(s.keys)-len(s.keys) {
		s.keys = make([]types.PublicKey, 0, max(min(2*cap(s.keys), manyKeys), fewKeys, len(keys)))
	}
	at := len(s.keys)
	s.keys = append(s.keys, keys...)
	return slices.Clip(s.keys[at:])
}

// The number of them that are allocated together.
const (
	fewEvents = 16
	fewKeys   = 16
	manyKeys  = 1024
)

// governed returns the entry of governance if the block changed it, and the validators that it changed.
func (s *State) governed() (*types.Governance, []types.Validator) {
	e := s.look(governanceKey())
	after, _ := e.value.(*types.Governance)
	if after == nil || e.value == e.before {
		return nil, nil
	}
	before, _ := e.before.(*types.Governance)
	if before == nil { // the first block: the engine knows the validators
		return after, nil
	}
	return after, updates(before.Validators, after.Validators)
}
