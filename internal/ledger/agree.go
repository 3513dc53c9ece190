package ledger

import (
	"lockstep/trade"
	"lockstep/types"
)

// agree records an agreement for which both have given a mandate. It lapses if it is not paid by pay-by.
func (x *execution) agree(a *types.Agree) error {
	agreement := &a.Agreement
	id, err := x.checkAgreement(agreement)
	if err != nil {
		return err
	}
	if err := trade.CheckMandates(&a.Mandates, agreement, x.clock.BlockTime, x.params.MaxValidity); err != nil {
		return err
	}
	x.need(a.Submitter) // for the transaction alone
	if err := a.Submitter.Check("submitter"); err != nil {
		return err
	}
	t := trade.Begin(agreement, x.clock.Height, x.evidence(), x.now)
	x.put(tradeKey(id), t)
	x.add(queueKey(agreement.Deadlines.PayBy, queueTrade, id), &mark{})
	x.beginTrade(agreement)
	x.emitTrade(types.EventAgreed, id, t)
	x.noteStep(types.EventAgreed, id, t)
	return nil
}

// checkAgreement checks the rules for every agreement that becomes a trade, whichever action records it.
func (x *execution) checkAgreement(agreement *types.Agreement) (types.TradeID, error) {
	if err := agreement.Check(&x.params); err != nil {
		return types.TradeID{}, err
	}
	if agreement.Nonce >= types.MatchNonce {
		return types.TradeID{}, types.Refuse(types.CodeTerms, "nonce %d: those from 2^63 on are of auctions", agreement.Nonce)
	}
	if err := x.admitTrade(agreement); err != nil {
		return types.TradeID{}, err
	}
	id := agreement.ID()
	if err := x.checkDeadlines(&agreement.Deadlines); err != nil {
		return id, err
	}
	if _, known := get[types.AssetState](x.State, assetKey(agreement.Asset)); !known {
		return id, types.Refuse(types.CodeAssetUnknown, "asset %s", agreement.Asset)
	}
	if err := x.checkFlow(agreement.Producer, agreement.Goods.Flow, agreement.Goods.From); err != nil {
		return id, err
	}
	if x.look(tradeKey(id)).value != nil { // it is there, or was
		return id, types.Refuse(types.CodeTradeExists, "trade %s", id)
	}
	return id, x.agreeOnSlot(&agreement.Goods)
}

func (x *execution) checkDeadlines(d *types.Deadlines) error {
	switch {
	case trade.Passed(d.PayBy, x.now):
		return types.Refuse(types.CodeTooLate, "pay-by %s has passed, the ledger clock is at %s", d.PayBy, x.now)
	case d.ConfirmBy > x.now.Add(x.params.Horizon):
		return types.Refuse(types.CodeDeadlines, "confirm-by %s is more than %s ahead", d.ConfirmBy, x.params.Horizon)
	}
	return nil
}

// lapse forgets an agreement that was not paid by pay-by.
func (s *State) lapse(id types.TradeID) {
	t, ok := get[types.Trade](s, tradeKey(id))
	if !ok {
		return
	}
	final, lapsed := trade.Lapse(t, s.now)
	if !lapsed {
		return
	}
	s.remove(tradeKey(id))
	s.countTrade(&t.Agreement, placesOf(t), places{})
	s.leaveSlot(t)
	s.closeTrade(types.EventLapsed, id, final)
	s.emitTrade(types.EventLapsed, id, final)
}
