package ledger

import "lockstep/types"

// split divides all that a trade has locked as both parties wish: in phase paid up to deliver-by, or delivered.
func (x *execution) split(a *types.Split) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	if phase := trade.PhaseAt(x.now); phase != types.PhasePaid && phase != types.PhaseDelivered {
		return types.Refuse(types.CodePhase, "to be split a trade must be paid or delivered, this one is %s", phase)
	}
	total, ok := a.ToProducer.Add(a.ToConsumer)
	if !ok || total != trade.LockedSum() {
		return types.Refuse(types.CodeSplit, "%s to the producer and %s to the consumer are not the %s that is locked", a.ToProducer, a.ToConsumer, trade.LockedSum())
	}
	agreement := &trade.Agreement
	x.need(agreement.Producer)
	x.need(agreement.Consumer)
	next := change(trade)
	for _, locked := range trade.Locked {
		if _, err := x.unlock(next, locked.Part); err != nil {
			return err
		}
	}
	for _, share := range []struct {
		to     types.PublicKey
		amount types.Amount
	}{{agreement.Producer, a.ToProducer}, {agreement.Consumer, a.ToConsumer}} {
		if share.amount > 0 {
			x.create(types.Output{Asset: agreement.Asset, Amount: share.amount, Lock: types.ToKey(share.to)})
		}
	}
	next.Phase = types.PhaseSplit
	x.note(next, types.StepSplit)
	x.emitTrade(types.EventSplit, a.Trade, next)
	x.keep(a.Trade, next)
	return nil
}
