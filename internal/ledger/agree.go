package ledger

import "lockstep/types"

// agree records an agreement for which both have given a mandate. It lapses if it is not paid by pay-by.
func (x *execution) agree(a *types.Agree) error {
	agreement := &a.Agreement
	id, err := x.checkAgreement(agreement)
	if err != nil {
		return err
	}
	if err := x.checkMandates(&a.Mandates, agreement); err != nil {
		return err
	}
	if err := x.submitted(a.Submitter); err != nil {
		return err
	}
	trade := newTrade(agreement, types.PhaseAgreed, x.clock.Height)
	x.note(trade, types.StepAgreed)
	x.put(tradeKey(id), trade)
	x.add(queueKey(agreement.Deadlines.PayBy, queueTrade, id), &mark{})
	x.beginTrade(agreement)
	x.emitTrade(types.EventAgreed, id, trade)
	return nil
}

// checkAgreement is what holds for every agreement that becomes a trade, whichever action records it.
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
	return id, nil
}

func (x *execution) checkDeadlines(d *types.Deadlines) error {
	switch {
	case x.now > d.PayBy:
		return types.Refuse(types.CodeTooLate, "pay-by %s has passed, the ledger clock is at %s", d.PayBy, x.now)
	case d.ConfirmBy > x.now.Add(x.params.Horizon):
		return types.Refuse(types.CodeDeadlines, "confirm-by %s is more than %s ahead", d.ConfirmBy, x.params.Horizon)
	}
	return nil
}

// lapse forgets an agreement that was not paid by pay-by.
func (s *State) lapse(id types.TradeID) {
	trade, ok := get[types.Trade](s, tradeKey(id))
	if !ok || trade.PhaseAt(s.now) != types.PhaseLapsed {
		return
	}
	s.remove(tradeKey(id))
	s.countTrade(&trade.Agreement, placesOf(trade), places{})
	s.recordLapse(trade)
	final := change(trade)
	final.Phase = types.PhaseLapsed
	s.closing = append(s.closing, Closed{id, final})
	s.emitTrade(types.EventLapsed, id, final)
}
