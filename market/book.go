package market

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"lockstep/types"
)

// entry is an order in an auction. Its sort keys are small numbers, computed once: its limit, its ID and its owner.
type entry struct {
	place     int32  // of the order in the input
	limit     int32  // place of its limit among the distinct ones, from the lowest
	id        int32  // place of its ID among all
	owner     int32  // number of an owner who is on both sides; 0 is any other
	remaining uint64 // of its quantity, after netting
	least     uint64 // smallest fill where it asks for anything: one unit, or nothing, is no demand
	fill      uint64
	out       bool // left out of the auction, because of its smallest fill
}

// book is one side of the orders, best limit first, then by ID: a total order, so that the input's is forgotten.
type book []entry

// books are all the orders of an auction.
type books struct {
	bids, offers book
	limits       []types.Rate // the distinct ones, from the lowest
}

// newBooks lays the orders out. They are given with their places by ID, see [placesByID].
func newBooks(orders []Order, byID []int32) books {
	limits, ranks := rankLimits(orders)
	owners := ownersOnBothSides(orders)
	// A shelf for each limit, where those come by ID: of the offers from the lowest limit, then of the bids from the highest.
	shelf := func(place int32) int32 {
		if orders[place].Side == Bid {
			return int32(2*len(limits)-1) - ranks[place]
		}
		return ranks[place]
	}
	starts := make([]int32, 2*len(limits)+1)
	for place := range orders {
		starts[shelf(int32(place))+1]++
	}
	for i := range 2 * len(limits) {
		starts[i+1] += starts[i]
	}
	offers := starts[len(limits)]
	all := make(book, len(orders))
	for id, place := range byID {
		next := &starts[shelf(place)]
		o := &orders[place]
		e := entry{place: place, limit: ranks[place], id: int32(id), owner: owners[place], remaining: o.Quantity}
		if o.MinFill > 1 {
			e.least = o.MinFill
		}
		all[*next] = e
		*next++
	}
	return books{bids: all[offers:], offers: all[:offers:offers], limits: limits}
}

// placesByID lists the places of the orders by their IDs.
func placesByID(orders []Order) []int32 {
	type key struct {
		head  uint64 // of the ID: it decides nearly always
		place int32
	}
	keys := make([]key, len(orders))
	for place := range orders {
		var head [8]byte
		copy(head[:], orders[place].ID)
		keys[place] = key{binary.BigEndian.Uint64(head[:]), int32(place)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(orders[a.place].ID, orders[b.place].ID)
	})
	places := make([]int32, len(orders))
	for i := range keys {
		places[i] = keys[i].place
	}
	return places
}

// rankLimits lists the distinct limits from the lowest, and for each order the place of its own among them.
func rankLimits(orders []Order) (limits []types.Rate, ranks []int32) {
	numbers := map[types.Rate]int32{}
	ranks = make([]int32, len(orders))
	for i := range orders {
		number, known := numbers[orders[i].Price]
		if !known {
			number = int32(len(limits))
			numbers[orders[i].Price] = number
			limits = append(limits, orders[i].Price)
		}
		ranks[i] = number
	}
	slices.SortFunc(limits, ComparePrices)
	rankOf := make([]int32, len(limits))
	for rank, limit := range limits {
		rankOf[numbers[limit]] = int32(rank)
	}
	for i, number := range ranks {
		ranks[i] = rankOf[number]
	}
	return limits, ranks
}

// ownersOnBothSides numbers, from 1, the owners with both bids and offers. Every other order has 0: it has nothing to net.
func ownersOnBothSides(orders []Order) []int32 {
	owners := make([]int32, len(orders))
	bids := 0
	for i := range orders {
		if orders[i].Side == Bid && orders[i].Owner != "" {
			bids++
		}
	}
	bidders := make(map[string]int32, bids)
	for i := range orders {
		if o := &orders[i]; o.Side == Bid && o.Owner != "" {
			bidders[o.Owner] = 0
		}
	}
	both := int32(0)
	for i := range orders {
		o := &orders[i]
		number, bids := bidders[o.Owner]
		if o.Side == Bid || !bids {
			continue
		}
		if number == 0 {
			both++
			number = both
			bidders[o.Owner] = number
		}
		owners[i] = number
	}
	for i := range orders {
		if both > 0 && orders[i].Side == Bid {
			owners[i] = bidders[orders[i].Owner]
		}
	}
	return owners
}

// net removes the quantity that an owner's bids and offers would trade with each other from both, best against best, and returns how
// much that is. Afterwards each of its bids is below each of its offers, so at one price for all it can't be on both sides.
func net(bids, offers book) (netted uint64) {
	bidders, sellers := bids.byOwner(), offers.byOwner()
	for len(bidders) > 0 && len(sellers) > 0 {
		bid, offer := &bids[bidders[0]], &offers[sellers[0]]
		switch {
		case offer.remaining == 0 || offer.owner < bid.owner:
			sellers = sellers[1:]
		case bid.remaining == 0 || bid.owner < offer.owner || bid.limit < offer.limit:
			bidders = bidders[1:]
		default:
			both := min(bid.remaining, offer.remaining)
			bid.remaining -= both
			offer.remaining -= both
			netted += both
		}
	}
	return netted
}

// byOwner lists the places in the book of the orders whose owners are on both sides: by owner, the best first.
func (b book) byOwner() (places []int32) {
	for i := range b {
		if b[i].owner > 0 {
			places = append(places, int32(i))
		}
	}
	slices.SortStableFunc(places, func(i, j int32) int { return cmp.Compare(b[i].owner, b[j].owner) })
	return places
}

// live drops orders that were left out, that netting has used up, or whose remainder is below the smallest fill.
func (b book) live() book {
	return slices.DeleteFunc(b, func(e entry) bool { return e.out || e.remaining == 0 || e.remaining < e.least })
}

// share is an order's claim, in a list sorted by claim.
type share struct {
	amount    uint64
	id, place int32
}

// largestFirst sorts shares; ties by ID.
func largestFirst(shares []share) {
	slices.SortFunc(shares, func(a, b share) int {
		if a.amount != b.amount {
			return cmp.Compare(b.amount, a.amount)
		}
		return cmp.Compare(a.id, b.id)
	})
}

// leaveOutDemanding marks the orders that name a smallest fill.
func (b book) leaveOutDemanding() {
	for i := range b {
		b[i].out = b[i].least > 0
	}
}

// tell puts the fills at the places of the orders in the input.
func (b book) tell(filled []uint64) {
	for i := range b {
		filled[b[i].place] = b[i].fill
	}
}
