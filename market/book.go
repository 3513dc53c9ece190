package market

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"lockstep/types"
)

// entry is an order in a round.
type entry struct {
	place  int32  // of the order in the input
	level  int32  // of its limit among all, from the best one for its side
	owner  int32  // number of an owner who is on both sides; 0 is any other
	trades int32  // at most
	lots   uint64 // to trade, after netting
	least  uint64 // smallest fill where it asks for anything: one lot, or nothing, is no demand
	fill   uint64 // by price
	placed uint64 // by the pairs
	state  state
}

// state tells whether an order takes part.
type state uint8

const (
	in      state = iota
	waiting       // left out, since it can't have its smallest fill; it may join again
	gone          // left out of the round
)

// book is one side of the orders: best limit first, then by hash. It is a total order, so that the input's is forgotten.
type book []entry

// The sides of the books.
const (
	buyers = iota
	sellers
)

// books are the orders of a round. A side's levels are the distinct limits of both sides, the best one for it first: so a bid of level
// i and an offer of level k meet if i+k < len(limits).
type books struct {
	sides  [2]book
	limits []uint64    // the distinct ones, from the lowest
	levels [2][]uint64 // lots that take part, of each level
	effort *effort
}

// effort bounds the work of a clearing, or of a level of an auction, beyond the plain one. Each level has its own, so that orders of one
// can't use up that of another.
type effort struct {
	steps     int // of passes that let orders in again
	clearings int // after the first
}

// mostEffort is for a clearing, and for the level of an auction that demands nothing; someEffort for each of the others. One core takes
// less than a second for all of it with 100,000 orders.
func mostEffort() *effort { return &effort{steps: 1 << 26, clearings: 36} }

func someEffort() *effort { return &effort{steps: 1 << 23, clearings: 4} }

// key is where an order stands in its book.
type key struct {
	limit uint64 // of a bid its complement, so that the best comes first
	tie   uint64 // the first bytes of its hash
	place int32
}

// newBooks lays the orders of a product out.
func newBooks(orders []Order, product types.ProductID) *books {
	var keys [2][]key
	for s := range keys {
		keys[s] = make([]key, 0, len(orders))
	}
	for place := range orders {
		o := &orders[place]
		side, limit := sellers, max(o.Limit, 1) // no price is below a tick
		if o.Side == Bid {
			side, limit = buyers, ^o.Limit
		}
		hash := o.hash(product)
		keys[side] = append(keys[side], key{limit, binary.BigEndian.Uint64(hash[:]), int32(place)})
	}
	for s := range keys {
		slices.SortFunc(keys[s], func(a, b key) int {
			if a.limit != b.limit {
				return cmp.Compare(a.limit, b.limit)
			}
			if a.tie != b.tie {
				return cmp.Compare(a.tie, b.tie)
			}
			return compareEquals(&orders[a.place], &orders[b.place], product)
		})
	}
	b := &books{effort: mostEffort()}
	owners := ownersOnBothSides(orders)
	for s := range keys {
		b.sides[s] = make(book, len(keys[s]))
		for i, k := range keys[s] {
			o := &orders[k.place]
			e := entry{place: k.place, owner: owners[k.place], trades: int32(min(o.MaxTrades, math.MaxInt32)), lots: o.Lots}
			if o.MinFill > 1 {
				e.least = o.MinFill
			}
			if o.MaxTrades == 0 {
				e.trades = math.MaxInt32
			}
			b.sides[s][i] = e
		}
	}
	b.rank(keys)
	return b
}

// hash decides between equals. It has no part that a proposer or a late order could choose: only the key of the owner.
func (o *Order) hash(product types.ProductID) types.Hash {
	owner := o.Owner
	if owner == "" {
		owner = o.ID
	}
	var room [len(types.ProductID{}) + 2*types.MaxName]byte
	return sha256.Sum256(append(append(room[:0], product[:]...), owner...))
}

// compareEquals orders two with the same beginning of their hashes: nearly always two of one owner.
func compareEquals(a, b *Order, product types.ProductID) int {
	if a.Owner == b.Owner && a.Owner != "" {
		return strings.Compare(a.ID, b.ID)
	}
	one, other := a.hash(product), b.hash(product)
	return cmp.Or(bytes.Compare(one[:], other[:]), strings.Compare(a.ID, b.ID))
}

// rank lists the distinct limits, and gives each entry its level.
func (b *books) rank(keys [2][]key) {
	bids, offers := keys[buyers], keys[sellers]
	for i, j := len(bids)-1, 0; i >= 0 || j < len(offers); {
		limit := uint64(math.MaxUint64)
		if i >= 0 {
			limit = ^bids[i].limit
		}
		if j < len(offers) {
			limit = min(limit, offers[j].limit)
		}
		level := int32(len(b.limits))
		b.limits = append(b.limits, limit)
		for ; i >= 0 && ^bids[i].limit == limit; i-- {
			b.sides[buyers][i].level = level
		}
		for ; j < len(offers) && offers[j].limit == limit; j++ {
			b.sides[sellers][j].level = level
		}
	}
	for i := range b.sides[buyers] {
		e := &b.sides[buyers][i]
		e.level = int32(len(b.limits)-1) - e.level
	}
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

// net removes the lots that an owner's bids and offers would trade with each other from both, best against best, and returns how many
// they are. An order with a smallest fill that would meet one of its own owner is left out instead, so no order is netted against one
// that does not take part. Afterwards an owner trades on one side only.
func (b *books) net() (netted uint64) {
	bids, offers := b.sides[buyers], b.sides[sellers]
	bidders, askers := bids.byOwner(), offers.byOwner()
	bids.leaveOutOwn(bidders, offers, askers, len(b.limits))
	for len(bidders) > 0 && len(askers) > 0 {
		bid, offer := &bids[bidders[0]], &offers[askers[0]]
		switch {
		case offer.state == gone || offer.lots == 0 || offer.owner < bid.owner:
			askers = askers[1:]
		case bid.state == gone || bid.lots == 0 || bid.owner < offer.owner || !b.meet(bid.level, offer.level):
			bidders = bidders[1:]
		default:
			both := min(bid.lots, offer.lots)
			bid.lots -= both
			offer.lots -= both
			netted += both
		}
	}
	return netted
}

func (b *books) meet(bid, offer int32) bool { return int(bid+offer) < len(b.limits) }

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

// leaveOutOwn leaves out the orders with a smallest fill that would meet one of their own owner on the other side.
func (b book) leaveOutOwn(places []int32, other book, others []int32, levels int) {
	best := map[int32][2]int32{} // of an owner, on both sides
	for _, at := range slices.Backward(places) {
		best[b[at].owner] = [2]int32{b[at].level, math.MaxInt32}
	}
	for _, at := range slices.Backward(others) {
		if of, both := best[other[at].owner]; both {
			of[1] = other[at].level
			best[other[at].owner] = of
		}
	}
	leaveOut := func(e *entry, side int) {
		if of, both := best[e.owner]; both && e.least > 0 && int(e.level)+int(of[side]) < levels {
			e.state = gone
		}
	}
	for _, at := range places {
		leaveOut(&b[at], 1)
	}
	for _, at := range others {
		leaveOut(&other[at], 0)
	}
}
