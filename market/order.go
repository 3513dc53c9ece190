package market

import (
	"cmp"
	"fmt"
	"math/bits"

	"lockstep/types"
)

// Side tells bids from offers.
type Side = types.Side

// The sides.
const (
	Bid   = types.Bid
	Offer = types.Sell
)

// Order is a wish to trade up to a quantity at a limit price or better.
type Order struct {
	ID       string
	Owner    string // empty: an owner of its own
	Side     Side
	Quantity uint64     // at least 1
	Price    types.Rate // limit for one unit
	MinFill  uint64     // it gets at least so much or nothing; 0 is 1
}

// MaxOrders bounds one clearing.
const MaxOrders = 1 << 20

// Check returns the fault of an order by itself.
func (o *Order) Check() error {
	switch {
	case o.ID == "" || len(o.ID) > types.MaxName*2:
		return fmt.Errorf("an order needs an id of at most %d bytes", types.MaxName*2)
	case o.Side != Bid && o.Side != Offer:
		return fmt.Errorf("order %q is neither a bid nor an offer", o.ID)
	case o.Quantity < 1 || o.Quantity > types.MaxQuantity:
		return fmt.Errorf("order %q: quantity %d is not between 1 and 2^48", o.ID, o.Quantity)
	case o.MinFill > o.Quantity:
		return fmt.Errorf("order %q: its smallest fill %d is more than its quantity %d", o.ID, o.MinFill, o.Quantity)
	case !o.Price.Canonical():
		return fmt.Errorf("order %q: its price is not in the shortest form", o.ID)
	}
	return nil
}

// ComparePrices orders two rates by value, exactly.
func ComparePrices(a, b types.Rate) int {
	if a.Exponent == b.Exponent {
		return cmp.Compare(a.Mantissa, b.Mantissa)
	}
	if a.Exponent > b.Exponent {
		return -ComparePrices(b, a)
	}
	hi, lo := bits.Mul64(a.Mantissa, pow10(b.Exponent-a.Exponent))
	if hi != 0 {
		return 1
	}
	return cmp.Compare(lo, b.Mantissa)
}

func pow10(exponent uint8) uint64 {
	power := uint64(1)
	for range exponent {
		power *= 10
	}
	return power
}

// Fill is the outcome of an order.
type Fill struct {
	ID       string
	Side     Side
	Quantity uint64
}
