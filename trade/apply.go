package trade

import "lockstep/types"

// Evidence is the information that decides a step besides the trade, the action and the ledger clock.
type Evidence struct {
	Tx          types.TxID     // the transaction that takes the step
	BlockTime   types.Time     // slots and mandates are in block time
	MaxValidity types.Duration // of mandates
	Slot        *types.Slot    // to settle: the readings, and the claims of the trades that were delivered
	Staked      bool           // to pay: the bond comes with the offer, and is locked at once
	InPlace     bool           // the trade is the caller's own copy, and is changed instead of copied
}

// Effect lists the changes that the ledger must make for a step. All sums are in the agreement's asset.
type Effect struct {
	Debit      types.Amount    // taken from the transaction and locked in the trade
	Credit     types.Amount    // leaves the trade for the transaction to spend
	ToProducer types.Amount    // leaves the trade for the producer's purse
	ToConsumer types.Amount    // leaves the trade for the consumer's purse
	Signer     types.PublicKey // must have signed the transaction; zero: no signature is needed
	Step       types.StepKind  // in the record of the trade; zero: none
	Event      types.EventKind // for those who follow the trade; empty: none
	Over       bool            // the trade has ended and leaves the state
}

// Begin returns the trade of an agreement that is recorded now, in a block of a height.
func Begin(a *types.Agreement, height uint64, e Evidence, clock types.Time) *types.Trade {
	t := &roomyTrade{Trade: types.Trade{Agreement: *a, Phase: types.PhaseAgreed, Height: height}}
	t.Locked = t.room[:0]
	t.Steps = append(make([]types.Step, 0, 2), types.Step{Kind: types.StepAgreed, At: clock, Tx: e.Tx})
	return &t.Trade
}

// Match returns the trade that an auction held in a block of a height makes of two orders, with the money of both: it is paid from the
// beginning (E1). Under meter terms it is delivered too (E2), since to deliver before the slot is a promise, which the offer has
// given and staked its bond on. Its lock is a leaf of the bid's tree of digests, the one that the agreement names.
func Match(a *types.Agreement, root types.Hash, depth uint8, height uint64, clock types.Time) *types.Trade {
	t := &roomyTrade{Trade: types.Trade{
		Agreement: *a, Phase: types.PhasePaid, Height: height, Digest: root, Depth: depth,
	}}
	t.Steps = append(make([]types.Step, 0, 4), types.Step{Kind: types.StepMatched, At: clock}, types.Step{Kind: types.StepPaid, At: clock})
	if _, metered := a.Fallback.(*types.Meter); metered {
		t.Phase = types.PhaseDelivered
		t.Steps = append(t.Steps, types.Step{Kind: types.StepDelivered, At: clock})
	}
	t.Locked = appendLocks(t.room[:0], &t.Trade, true)
	return &t.Trade
}

// Lapse returns the end of an agreement that was not paid by pay-by; false while it can be paid, or when it was.
func Lapse(t *types.Trade, clock types.Time) (*types.Trade, bool) {
	if PhaseAt(t, clock) != types.PhaseLapsed {
		return nil, false
	}
	next := change(t, false)
	next.Phase = types.PhaseLapsed
	return next, true
}

// Check reports whether an action can be applied to a trade at a moment of the ledger clock: nil, or the refusal that the ledger
// would return. It can't see evidence: signatures, mandates, readings and money.
func Check(t *types.Trade, action types.Action, clock types.Time) error {
	switch a := any(action).(type) { // not over the closed set of actions: most are of no trade
	case *types.Pay:
		return May(t, MovePay, clock)
	case *types.Deliver:
		return May(t, MoveDeliver, clock)
	case *types.Release:
		return checkRelease(t, a, clock)
	case *types.Split:
		if err := checkSplit(t, a, clock); err != nil {
			return err
		}
		return CheckShares(t, a.ToProducer, a.ToConsumer)
	case *types.Settle:
		return May(t, MoveSettle, clock)
	case *types.Award:
		return checkAward(t, a, clock)
	}
	return notOfTrade()
}

func notOfTrade() error {
	return types.Refuse(types.CodeMalformed, "the action is not a step of a trade")
}

func checkRelease(t *types.Trade, a *types.Release, clock types.Time) error {
	if err := May(t, MoveRelease, clock); err != nil {
		return err
	}
	if err := CheckInstalment(t, a.Instalment); err != nil {
		return err
	}
	if !Opens(t, a.Instalment, a.Preimage, a.Path) {
		return types.Refuse(types.CodeSecret, "the preimage does not open instalment %d of trade %s", a.Instalment, a.Trade)
	}
	return nil
}

// checkSplit refuses a split in phases other than paid and delivered, and a split that the parties signed for an earlier state.
func checkSplit(t *types.Trade, a *types.Split, clock types.Time) error {
	if err := May(t, MoveSplit, clock); err != nil {
		return err
	}
	if phase := PhaseAt(t, clock); a.Phase != phase || a.Released != t.Released {
		return types.Refuse(types.CodeMandate, "the split was made when the trade was %s with %d instalments released; now it is %s with %d released: sign a new split",
			a.Phase, a.Released, phase, t.Released)
	}
	return nil
}

