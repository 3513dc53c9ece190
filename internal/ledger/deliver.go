package ledger

import "lockstep/types"

// deliver turns the deposit into the return, locked like the payment, up to deliver-by (E2). The producer adds its bond.
// From here on one secret opens all three: showing it takes the return back and frees the payment.
func (x *execution) deliver(a *types.Deliver) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	switch trade.PhaseAt(x.now) {
	case types.PhasePaid:
	case types.PhaseRefunded:
		return types.Refuse(types.CodeTooLate, "deliver-by %s has passed: payment and deposit are the consumer's again", trade.Agreement.Deadlines.DeliverBy)
	default:
		return types.Refuse(types.CodePhase, "to be delivered a trade must be paid, this one is %s", trade.PhaseAt(x.now))
	}
	if err := x.claimSlot(a.Trade, trade); err != nil {
		return err
	}
	next := change(trade)
	deposit, err := unlock(next, types.PartDeposit)
	if err != nil {
		return err
	}
	lock(next, types.PartReturn, deposit)
	if bond := trade.Agreement.Bond; bond > 0 {
		if err := x.debit(trade.Agreement.Asset, bond); err != nil {
			return err
		}
		lock(next, types.PartBond, bond)
	}
	x.need(trade.Agreement.Producer)
	next.Phase = types.PhaseDelivered
	x.note(next, types.StepDelivered)
	x.put(tradeKey(a.Trade), next)
	x.emitTrade(types.EventDelivered, a.Trade, next)
	return nil
}
