package ledger

import (
	"fmt"
	"maps"
	"slices"

	"lockstep/types"
	"lockstep/types/canon"
)

// View is a state as it was committed. It must not change while a [State] reads through it. A view that can't read (a
// broken disk) must panic: there is no result that such a node could agree on with others.
type View interface {
	// Get returns the value of a key.
	Get(key string) Value
	// Ascend calls visit for each key in [from, to) in order, until it returns false.
	Ascend(from, to string, visit func(key string, value Value) bool)
}

// Value is the value of a key of a view; zero when the key is absent. Readers change neither part.
type Value struct {
	Encoded []byte
	Decoded canon.Value // the domain value, if the view has it in memory: the same as Encoded decoded
}

// State executes one block on top of a view, keeping the changes in memory until [State.Finish]. It is not
// safe for concurrent use; several states may share one view.
type State struct {
	genesis types.Params
	params  types.Params // in force for this block
	view    View
	clock   Clock
	now     types.Time // of the ledger clock, in this block
	current execution  // the memory of one transaction serves the next

	entries  map[string]*entry // read or written since the block began
	written  []*entry          // those that were written, in order of the first time; a refused transaction leaves none
	lasting  int               // how many of them are not of the current transaction
	taken    []Change          // orders that left after their auctions
	undo     []undoRecord      // how to take the current transaction back
	room     []entry           // for entries to come
	closing  []Closed          // by the current transaction
	closed   []Closed
	auctions []*types.Auction
	matched  []Matched
	events   []types.Event
	keys     []types.PublicKey // room for those of events to come
	settled  int               // how many of the events are not of the current transaction
	effects  []types.Effect    // of all outcomes, and of the current transaction
	noted    int               // how many of the effects are of outcomes
	outcomes []types.Outcome
	begun    bool
	facts    Facts
	allow    func(*types.Tx) error // see [Rules]

	slotWork   uint64 // see [State.SlotWork]
	unfinished bool   // entries that are due, closed gates or held auctions are left to the next block
	spent      uint64 // units of work that the begin of the block took, see [Work]

	executing bool // a transaction, which may have to be taken back
}

// entry is this block's knowledge of one key. Values are pointers to domain types and never changed in place.
type entry struct {
	key     string
	encoded []byte // as in the view, nil when absent
	before  canon.Value
	value   canon.Value // as of now, nil when absent
	written bool        // in this block, also by a refused transaction
	listed  bool        // in State.written
}

type undoRecord struct {
	entry *entry
	value canon.Value
}

// New returns a state on top of a view. A view without a clock is that of a ledger without blocks. The parameters are those of genesis; the
// view may hold later ones.
func New(view View, params types.Params) *State {
	s := &State{genesis: params, params: params, view: view, entries: map[string]*entry{}}
	if clock, ok := get[Clock](s, clockKey()); ok {
		s.clock = *clock
	}
	s.params = s.governance().Params
	return s
}

// Params returns the rules' numbers for this block.
func (s *State) Params() types.Params { return s.params }

// get reads through the changes of this block. T is the domain type that the kind of the key holds.
func get[T any](s *State, at key) (*T, bool) {
	value, ok := any(s.look(at).value).(*T)
	return value, ok
}

// look finds the entry of a key, in the view if need be.
func (s *State) look(at key) *entry {
	if e := s.known(&at); e != nil {
		return e
	}
	text := at.String()
	return s.know(text, s.view.Get(text))
}

// known returns the block's entry of a key, nil when it has none yet.
func (s *State) known(at *key) *entry { return s.entries[string(at.bytes[:at.length])] }

// know adds the view's value of a key as an entry.
func (s *State) know(key string, stored Value) *entry {
	if len(s.room) == 0 {
		s.room = make([]entry, min(max(len(s.entries), fewEntries), manyEntries))
	}
	e := &s.room[0]
	s.room = s.room[1:]
	value := decoded(key, stored)
	*e = entry{key: key, encoded: stored.Encoded, before: value, value: value}
	s.entries[key] = e
	return e
}

// So many entries are allocated together, as many as there are already between these.
const (
	fewEntries  = 16
	manyEntries = 1024
)

// decoded is the domain value of a stored value, nil when the key is absent.
func decoded(key string, stored Value) canon.Value {
	if stored.Decoded == nil && stored.Encoded != nil {
		return decodeValue(key, stored.Encoded)
	}
	return stored.Decoded
}

// put writes a value; the caller must not change it later.
func (s *State) put(at key, value canon.Value) { s.write(s.look(at), value) }

// add writes a value under a key that is known to be absent from the view, which saves a look-up.
func (s *State) add(at key, value canon.Value) {
	e := s.known(&at)
	if e == nil {
		e = s.know(at.String(), Value{})
	}
	s.write(e, value)
}

