package market

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"lockstep/types"
)

// Side is what an order wants.
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

// Check reports what is wrong with an order by itself.
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

// book is one side of the orders, best limit first, then by ID: a total order, so that the input's is forgotten.
type book []*entry

type entry struct {
	Order
	left  uint64 // after netting
	fill  uint64
	place int  // among the entrants of an auction
	out   bool // left out of the auction, because of its smallest fill
}

func newBook(orders []Order, side Side) book {
	var b book
	for i := range orders {
		if orders[i].Side == side {
			b = append(b, &entry{Order: orders[i], left: orders[i].Quantity})
		}
	}
	b.sort()
	return b
}

func (b book) sort() { slices.SortFunc(b, compareEntries) }

func compareEntries(a, b *entry) int {
	order := ComparePrices(a.Price, b.Price)
	if a.Side == Bid {
		order = -order
	}
	return cmp.Or(order, strings.Compare(a.ID, b.ID))
}

// net takes what an owner's bids and offers would trade with each other out of both, best against best. Afterwards each
// of its bids is below each of its offers, so at one price for all it can't be on both sides.
func net(bids, offers book) {
	own := map[string]*struct{ bids, offers book }{}
	var owners []string
	add := func(e *entry) {
		if e.Owner == "" {
			return
		}
		o := own[e.Owner]
		if o == nil {
			o = &struct{ bids, offers book }{}
			own[e.Owner] = o
			owners = append(owners, e.Owner)
		}
		if e.Side == Bid {
			o.bids = append(o.bids, e)
		} else {
			o.offers = append(o.offers, e)
		}
	}
	for _, side := range []book{bids, offers} {
		for _, e := range side {
			add(e)
		}
	}
	for _, owner := range owners {
		netOwn(own[owner].bids, own[owner].offers)
	}
}

func netOwn(bids, offers book) {
	for i, j := 0, 0; i < len(bids) && j < len(offers); {
		bid, offer := bids[i], offers[j]
		if ComparePrices(bid.Price, offer.Price) < 0 {
			return
		}
		both := min(bid.left, offer.left)
		bid.left -= both
		offer.left -= both
		if bid.left == 0 {
			i++
		}
		if offer.left == 0 {
			j++
		}
	}
}

// live drops what netting has used up or has left less of than the smallest fill, and what was left out.
func (b book) live() book {
	return slices.DeleteFunc(b, func(e *entry) bool { return e.out || e.left == 0 || e.left < e.MinFill })
}

// Fill is what an order gets.
type Fill struct {
	ID       string
	Side     Side
	Quantity uint64
}

func compareFills(a, b Fill) int { return strings.Compare(a.ID, b.ID) }
