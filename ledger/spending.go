package ledger

import (
	"fmt"
	"slices"

	"lockstep/types"
)

// spendInputs resolves every input against the state before the transaction and removes it. This is also how money leaves
// a trade: E4 (the producer's payment), the consumer's return, and a refund are plain spending.
func (x *execution) spendInputs() error {
	seen := make(map[types.Outpoint]struct{}, len(x.tx.Body.Inputs))
	for i, outpoint := range x.tx.Body.Inputs {
		if _, twice := seen[outpoint]; twice {
			return types.Refuse(types.CodeInputRepeated, "input %d names %s again", i, outpoint)
		}
		seen[outpoint] = struct{}{}
		output, ok := get[types.Output](x.State, outputKey(outpoint))
		if !ok {
			return types.Refuse(types.CodeInputMissing, "input %d, %s, is not on the ledger", i, outpoint)
		}
		var owner types.PublicKey
		switch lock := output.Lock.(type) {
		case *types.KeyLock:
			owner = lock.Key
		case *types.TradeLock:
			var err error
			if owner, err = x.spendFromTrade(lock, outpoint); err != nil {
				return err
			}
		}
		if err := x.credit(output.Asset, output.Amount); err != nil {
			return err
		}
		x.need(owner)
		x.remove(outputKey(outpoint))
	}
	return nil
}

// spendFromTrade takes an output out of its trade, if the trade gives it to somebody, and returns who that is.
func (x *execution) spendFromTrade(lock *types.TradeLock, outpoint types.Outpoint) (types.PublicKey, error) {
	trade := x.mustTrade(lock.Trade)
	owner, ok := trade.Owner(lock.Part, x.now)
	if !ok {
		return owner, types.Refuse(types.CodeInputLocked, "the %s of trade %s is nobody's while the trade is %s",
			lock.Part, lock.Trade, trade.PhaseAt(x.now))
	}
	next := change(trade)
	next.Locked = slices.DeleteFunc(next.Locked, func(l types.Locked) bool { return l.Outpoint == outpoint })
	step, event := types.StepCollected, types.EventCollected
	switch {
	case trade.PhaseAt(x.now) == types.PhaseRefunded:
		step, event = types.StepRefunded, types.EventRefunded
	case lock.Part == types.PartReturn:
		step, event = types.StepReturned, types.EventReturned
	case lock.Part == types.PartBond: // goes with the payment, tells nothing of its own
		x.keep(lock.Trade, next)
		return owner, nil
	}
	if _, noted := trade.Step(step); !noted {
		x.note(next, step)
		x.emitTrade(event, lock.Trade, next)
	}
	x.keep(lock.Trade, next)
	return owner, nil
}

// findTrade looks up the trade that an action names.
func (x *execution) findTrade(id types.TradeID) (*types.Trade, error) {
	trade, ok := get[types.Trade](x.State, tradeKey(id))
	if !ok {
		return nil, types.Refuse(types.CodeTradeUnknown, "trade %s is not in the state", id)
	}
	return trade, nil
}

// mustTrade looks up the trade of an output that is locked to it.
func (s *State) mustTrade(id types.TradeID) *types.Trade {
	trade, ok := get[types.Trade](s, tradeKey(id))
	if !ok {
		panic(fmt.Sprintf("ledger: an output is locked to trade %s, which is not in the state", id))
	}
	return trade
}

// change returns a copy of a trade that may be changed.
func change(trade *types.Trade) *types.Trade {
	next := *trade
	next.Locked = slices.Clone(trade.Locked)
	next.Steps = slices.Clone(trade.Steps)
	return &next
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

// lock makes an output that is bound to a trade, and notes it there in order of the parts.
func (x *execution) lock(id types.TradeID, trade *types.Trade, part types.Part, amount types.Amount) {
	outpoint := x.create(types.Output{Asset: trade.Agreement.Asset, Amount: amount, Lock: types.ToTrade(id, part)})
	at, _ := slices.BinarySearchFunc(trade.Locked, part, func(l types.Locked, p types.Part) int { return int(l.Part) - int(p) })
	trade.Locked = slices.Insert(trade.Locked, at, types.Locked{Part: part, Amount: amount, Outpoint: outpoint})
}

// unlock removes an output from the state and from its trade, on behalf of an action that turns it into something else.
func (x *execution) unlock(trade *types.Trade, part types.Part) (types.Amount, error) {
	for i, locked := range trade.Locked {
		if locked.Part == part {
			x.remove(outputKey(locked.Outpoint))
			trade.Locked = slices.Delete(trade.Locked, i, i+1)
			return locked.Amount, nil
		}
	}
	return 0, types.Refuse(types.CodeOutputRemoved, "the %s is not locked in the trade any more", part)
}

// keep writes a changed trade back, or closes it when nothing is locked in it any more and no step can follow: it leaves
// the state, and its ID is remembered for as long as its agreement could be recorded again.
func (x *execution) keep(id types.TradeID, trade *types.Trade) {
	if len(trade.Locked) > 0 || trade.Phase == types.PhaseAgreed {
		x.put(tradeKey(id), trade)
		return
	}
	x.remove(tradeKey(id))
	x.leaveSlot(trade)
	trade.Phase = trade.PhaseAt(x.now)
	x.closing = append(x.closing, trade)
	if payBy := trade.Agreement.Deadlines.PayBy; x.now <= payBy {
		x.put(rememberedKey(id), &mark{})
		x.put(queueKey(payBy, queueTrade, id), &mark{})
	}
}

func (s *State) emitTrade(kind types.EventKind, id types.TradeID, trade *types.Trade) {
	event := types.Event{Trade: id, Keys: []types.PublicKey{trade.Agreement.Producer, trade.Agreement.Consumer}}
	if len(trade.Steps) > 0 && kind != types.EventLapsed {
		event.Tx = trade.Steps[len(trade.Steps)-1].Tx
	}
	s.emit(kind, event)
}
