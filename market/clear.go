package market

import (
	"fmt"
	"math/big"
	"strings"

	"lockstep/types"
)

// Clearing is the result of an auction.
type Clearing struct {
	Price  *big.Rat // for one unit; nil when nothing is traded
	Volume uint64
	Fills  []Fill // of every order that gets something, by ID
	Netted uint64 // quantity that owners would have traded with themselves
	// Welfare is the sum of the buyers' limits less the sum of the sellers' limits, over the traded quantity.
	Welfare *big.Rat
}

// Clear computes the auction by the rule of the package. Its error names the fault of the orders. It costs
// O(n log n) for n orders.
func Clear(orders []Order) (*Clearing, error) {
	if err := check(orders); err != nil {
		return nil, err
	}
	byID := placesByID(orders)
	for i := 1; i < len(byID); i++ {
		if id := orders[byID[i]].ID; id == orders[byID[i-1]].ID {
			return nil, fmt.Errorf("two orders have the id %q", id)
		}
	}
	b := newBooks(orders, byID)
	found := b.clear()
	result := &Clearing{Volume: found.volume, Netted: found.netted, Welfare: new(big.Rat)}
	if found.volume == 0 {
		return result, nil
	}
	result.Price = found.price.Rat()
	result.Welfare.Sub(b.bids.worth(b.limits), b.offers.worth(b.limits))
	filled := make([]uint64, len(orders))
	b.bids.tell(filled)
	b.offers.tell(filled)
	for _, place := range byID {
		if filled[place] > 0 {
			result.Fills = append(result.Fills, Fill{orders[place].ID, orders[place].Side, filled[place]})
		}
	}
	return result, nil
}

func check(orders []Order) error {
	if len(orders) > MaxOrders {
		return fmt.Errorf("%d orders are more than the %d of one auction", len(orders), MaxOrders)
	}
	var bids, offers types.Amount
	for i := range orders {
		if err := orders[i].Check(); err != nil {
			return err
		}
		sum := &offers
		if orders[i].Side == Bid {
			sum = &bids
		}
		var fits bool
		if *sum, fits = sum.Add(types.Amount(orders[i].Quantity)); !fits {
			return fmt.Errorf("the quantities of one side add up to more than 2^64-1")
		}
	}
	return nil
}

// cleared is the outcome of an auction. The fills are in the books.
type cleared struct {
	price          types.ClearingPrice
	volume, netted uint64
}

// clear nets and auctions orders that are as they should be: it gives them their fills, and takes those out that it has to
// leave out.
func (b *books) clear() cleared {
	netted := net(b.bids, b.offers)
	price, volume := b.settle()
	return cleared{price, volume, netted}
}

// maxRounds bounds how often the auction is computed again because of smallest fills. Real books need one or two rounds;
// after so many, orders that name one are left out altogether.
const maxRounds = 64

// settle finds the price and gives the orders their fills, without those that it has to leave out.
func (b *books) settle() (price types.ClearingPrice, volume uint64) {
	for round := 0; ; round++ {
		if round == maxRounds {
			b.bids.leaveOutDemanding()
			b.offers.leaveOutDemanding()
		}
		b.bids, b.offers = b.bids.live(), b.offers.live()
		best, price := b.findPrice()
		if best.volume == 0 {
			return price, 0
		}
		bidOut, offerOut := b.bids.allocate(best.bids, best.volume), b.offers.allocate(best.offers, best.volume)
		if !bidOut && !offerOut {
			return price, best.volume
		}
	}
}

// Decimal writes an exact result, which always has finitely many decimal places.
func Decimal(r *big.Rat) string {
	text := r.FloatString(types.MaxExponent + 1) // one more than a limit can have, for the middle of two
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
