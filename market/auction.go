package market

import (
	"bytes"
	"cmp"
	"slices"

	"lockstep/types"
)

// Entrant is an order of the ledger that takes part in the auction of its product, with its owner's record in hundredths.
type Entrant struct {
	Order  *types.Order
	ID     types.OrderID // of the order
	Record uint8
}

// Outcome is the result of an auction of the ledger.
type Outcome struct {
	Rounds  []types.Round // in which something was traded
	Filled  []uint64      // for each entrant
	Matches []Match
}

// Match is a trade: indexes of the round and of the entrants.
type Match struct {
	Round, Bid, Offer int
	Quantity          uint64
}

// Auction holds the auction of a product. Orders that can trade with each other accept the same fallback terms and each
// other's records, so it goes in rounds, each of which is one [Clear] at one price: for each of the terms, those that leave
// least to trust first; within them for each level of records that bids demand of sellers and each that offers demand of
// buyers, the most demanding first. In a round take part, with what they have left, the orders that demand no more than its
// levels and whose owners have at least them. Where all accept the same terms and demand nothing there is one round.
//
// Their quantities must add up to less than 2^64, which the ledger's bounds see to.
//
// An offer under meter terms makes at most [types.MaxClaims] trades, which is what its slot has places for.
func Auction(entrants []Entrant) *Outcome {
	a := auctioneer{
		entrants: entrants, ids: make([]string, len(entrants)), trades: make([]int, len(entrants)),
		outcome: &Outcome{Filled: make([]uint64, len(entrants))},
	}
	for i := range entrants {
		a.ids[i] = string(entrants[i].ID[:])
	}
	for _, group := range groups(entrants) {
		for _, sellers := range slices.Backward(types.RecordLevels()) {
			for _, buyers := range slices.Backward(types.RecordLevels()) {
				a.round(group, sellers, buyers)
			}
		}
	}
	return a.outcome
}

type auctioneer struct {
	entrants []Entrant
	ids      []string
	trades   []int // so far, of each
	outcome  *Outcome
}

func (a *auctioneer) round(group group, sellers, buyers uint8) {
	if !group.demanded[demand{Bid, sellers}] || !group.demanded[demand{Offer, buyers}] {
		return
	}
	bids, bidders := a.admit(group, Bid, buyers, sellers)
	offers, asked := a.admit(group, Offer, sellers, buyers)
	if !bidders || !asked { // nobody demands this much: who would trade here does in the round of the next lower level
		return
	}
	found := clearBooks(&bids, &offers)
	if found.volume == 0 {
		return
	}
	round := types.Round{Fallback: group.terms, Sellers: sellers, Buyers: buyers, Price: found.limits}
	for _, pair := range pairs(bids, offers, func(offer *entry) int {
		if !group.metered() {
			return 0
		}
		return types.MaxClaims - a.trades[offer.place]
	}) {
		match := Match{Round: len(a.outcome.Rounds), Bid: pair.bid.place, Offer: pair.offer.place, Quantity: pair.quantity}
		a.outcome.Matches = append(a.outcome.Matches, match)
		a.outcome.Filled[match.Bid] += pair.quantity
		a.outcome.Filled[match.Offer] += pair.quantity
		a.trades[match.Offer]++
		round.Volume += pair.quantity
	}
	a.outcome.Rounds = append(a.outcome.Rounds, round)
}

// admit lists the orders of one side in a round: those whose owners have the record that the other side may demand, and that
// demand no more than its owners have. It tells whether one of them demands just that.
func (a *auctioneer) admit(group group, side Side, has, demands uint8) (b book, demanded bool) {
	for _, i := range group.members {
		o, filled := a.entrants[i].Order, a.outcome.Filled[i]
		if o.Side != side || filled == o.Quantity || o.MinRecord > demands || a.entrants[i].Record < has ||
			group.metered() && side == Offer && a.trades[i] >= types.MaxClaims {
			continue
		}
		least := o.MinFill
		if filled > 0 {
			least = 0
		}
		demanded = demanded || o.MinRecord == demands
		left := o.Quantity - filled
		b = append(b, &entry{left: left, place: i, Order: Order{
			ID: a.ids[i], Owner: string(o.Owner[:]), Side: side, Quantity: left, Price: o.Limit, MinFill: least,
		}})
	}
	b.sort()
	return b, demanded
}

// group is the entrants that accept the same terms.
type group struct {
	terms    types.Fallback
	members  []int
	demanded map[demand]bool // by any of them
}

// demand is a level of records that orders of a side ask for.
type demand struct {
	side  Side
	level uint8
}

func (g *group) metered() bool {
	_, metered := g.terms.(*types.Meter)
	return metered
}

// groups lists the terms that any entrant accepts as they are served: by kind, arbiters by key.
func groups(entrants []Entrant) []group {
	var all []group
	places := map[termsKey]int{}
	for i, entrant := range entrants {
		for _, terms := range entrant.Order.Accepts {
			key := keyOf(terms)
			place, known := places[key]
			if !known {
				place = len(all)
				places[key] = place
				all = append(all, group{terms: terms, demanded: map[demand]bool{}})
			}
			all[place].members = append(all[place].members, i)
			all[place].demanded[demand{entrant.Order.Side, entrant.Order.MinRecord}] = true
		}
	}
	slices.SortFunc(all, func(a, b group) int { return keyOf(a.terms).compare(keyOf(b.terms)) })
	return all
}

// termsKey tells terms apart and orders them as they are served.
type termsKey struct {
	rank    int
	arbiter types.PublicKey
}

func keyOf(terms types.Fallback) termsKey {
	key := termsKey{rank: types.TermsRank(terms)}
	if arbiter, named := terms.(*types.Arbiter); named {
		key.arbiter = arbiter.Key
	}
	return key
}

func (k termsKey) compare(other termsKey) int {
	return cmp.Or(cmp.Compare(k.rank, other.rank), bytes.Compare(k.arbiter[:], other.arbiter[:]))
}
