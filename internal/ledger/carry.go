package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"lockstep/types"
)

// A ledger can continue another under a new name (ADR 0055): it begins with the state of the other, at the next height. Agreements keep their terms,
// and the ledger clock goes on, so that the time between costs a running trade no more than an outage: one clock cap.

// Carried is the state with which such a ledger begins.
type Carried struct {
	Entries []CarriedEntry `json:"entries"` // in order of their keys; one is the clock
}

// CarriedEntry is one (key, value) of the state.
type CarriedEntry struct {
	Key   types.HexBytes `json:"key"`
	Value []byte         `json:"value"`
}

// Carry takes the state of a ledger for another that continues it. Offers and orders that stand end: their stakes are in their owners' purses.
// Running trades, money, members, meters, assets, conduct and decisions are carried as they are. It returns the parameters of the new ledger, which
// still needs a name, and the validators. The result follows from the state and the app hash alone. It fails if the sums of an asset would differ.
func Carry(view View, genesis types.Params, appHash types.Hash) (carried *Carried, params types.Params, validators []types.Validator, err error) {
	defer func() { // a contradiction in the state panics
		if r := recover(); r != nil {
			err = fmt.Errorf("carry the state: %v", r)
		}
	}()
	reader := Reader{view}
	before, _, err := Audit(view)
	if err != nil {
		return nil, params, nil, err
	}
	for range all[held](reader, kindHeld) {
		return nil, params, nil, errors.New("an auction is being held: let the ledger make some more blocks, and stop it at a later one")
	}
	s := New(view, genesis)
	s.begun, s.now = true, s.clock.Now()
	s.endStanding(reader)
	memory := NewMemory()
	for _, kind := range allKinds() {
		var entries []Change
		from, to := kindRange(kind)
		view.Ascend(from, to, func(key string, stored Value) bool {
			entries = append(entries, Change{Key: key, New: stored.Encoded})
			return true
		})
		memory.Apply(entries)
	}
	memory.Apply(s.changes())
	after, _, err := Audit(memory)
	if err != nil {
		return nil, params, nil, err
	}
	if err := sameSums(before, after); err != nil {
		return nil, params, nil, err
	}
	carried = &Carried{}
	kinds := allKinds()
	slices.Sort(kinds)
	for _, kind := range kinds {
		if !carriedKind(kind) {
			continue
		}
		from, to := kindRange(kind)
		memory.Ascend(from, to, func(key string, stored Value) bool {
			carried.Entries = append(carried.Entries, CarriedEntry{types.HexBytes(key), stored.Encoded})
			return true
		})
	}
	params = s.params
	params.Continues = append(slices.Clone(params.Continues), types.Origin{ChainID: params.ChainID, Height: s.clock.Height, AppHash: appHash, State: carried.hash()})
	for _, seat := range s.governance().Validators {
		validators = append(validators, seat.Validator)
	}
	return carried, params, validators, nil
}

// carriedKind reports whether entries of a kind are carried. Governance begins anew, from the parameters and the validators of the genesis; the others are
// of the old ledger alone, or have ended.
func carriedKind(kind byte) bool {
	switch kind {
	case kindGovernance, kindCheckpoint, kindRemembered, kindReached, kindOffer, kindBook, kindOrder, kindGate, kindHeld, kindHeldPage:
		return false
	}
	return bytes.IndexByte(allKinds(), kind) >= 0
}

// endStanding ends the offers and the orders that stand.
func (s *State) endStanding(reader Reader) {
	for offer := range reader.Offers() {
		s.expireOffer(offer.Offer.ID())
	}
	for book := range reader.Books() {
		id := book.Product.ID()
		var leaving []heldOrder
		for order := range reader.Orders(id) {
			leaving = append(leaving, heldOrder{Owner: order.Order.Owner, Number: order.Order.Number})
		}
		grid, ok := s.params.Grid(&book.Product)
		if !ok {
			panic("ledger: an open book has no grid")
		}
		s.remove(gateKey(book.Product.Gate(&s.params), id))
		s.remove(bookKey(id))
		s.leaveAsset(book.Product.Asset)
		s.queuePages(held{Product: book.Product, Grid: *grid, Height: s.clock.Height, Begin: s.clock.BlockTime}, leaving, nil, nil)
		for done := false; !done; {
			_, done = s.doPages(id, auctionWork)
		}
	}
}

// sameSums compares the issued sums and the fees, asset by asset.
func sameSums(before, after Sums) error {
	for id, was := range before { // any order: each is compared by itself
		is, known := after[id]
		if !known && was.Issued == 0 { // an asset that only orders used is forgotten with them
			continue
		}
		if was.Issued != is.Issued || was.Fees != is.Fees || is.InOrders != 0 {
			return fmt.Errorf("carry the state: of asset %s %s is issued and %s fees, then %s and %s, with %s in orders", id, was.Issued, was.Fees, is.Issued, is.Fees, is.InOrders)
		}
	}
	for id := range after { // any order: each is looked up by itself
		if _, known := before[id]; !known {
			return fmt.Errorf("carry the state: asset %s comes from nowhere", id)
		}
	}
	return nil
}

// hash is that of an origin's state.
func (c *Carried) hash() types.Hash { return HashChanges(c.changes()) }

