package ledger

import "lockstep/types"

// award divides what a trade has locked as its arbiter says: between the two parties and nobody else, only in phase
// delivered, only after confirm-by.
func (x *execution) award(a *types.Award) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	arbiter, named := trade.Agreement.Fallback.(*types.Arbiter)
	if !named {
		return types.Refuse(types.CodeArbiter, "trade %s has %s terms", a.Trade, types.FallbackKind(trade.Agreement.Fallback))
	}
	if err := x.checkConfirmed(trade, "awarded"); err != nil {
		return err
	}
	if err := checkShares(trade, a.ToProducer, a.ToConsumer); err != nil {
		return err
	}
	x.need(arbiter.Key)
	next := change(trade)
	next.Phase = types.PhaseAwarded
	x.recordDispute(next)
	return x.divide(a.Trade, next, types.StepAwarded, types.EventAwarded, a.ToProducer, a.ToConsumer)
}

// checkConfirmed wants a delivered trade whose confirm-by has passed: from then on a release can't come any more, so its
// fallback terms decide.
func (x *execution) checkConfirmed(trade *types.Trade, what string) error {
	if phase := trade.PhaseAt(x.now); phase != types.PhaseDelivered {
		return types.Refuse(types.CodePhase, "to be %s a trade must be delivered, this one is %s", what, phase)
	}
	if confirmBy := trade.Agreement.Deadlines.ConfirmBy; x.now <= confirmBy {
		return types.Refuse(types.CodeTooEarly, "confirm-by %s has not passed, the ledger clock is at %s", confirmBy, x.now)
	}
	return nil
}
