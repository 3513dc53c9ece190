package ledger

import (
	"cmp"
	"slices"

	"lockstep/types"
)

// spendInputs resolves every input against the state before the transaction and removes it. This is also how money leaves
// a trade: E4 (the producer's payment), the consumer's return, and a refund are plain spending.
func (x *execution) spendInputs() error {
	for i, outpoint := range x.tx.Body.Inputs {
		spend := x.spendCoin
		if _, _, locked := outpoint.Trade(); locked {
			spend = x.spendFromTrade
		}
		owner, err := spend(outpoint)
		if err != nil {
			if types.CodeOf(err) == types.CodeInputMissing && slices.Contains(x.tx.Body.Inputs[:i], outpoint) {
				return types.Refuse(types.CodeInputRepeated, "input %d names %s again", i, outpoint)
			}
			return err
		}
		x.need(owner)
	}
	return nil
}

// spendCoin removes an output that is locked to a key and returns whose it was.
func (x *execution) spendCoin(outpoint types.Outpoint) (owner types.PublicKey, err error) {
	output, ok := get[types.Output](x.State, outputKey(outpoint))
	if !ok {
		return owner, missing(outpoint)
	}
	x.remove(outputKey(outpoint))
	owner = output.Lock.(*types.KeyLock).Key
	x.coinsOf(owner).delta--
	return owner, x.credit(output.Asset, output.Amount)
}

func missing(outpoint types.Outpoint) error {
	return types.Refuse(types.CodeInputMissing, "input %s is not on the ledger", outpoint)
}

// spendFromTrade takes a part out of its trade, if the trade gives it to somebody, and returns who that is.
func (x *execution) spendFromTrade(outpoint types.Outpoint) (owner types.PublicKey, err error) {
	id, part, _ := outpoint.Trade()
	trade, ok := get[types.Trade](x.State, tradeKey(id))
	if !ok {
		return owner, missing(outpoint)
	}
	locked, ok := trade.Find(part)
	if !ok {
		return owner, missing(outpoint)
	}
	if owner, ok = trade.Owner(part, x.now); !ok {
		return owner, types.Refuse(types.CodeInputLocked, "the %s of trade %s is nobody's while the trade is %s", part, id, trade.PhaseAt(x.now))
	}
	if trade.PhaseAt(x.now) == types.PhaseRefunded {
		x.refundDue(id, trade)
	}
	next, before := trade, placesOf(trade)
	if trade != x.spentFrom { // else it is a copy already, which nobody else has
		next = change(trade)
		x.spentFrom = next
	}
	if _, err := unlock(next, part); err != nil {
		return owner, err
	}
	x.coinsOf(owner).parts++
	step, event := types.StepCollected, types.EventCollected
	switch {
	case trade.PhaseAt(x.now) == types.PhaseRefunded:
		step, event = types.StepRefunded, types.EventRefunded
	case part == types.PartReturn:
		step, event = types.StepReturned, types.EventReturned
	}
	if _, noted := trade.Step(step); !noted && part != types.PartBond { // the bond goes with the payment, tells nothing of its own
		x.note(next, step)
		x.emitTrade(event, id, next)
	}
	x.keep(id, next)
	x.countTrade(&next.Agreement, before, placesOf(next))
	return owner, x.credit(trade.Agreement.Asset, locked.Amount)
}

// findTrade looks up the trade that an action names.
func (x *execution) findTrade(id types.TradeID) (*types.Trade, error) {
	trade, ok := get[types.Trade](x.State, tradeKey(id))
	if !ok {
		return nil, types.Refuse(types.CodeTradeUnknown, "trade %s is not in the state", id)
	}
	return trade, nil
}

// roomyTrade is a trade with room for all that it may lock, in one piece of memory.
type roomyTrade struct {
	types.Trade
	room [mostLocked]types.Locked
}

// mostLocked is how many parts are locked at once: the payment, the deposit or the return, and the bond.
const mostLocked = 3

// newTrade makes a trade that has locked nothing yet.
func newTrade(agreement *types.Agreement, phase types.Phase, height uint64) *types.Trade {
	trade := &roomyTrade{Trade: types.Trade{Agreement: *agreement, Phase: phase, Height: height}}
	trade.Locked = trade.room[:0]
	return &trade.Trade
}

