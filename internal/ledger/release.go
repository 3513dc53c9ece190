package ledger

import "lockstep/types"

// release shows the preimage of instalment k (E3). The last one opens the lock for good: return to the consumer, payment
// and bond to the producer. An earlier one cuts what is due by then out of the payment and gives it to the producer.
// Under hold it may come at any time after the delivery, else up to confirm-by.
func (x *execution) release(a *types.Release) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	agreement := &trade.Agreement
	if phase := trade.PhaseAt(x.now); phase != types.PhaseDelivered {
		return types.Refuse(types.CodePhase, "to be released a trade must be delivered, this one is %s", phase)
	}
	if _, hold := agreement.Fallback.(*types.Hold); !hold && x.now > agreement.Deadlines.ConfirmBy {
		return types.Refuse(types.CodeTooLate, "confirm-by %s has passed", agreement.Deadlines.ConfirmBy)
	}
	if a.Instalment <= trade.Released || a.Instalment > agreement.Instalments {
		return types.Refuse(types.CodeInstalment, "instalment %d of %d, of which %d are released", a.Instalment, agreement.Instalments, trade.Released)
	}
	if !trade.Opens(a.Instalment, a.Preimage) {
		return types.Refuse(types.CodeSecret, "the preimage does not open instalment %d of trade %s", a.Instalment, a.Trade)
	}
	next := change(trade)
	next.Released, next.Preimage = a.Instalment, a.Preimage
	if a.Instalment == agreement.Instalments {
		next.Phase = types.PhaseReleased
		x.recordFill(next)
	} else if err := x.cutPayment(next, trade.Released); err != nil {
		return err
	}
	x.countTrade(agreement, placesOf(trade), placesOf(next))
	x.note(next, types.StepReleased)
	x.put(tradeKey(a.Trade), next)
	x.emitTrade(types.EventReleased, a.Trade, next)
	return nil
}

// cutPayment gives the producer floor(price*k/N) in all, less what it had at the last cut. Since N <= price every
// instalment is worth at least 1, and something is left for the last.
func (x *execution) cutPayment(trade *types.Trade, before uint16) error {
	payment, err := unlock(trade, types.PartPayment)
	if err != nil {
		return err
	}
	agreement := &trade.Agreement
	cut := agreement.InstalmentsDue(trade.Released) - agreement.InstalmentsDue(before)
	if err := x.payOut(agreement.Producer, agreement.Asset, cut); err != nil {
		return err
	}
	lock(trade, types.PartPayment, payment-cut)
	return nil
}
