package market

import (
	"fmt"

	"lockstep/types"
)

// Side tells bids from offers.
type Side = types.Side

// The sides.
const (
	Bid   = types.Bid
	Offer = types.Sell
)

// Order is a wish to trade up to a number of lots at a limit or better.
type Order struct {
	ID        string
	Owner     string // empty: an owner of its own
	Side      Side
	Lots      uint64 // at least 1
	Limit     uint64 // for a lot, in ticks
	MinFill   uint64 // lots: it gets at least so many or nothing; 0 is 1
	MaxTrades int    // with so many others at most; 0: any number
}

// Bounds of one clearing.
const (
	MaxOrders = types.MaxBook
	MaxLots   = types.MaxQuantity // of an order
)

// Check returns the fault of an order by itself.
func (o *Order) Check() error {
	switch {
	case o.ID == "" || len(o.ID) > types.MaxName*2:
		return fmt.Errorf("an order needs an id of at most %d bytes", types.MaxName*2)
	case o.Side != Bid && o.Side != Offer:
		return fmt.Errorf("order %q is neither a bid nor an offer", o.ID)
	case o.Lots < 1 || o.Lots > MaxLots:
		return fmt.Errorf("order %q: its quantity of %d lots is not between 1 and 2^48", o.ID, o.Lots)
	case o.MinFill > o.Lots:
		return fmt.Errorf("order %q: its smallest fill of %d lots is more than its quantity of %d", o.ID, o.MinFill, o.Lots)
	case o.MaxTrades < 0:
		return fmt.Errorf("order %q: it can't make %d trades", o.ID, o.MaxTrades)
	}
	return nil
}

// Fill is the outcome of an order.
type Fill struct {
	ID   string
	Side Side
	Lots uint64
}
