package ledger

import (
	"fmt"
	"maps"
	"slices"

	"lockstep/types"
)

// View is a state as it was committed. It must not change while a [State] reads through it. A view that can't read (a
// broken disk) must panic: there is no result that such a node could agree on with others.
type View interface {
	// Get returns the value under a key, or nil. The caller doesn't change it.
	Get(key string) []byte
	// Ascend calls visit for each key in [from, to) in order, until it returns false.
	Ascend(from, to string, visit func(key string, value []byte) bool)
}

// State executes one block on top of a view, keeping the changes in memory until [State.Finish]. It is not
// safe for concurrent use; several states may share one view.
type State struct {
	params types.Params
	view   View
	clock  Clock
	now    types.Time // of the ledger clock, in this block

	entries  map[string]entry // read or written since the block began
	undo     []undoRecord     // how to take the current transaction back
	closing  []*types.Trade   // by the current transaction
	closed   []*types.Trade
	auctions []*types.Auction
	events   []types.Event // of the current transaction
	begun    bool
}

// entry is what this block knows of one key. Values are pointers to domain types and never changed in place.
type entry struct {
	encoded []byte // as in the view, nil when absent
	before  any
	value   any // as of now, nil when absent
}

type undoRecord struct {
	key  string
	prev entry
}

// New returns a state on top of what a view holds. A view without a clock is that of a ledger without blocks.
func New(view View, params types.Params) *State {
	s := &State{params: params, view: view, entries: map[string]entry{}}
	if clock, ok := get[Clock](s, clockKey()); ok {
		s.clock = *clock
	}
	return s
}

// Params returns the rules' numbers.
func (s *State) Params() types.Params { return s.params }

// get reads through the changes of this block. T is the domain type that the kind of the key holds.
func get[T any](s *State, key string) (*T, bool) {
	e, known := s.entries[key]
	if !known {
		e.encoded = s.view.Get(key)
		if e.encoded != nil {
			e.value = decodeValue(key, e.encoded)
			e.before = e.value
		}
		s.entries[key] = e
	}
	value, ok := e.value.(*T)
	return value, ok
}

// put writes a value; the caller must not change it later.
func (s *State) put(key string, value any) { s.set(key, value) }

// remove deletes a value.
func (s *State) remove(key string) { s.set(key, nil) }

func (s *State) set(key string, value any) {
	get[mark](s, key) // so that the entry knows what the view has
	e := s.entries[key]
	s.undo = append(s.undo, undoRecord{key, e})
	e.value = value
	s.entries[key] = e
}

// expect makes room for so many more entries at once.
func (s *State) expect(more int) {
	entries := make(map[string]entry, len(s.entries)+more)
	maps.Copy(entries, s.entries)
	s.entries = entries
}

// rollback takes back all that was done since the last call of settle.
func (s *State) rollback() {
	for _, record := range slices.Backward(s.undo) {
		s.entries[record.key] = record.prev
	}
	s.undo, s.closing, s.events = s.undo[:0], nil, nil
}

// settle makes what was done part of the block and returns the events of it.
func (s *State) settle() []types.Event {
	events := s.events
	s.closed = append(s.closed, s.closing...)
	s.undo, s.closing, s.events = s.undo[:0], nil, nil
	return events
}

// Change is what a block did to one key. Old and New are nil where there was or is nothing; Before and After are the same
// as domain values, not to be changed.
type Change struct {
	Key           string
	Old, New      []byte
	Before, After any
}

// changes lists what the block did, in order of the keys.
func (s *State) changes() []Change {
	var changed []string
	for key, e := range s.entries { // any order: sorted below
		if e.value != e.before {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	changes := make([]Change, 0, len(changed))
	for _, key := range changed {
		e := s.entries[key]
		change := Change{Key: key, Old: e.encoded, Before: e.before, After: e.value}
		if e.value != nil {
			change.New = types.Encode(e.value)
		}
		if string(change.Old) != string(change.New) {
			changes = append(changes, change)
		}
	}
	return changes
}

func decodeValue(key string, encoded []byte) any {
	var value any
	switch key[0] {
	case kindOutput:
		value = new(types.Output)
	case kindTrade:
		value = new(types.Trade)
	case kindOffer:
		value = new(types.StandingOffer)
	case kindAsset:
		value = new(types.AssetState)
	case kindMember:
		value = new(types.Member)
	case kindMeter:
		value = new(types.RegisteredMeter)
	case kindSlot:
		value = new(types.Slot)
	case kindBook:
		value = new(types.Book)
	case kindOrder:
		value = new(types.PlacedOrder)
	case kindRecord:
		value = new(types.Record)
	case kindRemembered, kindQueue, kindGate:
		value = new(mark)
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