func checkAward(t *types.Trade, a *types.Award, clock types.Time) error {
	if err := May(t, MoveAward, clock); err != nil {
		return err
	}
	return CheckShares(t, a.ToProducer, a.ToConsumer)
}

// Apply takes one step of a trade. It returns the trade after it and the effect that the ledger has to carry out, or the
// refusal. The trade itself is not changed, unless the evidence says so.
func Apply(t *types.Trade, action types.Action, e Evidence, clock types.Time) (next *types.Trade, effect Effect, err error) {
	switch a := any(action).(type) { // see Check
	case *types.Pay:
		next, effect, err = pay(t, a, e, clock)
	case *types.Deliver:
		next, effect, err = deliver(t, e, clock)
	case *types.Release:
		next, effect, err = release(t, a, e, clock)
	case *types.Split:
		next, effect, err = split(t, a, e, clock)
	case *types.Settle:
		next, effect, err = settle(t, a, e, clock)
	case *types.Award:
		next, effect, err = award(t, a, e, clock)
	default:
		err = notOfTrade()
	}
	if err != nil {
		return nil, Effect{}, err
	}
	finish(next, &effect, e, clock)
	return next, effect, nil
}

// pay locks the payment and the deposit under the digest (E1: TOKEN_TRANSFER with UTXO_out1 and UTXO_out2). A staked bond is money of
// the offer: it joins them, and is no debit.
func pay(t *types.Trade, a *types.Pay, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := May(t, MovePay, clock); err != nil {
		return nil, Effect{}, err
	}
	next := change(t, e.InPlace)
	next.Phase, next.Digest = types.PhasePaid, a.Digest
	next.Locked = appendLocks(next.Locked[:0], next, e.Staked)
	agreement := &next.Agreement
	return next, Effect{
		Debit:  agreement.Price + agreement.Deposit, // fits: checked with the agreement
		Signer: agreement.Consumer, Step: types.StepPaid, Event: types.EventPaid,
	}, nil
}

// deliver turns the deposit into the return, locked like the payment (E2), and locks the producer's bond. From here on one secret
// opens all three: the consumer takes the return by it and so frees the payment. Metered goods are delivered before their slot.
func deliver(t *types.Trade, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := May(t, MoveDeliver, clock); err != nil {
		return nil, Effect{}, err
	}
	if goods := &t.Agreement.Goods; !goods.Flow.IsZero() && SlotBegun(goods, e.BlockTime) {
		return nil, Effect{}, types.Refuse(types.CodeTooLate, "the slot has begun at %s: metered goods are delivered before it", goods.From)
	}
	bond := bondToLock(t)
	next := change(t, e.InPlace)
	next.Phase = types.PhaseDelivered
	next.Locked = appendLocks(next.Locked[:0], next, true)
	return next, Effect{Debit: bond, Signer: next.Agreement.Producer, Step: types.StepDelivered, Event: types.EventDelivered}, nil
}

// SlotBegun reports whether the slot of metered goods has begun in a block of a time.
func SlotBegun(goods *types.Goods, blockTime types.Time) bool { return blockTime >= goods.From }

// Deliverable reports whether a trade of metered goods can still be delivered, now or after it is paid.
func Deliverable(t *types.Trade, clock, blockTime types.Time) bool {
	return (agreed | paid).has(PhaseAt(t, clock)) && !SlotBegun(&t.Agreement.Goods, blockTime)
}

// release shows the preimage of instalment k (E3). The last one opens the lock: the return is the consumer's, payment and bond are
// the producer's. An earlier one cuts floor(price*k/N) in all out of the payment for the producer. Since N <= price every
// instalment is worth at least 1, and something remains for the last.
func release(t *types.Trade, a *types.Release, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := checkRelease(t, a, clock); err != nil {
		return nil, Effect{}, err
	}
	effect, before := Effect{Step: types.StepReleased, Event: types.EventReleased}, t.Released
	next := change(t, e.InPlace)
	next.Released, next.Preimage = a.Instalment, a.Preimage
	if a.Instalment == next.Agreement.Instalments {
		next.Phase = types.PhaseReleased
		return next, effect, nil
	}
	effect.ToProducer = Due(&next.Agreement, next.Released) - Due(&next.Agreement, before)
	next.Locked = appendLocks(next.Locked[:0], next, true)
	return next, effect, nil
}

