package ledger

import "lockstep/types"

// pay locks the payment and the deposit under the digest, up to pay-by (E1: TOKEN_TRANSFER with UTXO_out1 and UTXO_out2).
func (x *execution) pay(a *types.Pay) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	switch trade.PhaseAt(x.now) {
	case types.PhaseAgreed:
	case types.PhaseLapsed:
		return types.Refuse(types.CodeTooLate, "pay-by %s has passed", trade.Agreement.Deadlines.PayBy)
	default:
		return types.Refuse(types.CodePhase, "to be paid a trade must be agreed, this one is %s", trade.PhaseAt(x.now))
	}
	return x.lockPayment(a.Trade, change(trade), a.Digest)
}

// lockPayment is E1 for a trade that may be changed.
func (x *execution) lockPayment(id types.TradeID, trade *types.Trade, digest types.Hash) error {
	agreement := &trade.Agreement
	for _, amount := range []types.Amount{agreement.Price, agreement.Deposit} {
		if err := x.debit(agreement.Asset, amount); err != nil {
			return err
		}
	}
	x.need(agreement.Consumer)
	if matched(trade) {
		x.add(queueKey(agreement.Deadlines.DeliverBy, queueGoods, id), &mark{})
	}
	trade.Phase, trade.Digest = types.PhasePaid, digest
	lock(trade, types.PartPayment, agreement.Price)
	lock(trade, types.PartDeposit, agreement.Deposit)
	x.note(trade, types.StepPaid)
	x.put(tradeKey(id), trade)
	x.emitTrade(types.EventPaid, id, trade)
	return nil
}