// remove deletes a value.
func (s *State) remove(at key) { s.put(at, nil) }

func (s *State) write(e *entry, value canon.Value) {
	e.written = true
	if !e.listed {
		e.listed = true
		s.written = append(s.written, e)
	}
	if s.executing {
		s.undo = append(s.undo, undoRecord{e, e.value})
	}
	e.value = value
}

// Reserve makes room for a block of about so many transactions, which is quicker than to make it bit by bit.
func (s *State) Reserve(transactions int) {
	const entries, events = 5, 3 // of a step of a trade, hardly more
	s.expect(entries*transactions, events*transactions)
}

// expect makes room for so many more entries, most of them written, and so many events. A few are not worth it.
func (s *State) expect(entries, events int) {
	if entries < len(s.entries) {
		return
	}
	all := make(map[string]*entry, len(s.entries)+entries)
	maps.Copy(all, s.entries)
	s.entries = all
	s.room = make([]entry, entries)
	s.written = slices.Grow(s.written, entries)
	s.events = slices.Grow(s.events, events)
}

// rollback takes back all that was done since the last call of settle, also the places of entries in the order of changes: a proposer tries transactions
// that its block does not hold.
func (s *State) rollback() {
	for _, record := range slices.Backward(s.undo) {
		record.entry.value = record.value
	}
	for _, e := range s.written[s.lasting:] {
		e.listed = false
	}
	s.written = s.written[:s.lasting]
	s.undo, s.closing, s.events, s.effects = s.undo[:0], nil, s.events[:s.settled], s.effects[:s.noted]
	s.params = s.governance().Params
}

// settle makes the current changes part of the block and returns their events.
func (s *State) settle() []types.Event {
	events := slices.Clip(s.events[s.settled:])
	s.closed = append(s.closed, s.closing...)
	s.undo, s.closing, s.settled, s.lasting = s.undo[:0], nil, len(s.events), len(s.written)
	return events
}

// Change is the effect of a block on one key. Old and New are nil where the key was or is absent; Before and After are the same
// as domain values, not to be changed.
type Change struct {
	Key           string
	Old, New      []byte
	Before, After canon.Value
}

// changes lists the effects of the block: the orders that departed after their auctions, then all else, in order of the first time that it
// wrote to a key.
func (s *State) changes() []Change {
	changes := slices.Grow(s.taken, len(s.written))
	for _, e := range s.written {
		if e.value == e.before {
			continue
		}
		change := Change{Key: e.key, Old: e.encoded, Before: e.before, After: e.value}
		if e.value != nil {
			change.New = types.Encode(e.value)
		}
		if string(change.Old) != string(change.New) {
			changes = append(changes, change)
		}
	}
	return changes
}

// DecodeValue returns the domain value of an entry of the state that comes from elsewhere; nil when it is absent.
func DecodeValue(key string, encoded []byte) (value canon.Value, err error) {
	if encoded == nil {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("an entry can't be read: %v", r)
		}
	}()
	return decodeValue(key, encoded), nil
}

// overMark is the encoding of a mark, which no trade has.
const overMark = "\x80"

func decodeValue(key string, encoded []byte) canon.Value {
	var value canon.Value
	switch key[0] {
	case kindOutput:
		value = new(types.Output)
	case kindTrade:
		if string(encoded) == overMark {
			return &mark{}
		}
		value = new(types.Trade)
	case kindOffer:
		value = new(types.StandingOffer)
	case kindAsset:
		value = new(types.AssetState)
	case kindMember:
		value = new(types.Member)
	case kindName:
		value = new(namesake)
	case kindPoint:
		value = new(types.Point)
	case kindMeter:
		value = new(meterUse)
	case kindSlot:
		value = new(types.Slot)
	case kindBook:
		value = new(types.Book)
	case kindOrder:
		value = new(types.PlacedOrder)
	case kindConduct:
		value = new(types.Conduct)
	case kindPurse:
		value = new(types.Purse)
	case kindUsage:
		value = new(types.Usage)
	case kindRemembered, kindQueue, kindGate, kindStall:
		value = new(mark)
	case kindOver:
		value = new(tradeIDs)
	case kindHeld:
		value = new(held)
	case kindHeldPage:
		value = new(heldPage)
	case kindGovernance:
		value = new(types.Governance)
	case kindDecision:
		value = new(types.Decided)
	case kindDecisions:
		value = new(decisionCount)
	case kindCheckpoint:
		value = new(checkpoint)
	case kindReached:
		value = new(reached)
	case kindClock:
		value = new(Clock)
	default:
		panic(fmt.Sprintf("ledger: key %x is of no known kind", key))
	}
	if err := types.Decode(encoded, value); err != nil {
		panic(fmt.Sprintf("ledger: the state is damaged at key %x: %v", key, err))
	}
	return value
}