// split divides all locked money of the trade as both parties signed.
func split(t *types.Trade, a *types.Split, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := checkSplit(t, a, clock); err != nil {
		return nil, Effect{}, err
	}
	if err := CheckMandates(&a.Mandates, &t.Agreement, e.BlockTime, e.MaxValidity); err != nil {
		return nil, Effect{}, err
	}
	if err := CheckShares(t, a.ToProducer, a.ToConsumer); err != nil {
		return nil, Effect{}, err
	}
	if err := a.Submitter.Check("submitter"); err != nil {
		return nil, Effect{}, err
	}
	effect := Effect{Signer: a.Submitter, Step: types.StepSplit, Event: types.EventSplit}
	next, effect := divide(t, types.PhaseSplit, a.ToProducer, a.ToConsumer, effect, e)
	return next, effect, nil
}

// settle ends a trade under meter terms by its readings.
func settle(t *types.Trade, a *types.Settle, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := May(t, MoveSettle, clock); err != nil {
		return nil, Effect{}, err
	}
	if e.Slot == nil {
		return nil, Effect{}, types.Refuse(types.CodeSlot, "trade %s can't be settled without its slot", a.Trade)
	}
	allotted := Allot(e.Slot, a.Trade)
	toProducer := ProducerShare(&t.Agreement, t.Released, allotted)
	next, effect := divide(t, types.PhaseSettled, toProducer, t.LockedSum()-toProducer,
		Effect{Step: types.StepSettled, Event: types.EventSettled}, e)
	next.Allotted = allotted
	return next, effect, nil
}

// award divides all locked money of the trade between the two parties, as its arbiter signed.
func award(t *types.Trade, a *types.Award, e Evidence, clock types.Time) (*types.Trade, Effect, error) {
	if err := checkAward(t, a, clock); err != nil {
		return nil, Effect{}, err
	}
	effect := Effect{Signer: keyOf(&t.Agreement, "arbiter"), Step: types.StepAwarded, Event: types.EventAwarded}
	next, effect := divide(t, types.PhaseAwarded, a.ToProducer, a.ToConsumer, effect, e)
	return next, effect, nil
}

// divide ends a trade: all its locked money goes to its two parties.
func divide(t *types.Trade, end types.Phase, toProducer, toConsumer types.Amount, effect Effect, e Evidence) (*types.Trade, Effect) {
	next := change(t, e.InPlace)
	next.Phase, next.Locked = end, nil
	effect.ToProducer, effect.ToConsumer = toProducer, toConsumer
	return next, effect
}

// Spend takes a part out of a trade for its owner: E4 of the producer, the return of the consumer, or its refund. The bond goes
// with the payment and is not a step of its own.
func Spend(t *types.Trade, part types.Part, e Evidence, clock types.Time) (next *types.Trade, effect Effect, err error) {
	locked, ok := t.Find(part)
	if !ok {
		return nil, effect, types.Refuse(types.CodeInputMissing, "input %s is not on the ledger", t.ID().Outpoint(part))
	}
	owner, ok := Owner(t, part, clock)
	if !ok {
		return nil, effect, types.Refuse(types.CodeInputLocked, "the %s of trade %s has no owner while the trade is %s", part, t.ID(), PhaseAt(t, clock))
	}
	effect = Effect{Credit: locked.Amount, Signer: owner}
	step, event := types.StepCollected, types.EventCollected
	switch {
	case PhaseAt(t, clock) == types.PhaseRefunded:
		step, event = types.StepRefunded, types.EventRefunded
	case part == types.PartReturn:
		step, event = types.StepReturned, types.EventReturned
	}
	if _, noted := t.Step(step); !noted && part != types.PartBond {
		effect.Step, effect.Event = step, event
	}
	next = change(t, e.InPlace)
	rest := next.Locked[:0]
	for _, other := range next.Locked {
		if other.Part != part {
			rest = append(rest, other)
		}
	}
	next.Locked = rest
	finish(next, &effect, e, clock)
	return next, effect, nil
}

// finish writes a step into the record of the trade, where the last one of each kind counts, and ends the trade if it is over.
func finish(next *types.Trade, effect *Effect, e Evidence, clock types.Time) {
	if effect.Step != 0 {
		note(next, types.Step{Kind: effect.Step, At: clock, Tx: e.Tx})
	}
	if Over(next) {
		effect.Over, next.Phase = true, PhaseAt(next, clock)
	}
}

func note(t *types.Trade, step types.Step) {
	for i := range t.Steps {
		if t.Steps[i].Kind == step.Kind {
			t.Steps[i] = step
			return
		}
	}
	t.Steps = append(t.Steps, step)
}

// roomyTrade is a trade with room for all parts that it may lock, in one allocation.
type roomyTrade struct {
	types.Trade
	room [mostLocked]types.Locked
}

// change returns a copy of a trade that may be changed, with room for one more step; or the trade itself, in place.
func change(t *types.Trade, inPlace bool) *types.Trade {
	if inPlace {
		return t
	}
	next := &roomyTrade{Trade: *t}
	next.Locked = append(next.room[:0], t.Locked...)
	next.Steps = append(make([]types.Step, 0, len(t.Steps)+1), t.Steps...)
	return &next.Trade
}
