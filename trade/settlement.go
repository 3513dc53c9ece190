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