// change returns a copy of a trade that may be changed, with room for one more step.
func change(trade *types.Trade) *types.Trade {
	next := &roomyTrade{Trade: *trade}
	next.Locked = append(next.room[:0], trade.Locked...)
	next.Steps = append(make([]types.Step, 0, len(trade.Steps)+1), trade.Steps...)
	return &next.Trade
}

// note writes a step into a trade's record; of each kind the last one counts.
func (x *execution) note(trade *types.Trade, kind types.StepKind) {
	step := types.Step{Kind: kind, At: x.now, Tx: x.tx.ID()}
	for i := range trade.Steps {
		if trade.Steps[i].Kind == kind {
			trade.Steps[i] = step
			return
		}
	}
	trade.Steps = append(trade.Steps, step)
}

// lock makes an output that is bound to a trade. It stands in the trade itself, in order of the parts.
func lock(trade *types.Trade, part types.Part, amount types.Amount) {
	at, _ := slices.BinarySearchFunc(trade.Locked, part, func(l types.Locked, p types.Part) int { return int(l.Part) - int(p) })
	trade.Locked = slices.Insert(trade.Locked, at, types.Locked{Part: part, Amount: amount})
}

// unlock removes an output from its trade, to be spent or turned into something else.
func unlock(trade *types.Trade, part types.Part) (types.Amount, error) {
	for i, locked := range trade.Locked {
		if locked.Part == part {
			trade.Locked = slices.Delete(trade.Locked, i, i+1)
			return locked.Amount, nil
		}
	}
	return 0, types.Refuse(types.CodeOutputRemoved, "the %s is not locked in the trade any more", part)
}

// keep writes a changed trade back, or closes it when nothing is locked in it any more and no step can follow: it leaves
// the state, but for a mark that its ID was used, for as long as its agreement could be recorded again.
func (x *execution) keep(id types.TradeID, trade *types.Trade) {
	if len(trade.Locked) > 0 || trade.Phase == types.PhaseAgreed {
		x.put(tradeKey(id), trade)
		return
	}
	x.leaveSlot(trade)
	trade.Phase = trade.PhaseAt(x.now)
	x.closing = append(x.closing, Closed{id, trade})
	if x.now <= trade.Agreement.Deadlines.PayBy {
		x.put(tradeKey(id), &mark{})
	} else {
		x.remove(tradeKey(id))
	}
}

// queueOver sees to it that the marks of the trades which ended in this block are forgotten, once their pay-by has passed.
func (s *State) queueOver() {
	var over []Closed
	for _, closed := range s.closed {
		if s.now <= closed.Trade.Agreement.Deadlines.PayBy {
			over = append(over, closed)
		}
	}
	payBy := func(c Closed) types.Time { return c.Trade.Agreement.Deadlines.PayBy }
	slices.SortStableFunc(over, func(a, b Closed) int { return cmp.Compare(payBy(a), payBy(b)) })
	for page := 0; len(over) > 0; page++ {
		at := payBy(over[0])
		var ids tradeIDs
		for len(over) > 0 && payBy(over[0]) == at && len(ids) < idsPage {
			ids, over = append(ids, over[0].ID), over[1:]
		}
		s.add(overKey(at, s.clock.Height, page), &ids)
	}
}

// forgetTrade removes the mark that a trade has left.
func (s *State) forgetTrade(id types.TradeID) {
	at := tradeKey(id)
	e := s.known(&at)
	if e == nil {
		e = s.know(at.String(), Value{Encoded: []byte(overMark)}) // as keep has put it there
	}
	s.write(e, nil)
}

func (s *State) emitTrade(kind types.EventKind, id types.TradeID, trade *types.Trade) {
	event := types.Event{Trade: id}
	if len(trade.Steps) > 0 && kind != types.EventLapsed {
		event.Tx = trade.Steps[len(trade.Steps)-1].Tx
	}
	s.emit(kind, event, trade.Agreement.Producer, trade.Agreement.Consumer)
}
