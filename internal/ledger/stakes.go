package ledger

import (
	"iter"

	"lockstep/types"
)

// Stake is money of a key that is in no coin: of an order, of a standing offer, or of a match that is still to become a trade.
type Stake struct {
	Owner  types.PublicKey
	Asset  types.AssetID
	Amount types.Amount // the stakes of a key add up modulo 2^64, see [Stakes]
}

// Stakes yields the stakes that a value of the state holds, for most none. While an auction is being held, its pages of orders take off again
// the part of each stake that the pages of matches count: so a key's stakes add up to the same money in every block.
func Stakes(value any) iter.Seq[Stake] {
	return func(yield func(Stake) bool) {
		switch value := value.(type) {
		case *types.PlacedOrder:
			stake, _ := value.Order.Stake() // fits: checked when it was placed
			yield(Stake{value.Order.Owner, value.Order.Product.Asset, stake})
		case *types.StandingOffer:
			if value.Stake > 0 {
				yield(Stake{value.Offer.Producer, value.Offer.Asset, value.Stake})
			}
		case *heldPage:
			value.stakes(yield)
		}
	}
}

func (p *heldPage) stakes(yield func(Stake) bool) {
	for _, order := range p.Orders {
		if order.Used > 0 && !yield(Stake{order.Owner, p.Asset, -order.Used}) {
			return
		}
	}
	for i := range p.Matches {
		match := &p.Matches[i]
		price, lots := p.Rounds[match.Round-p.Round].Price, types.Amount(match.Lots)
		if !yield(Stake{match.Consumer, p.Asset, lots * (price + p.Deposit)}) || !yield(Stake{match.Producer, p.Asset, lots * p.Bond}) { // a part of the stakes, so they fit
			return
		}
	}
}

// Stakes returns the stakes of all values of the state.
func (r Reader) Stakes() iter.Seq[Stake] {
	return func(yield func(Stake) bool) {
		for _, kind := range []byte{kindOrder, kindOffer, kindHeldPage} {
			going := true
			from, to := kindRange(kind)
			r.Ascend(from, to, func(key string, stored Value) bool {
				for stake := range Stakes(decoded(key, stored)) {
					if going = yield(stake); !going {
						break
					}
				}
				return going
			})
			if !going {
				return
			}
		}
	}
}