// changes makes the entries, in a state without any.
func (c *Carried) changes() []Change {
	changes := make([]Change, len(c.Entries))
	for i := range c.Entries {
		changes[i] = Change{Key: string(c.Entries[i].Key), New: c.Entries[i].Value}
	}
	return changes
}

// Check audits a carried state, which may come from anybody, under the parameters of its ledger.
func (c *Carried) Check(params *types.Params) (sums Sums, err error) {
	origin := params.Origin()
	if origin == nil {
		return nil, errors.New("the ledger continues no other, and begins with a state")
	}
	last := ""
	for i := range c.Entries {
		e := &c.Entries[i]
		key := string(e.Key)
		if key <= last || len(key) > keyRoom || len(e.Value) == 0 || !carriedKind(key[0]) {
			return nil, fmt.Errorf("entry %d of the state is out of order, or no ledger carries such a one", i)
		}
		last = key
	}
	if hash := c.hash(); hash != origin.State {
		return nil, fmt.Errorf("the state has the hash %s, and the parameters name %s: one of them was changed", hash, origin.State)
	}
	memory := NewMemory()
	memory.Apply(c.changes())
	if sums, _, err = Audit(memory); err != nil {
		return nil, err
	}
	if clock := (Reader{memory}).Clock(); clock.Height != origin.Height {
		return nil, fmt.Errorf("the state is of block %d, and the ledger continues block %d", clock.Height, origin.Height)
	}
	return sums, nil
}

// Compare names the first entry in which a carried state differs from one's own, nil when it is the same.
func (c *Carried) Compare(own *Carried) error {
	for i := 0; i < max(len(c.Entries), len(own.Entries)); i++ {
		switch {
		case i == len(own.Entries) || i < len(c.Entries) && string(c.Entries[i].Key) < string(own.Entries[i].Key):
			return fmt.Errorf("it has %s, which this node's ledger does not have", c.Entries[i].name())
		case i == len(c.Entries) || string(c.Entries[i].Key) > string(own.Entries[i].Key):
			return fmt.Errorf("it lacks %s, which this node's ledger has", own.Entries[i].name())
		case !bytes.Equal(c.Entries[i].Value, own.Entries[i].Value):
			return fmt.Errorf("%s is another than in this node's ledger", own.Entries[i].name())
		}
	}
	return nil
}

// name names an entry for people.
func (e *CarriedEntry) name() string {
	words := map[byte]string{
		kindOutput: "output", kindTrade: "trade", kindAsset: "asset", kindQueue: "due entry", kindClock: "the ledger clock", kindMember: "member", kindName: "name", kindPoint: "connection point",
		kindMeter: "meter", kindSlot: "slot", kindConduct: "the conduct of", kindStall: "outage", kindPurse: "the purse of", kindUsage: "the usage of", kindDecision: "decision", kindDecisions: "the number of decisions",
		kindOver: "trades that are over",
	}
	if len(e.Key) == 0 {
		return "an entry without a key"
	}
	word, known := words[e.Key[0]]
	if !known {
		word = "entry"
	}
	rest := e.Key[1:]
	if len(rest) == 0 {
		return word
	}
	return fmt.Sprintf("%s %x", word, []byte(rest[:min(len(rest), 32)]))
}

// clock is where the clock goes on.
func (c *Carried) clock() Clock {
	at := clockKey()
	i, found := slices.BinarySearchFunc(c.Entries, at.String(), func(e CarriedEntry, key string) int { return cmp.Compare(string(e.Key), key) })
	if !found {
		panic("ledger: a carried state has no clock")
	}
	return *decodeValue(at.String(), c.Entries[i].Value).(*Clock) //nolint:forcetypeassert // of that key
}

// Time is the block time of the last block of the ledger that is continued: the new one begins there.
func (c *Carried) Time() types.Time { return c.clock().BlockTime }

// takeOver puts a carried state into the first block, with a leaf about each trade, so that its next step can be proved: the log of the other ledger is not here.
func (s *State) takeOver(c *Carried) {
	begun := &types.Begun{Params: s.params.Hash()}
	var trades []*types.Trade
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Key[0] == kindClock { // it has gone on
			continue
		}
		at := key{length: len(e.Key)}
		copy(at.bytes[:], e.Key)
		value := decodeValue(string(e.Key), e.Value)
		s.add(at, value)
		switch v := value.(type) {
		case *types.Trade:
			trades = append(trades, v)
		case *mark:
			if e.Key[0] == kindStall {
				until := parseStall(string(e.Key), s.params.Horizon)
				begun.Outages = append(begun.Outages, types.Outage{Since: until - min(types.Time(s.params.ClockCap), until), Until: until})
			}
		}
	}
	begun.Outages = begun.Outages[max(0, len(begun.Outages)-types.MaxOutages):]
	s.note(begun)
	slices.SortStableFunc(trades, func(a, b *types.Trade) int { return cmp.Compare(a.Steps[0].At, b.Steps[0].At) }) // else in order of their IDs
	steps := make([]types.Effect, 0, len(trades))
	for _, t := range trades {
		kind := types.EventAgreed
		if matched(t) {
			kind = types.EventMatched
		}
		id := t.ID()
		step := types.StepOf(id, kind.Number(), t)
		if t.Phase == types.PhasePaid && !t.Agreement.Goods.Flow.IsZero() {
			step.Ahead = []types.Ahead{s.ahead(id, t)}
		}
		steps = append(steps, step)
	}
	if len(steps) > 0 {
		s.note(steps...)
	}
}
