package ledger

import (
	"lockstep/trade"
	"lockstep/types"
)

// Package trade decides the effects of a step of a trade; this file applies them: money, signatures, state, records, events.

// evidence returns the data of the transaction and the block that package trade needs.
func (x *execution) evidence() trade.Evidence {
	return trade.Evidence{Tx: x.tx.ID(), BlockTime: x.clock.BlockTime, MaxValidity: x.params.MaxValidity}
}

// step takes the step of a trade that an action asks for.
func (x *execution) step(id types.TradeID, action types.Action) error {
	t, err := x.findTrade(id)
	if err != nil {
		return err
	}
	evidence := x.evidence()
	if _, settles := action.(*types.Settle); settles {
		evidence.Slot = x.slotOf(t)
	}
	next, effect, err := trade.Apply(t, action, evidence, x.now)
	if err != nil {
		return err
	}
	if effect.Event == types.EventDelivered {
		if err := x.claimSlot(id, next); err != nil {
			return err
		}
	}
	return x.carryOut(id, placesOf(t), next, &effect)
}

// carryOut applies the effect of a step. The places are those that the trade took before.
func (x *execution) carryOut(id types.TradeID, before places, next *types.Trade, effect *trade.Effect) error {
	agreement := &next.Agreement
	if effect.Debit > 0 {
		if err := x.debit(agreement.Asset, effect.Debit); err != nil {
			return err
		}
	}
	if effect.Signer != (types.PublicKey{}) {
		x.need(effect.Signer)
	}
	x.recordStep(id, next, effect.Event)
	for _, share := range [...]struct {
		to     types.PublicKey
		amount types.Amount
	}{{agreement.Producer, effect.ToProducer}, {agreement.Consumer, effect.ToConsumer}} {
		if share.amount > 0 {
			if err := x.payOut(share.to, agreement.Asset, share.amount); err != nil {
				return err
			}
		}
	}
	x.countTrade(agreement, before, placesOf(next))
	if effect.Event != "" {
		x.emitTrade(effect.Event, id, next)
	}
	if effect.Over {
		x.endTrade(effect.Event, id, next)
	} else {
		x.put(tradeKey(id), next)
		x.noteStep(effect.Event, id, next)
	}
	if effect.Credit > 0 {
		return x.credit(agreement.Asset, effect.Credit)
	}
	return nil
}

// findTrade looks up the trade that an action names.
func (x *execution) findTrade(id types.TradeID) (*types.Trade, error) {
	t, ok := get[types.Trade](x.State, tradeKey(id))
	if !ok {
		return nil, types.Refuse(types.CodeTradeUnknown, "trade %s is not in the state", id)
	}
	return t, nil
}

// endTrade closes a trade that is over: it leaves the state, but for a mark that its ID was used, for as long as its agreement
// could be recorded again.
func (x *execution) endTrade(event types.EventKind, id types.TradeID, t *types.Trade) {
	x.leaveSlot(t)
	x.closeTrade(event, id, t)
	if trade.Passed(t.Agreement.Deadlines.PayBy, x.now) {
		x.remove(tradeKey(id))
	} else {
		x.put(tradeKey(id), &mark{})
	}
}

// recordStep updates the parties' records for a step of a match.
func (x *execution) recordStep(id types.TradeID, next *types.Trade, event types.EventKind) {
	if !matched(next) {
		return
	}
	switch event {
	case types.EventReleased:
		if next.Phase == types.PhaseReleased {
			x.recordFill(id, next)
		}
	case types.EventSettled:
		x.recordSettlement(next)
	case types.EventAwarded:
		x.recordDispute(next)
	case types.EventRefunded:
		x.refundDue(id, next)
	}
}

func (s *State) emitTrade(kind types.EventKind, id types.TradeID, t *types.Trade) {
	event := types.Event{Trade: id}
	if len(t.Steps) > 0 && kind != types.EventLapsed {
		event.Tx = t.Steps[len(t.Steps)-1].Tx
	}
	s.emit(kind, event, t.Agreement.Producer, t.Agreement.Consumer)
}
