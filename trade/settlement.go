package trade

import "lockstep/types"

// ProducerShare returns the producer's share of the locked money in a settlement under meter terms (protocol section 4), with k
// instalments released before and q of the goods' quantity Q allotted by the readings: max(floor(price*k/N), floor(price*q/Q)) of
// the price in all, and floor(bond*q/Q). If all was allotted it also has the return: then the consumer withheld the release
// without cause. The consumer has the rest.
func ProducerShare(a *types.Agreement, k uint16, q uint64) types.Amount {
	quantity, cut := a.Goods.Quantity, Due(a, k) // the cut of the payment is the producer's already
	if q >= quantity {
		return a.Price - cut + a.Bond + a.Deposit
	}
	return max(cut, a.Price.Share(q, quantity)) - cut + a.Bond.Share(q, quantity)
}

// Division is the share of each side in the money that was locked at the end of a trade.
type Division struct{ ToProducer, ToConsumer types.Amount }

// Divided returns the division by the rules, with k instalments released before and q of the goods' quantity allotted: of a trade that was
// released, or settled. false in any other phase. The agreement must be a checked one, whose sums fit.
func Divided(a *types.Agreement, phase types.Phase, k uint16, q uint64) (Division, bool) {
	switch phase {
	case types.PhaseReleased:
		return Division{a.Price + a.Bond, a.Deposit}, true
	case types.PhaseSettled:
		producer := ProducerShare(a, k, q)
		return Division{producer, a.Price - Due(a, k) + a.Deposit + a.Bond - producer}, true
	}
	return Division{}, false
}

// DivisionIn returns the division that a transaction makes of a trade by a split or an award.
func DivisionIn(tx *types.Tx, id types.TradeID) (Division, bool) {
	for _, action := range tx.Body.Actions {
		if a, ok := action.(*types.Split); ok && a.Trade == id {
			return Division{a.ToProducer, a.ToConsumer}, true
		}
		if a, ok := action.(*types.Award); ok && a.Trade == id {
			return Division{a.ToProducer, a.ToConsumer}, true
		}
	}
	return Division{}, false
}
