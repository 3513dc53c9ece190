package ledger

import "lockstep/types"

// split divides all that a trade has locked, for which both have given a mandate: in phase paid up to deliver-by, or delivered,
// as long as no instalment was released since they signed.
func (x *execution) split(a *types.Split) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	switch phase := trade.PhaseAt(x.now); {
	case phase != types.PhasePaid && phase != types.PhaseDelivered:
		return types.Refuse(types.CodePhase, "to be split a trade must be paid or delivered, this one is %s", phase)
	case a.Phase != phase:
		return types.Refuse(types.CodeMandate, "the split was signed for a trade that is %s, this one is %s", a.Phase, phase)
	case a.Released != trade.Released:
		return types.Refuse(types.CodeMandate, "the split was signed with %d instalments released, now it is %d", a.Released, trade.Released)
	}
	if err := x.checkMandates(&a.Mandates, &trade.Agreement); err != nil {
		return err
	}
	if err := checkShares(trade, a.ToProducer, a.ToConsumer); err != nil {
		return err
	}
	if err := x.submitted(a.Submitter); err != nil {
		return err
	}
	next := change(trade)
	next.Phase = types.PhaseSplit
	return x.divide(a.Trade, next, types.StepSplit, types.EventSplit, a.ToProducer, a.ToConsumer)
}

// divide ends a trade: all that it has locked goes to the purses of its parties. The two shares must
// add up to what is locked.
func (x *execution) divide(id types.TradeID, trade *types.Trade, step types.StepKind, event types.EventKind, toProducer, toConsumer types.Amount) error {
	agreement := &trade.Agreement
	trade.Locked = nil
	for _, share := range []struct {
		to     types.PublicKey
		amount types.Amount
	}{{agreement.Producer, toProducer}, {agreement.Consumer, toConsumer}} {
		if share.amount > 0 {
			if err := x.payOut(share.to, agreement.Asset, share.amount); err != nil {
				return err
			}
		}
	}
	x.countTrade(agreement, places{consumer: true}, places{})
	x.note(trade, step)
	x.emitTrade(event, id, trade)
	x.keep(id, trade)
	return nil
}

func checkShares(trade *types.Trade, toProducer, toConsumer types.Amount) error {
	if total, ok := toProducer.Add(toConsumer); !ok || total != trade.LockedSum() {
		return types.Refuse(types.CodeSplit, "%s to the producer and %s to the consumer are not the %s that is locked",
			toProducer, toConsumer, trade.LockedSum())
	}
	return nil
}
