package market

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

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
// buyers, the most demanding first. In a round take part, with their remaining quantity, the orders that demand no more than its
// levels and whose owners have at least them. Where all accept the same terms and demand nothing there is one round.
//
// Their quantities must add up to less than 2^64, which the ledger's bounds see to.
//
// An offer under meter terms makes at most [types.MaxClaims] trades, the number of places in its slot.
func Auction(entrants []Entrant) *Outcome {
	orders, conditions, groups := read(entrants)
	a := auctioneer{
		conditions: conditions, books: newBooks(orders, placesByID(orders)),
		trades: make([]int, len(entrants)), outcome: &Outcome{Filled: make([]uint64, len(entrants))},
	}
	a.bids, a.offers = make(book, 0, len(a.books.bids)), make(book, 0, len(a.books.offers))
	a.join(groups)
	slices.SortFunc(groups, func(a, b group) int { return a.key.compare(b.key) })
	for i := range groups {
		for _, sellers := range slices.Backward(types.RecordLevels()) {
			for _, buyers := range slices.Backward(types.RecordLevels()) {
				a.round(&groups[i], sellers, buyers)
			}
		}
	}
	return a.outcome
}

// conditions are an entrant's properties and demands other than quantity and price.
type conditions struct {
	record  uint8   // of its owner
	demands uint8   // the least of the other side's
	terms   []int32 // that it accepts: places among the groups
}

// read copies the fields that an auction needs from the entrants, in one pass: they may lie far apart in memory. The groups are those
// of the terms that any of them accepts, without members as yet.
func read(entrants []Entrant) ([]Order, []conditions, []group) {
	orders, all := make([]Order, len(entrants)), make([]conditions, len(entrants))
	var groups []group
	places := map[termsKey]int32{}
	terms := make([]int32, 0, len(entrants))
	var names strings.Builder // one text for all
	names.Grow(len(entrants) * nameSize)
	for i := range entrants {
		o := entrants[i].Order
		orders[i] = Order{Side: o.Side, Quantity: o.Quantity, Price: o.Limit, MinFill: o.MinFill}
		names.Write(entrants[i].ID[:])
		names.Write(o.Owner[:])
		from := len(terms)
		for _, accepted := range o.Accepts {
			key := keyOf(accepted)
			place, known := places[key]
			if !known {
				place = int32(len(groups))
				places[key] = place
				groups = append(groups, group{key: key, terms: accepted})
			}
			terms = append(terms, place)
		}
		all[i] = conditions{record: entrants[i].Record, demands: o.MinRecord, terms: terms[from:]}
	}
	for i := range orders {
		name := names.String()[i*nameSize:][:nameSize]
		orders[i].ID, orders[i].Owner = name[:len(types.OrderID{})], name[len(types.OrderID{}):]
	}
	return orders, all, groups
}

// nameSize is the size of an order's ID and its owner.
const nameSize = len(types.OrderID{}) + len(types.PublicKey{})

type auctioneer struct {
	conditions []conditions // of each entrant
	books      books        // of all
	trades     []int        // so far, of each
	outcome    *Outcome

	bids, offers book // room for those of one round
}

// group is the entrants that accept the same terms.
type group struct {
	key          termsKey
	terms        types.Fallback
	bids, offers members
}

func (g *group) metered() bool {
	_, metered := g.terms.(*types.Meter)
	return metered
}

// members are the orders of a group on one side.
type members struct {
	at     []int32 // places in the book of all
	levels []uint8 // of records, that any of them demands of the other side
}

func (m *members) demand(level uint8) bool { return slices.Contains(m.levels, level) }

func (m *members) add(at int, level uint8) {
	m.at = append(m.at, int32(at))
	if !m.demand(level) {
		m.levels = append(m.levels, level)
	}
}

// join makes the entrants members of the groups whose terms they accept, in the order of the books.
func (a *auctioneer) join(groups []group) {
	for at := range a.books.bids {
		conditions := &a.conditions[a.books.bids[at].place]
		for _, terms := range conditions.terms {
			groups[terms].bids.add(at, conditions.demands)
		}
	}
	for at := range a.books.offers {
		conditions := &a.conditions[a.books.offers[at].place]
		for _, terms := range conditions.terms {
			groups[terms].offers.add(at, conditions.demands)
		}
	}
}

func (a *auctioneer) round(group *group, sellers, buyers uint8) {
	if !group.bids.demand(sellers) || !group.offers.demand(buyers) {
		return
	}
	var bidders, asked bool
	a.bids, bidders = a.admit(a.bids[:0], group, a.books.bids, group.bids.at, buyers, sellers)
	a.offers, asked = a.admit(a.offers[:0], group, a.books.offers, group.offers.at, sellers, buyers)
	if !bidders || !asked { // nobody demands this much: who would trade here does in the round of the next lower level
		return
	}
	b := books{bids: a.bids, offers: a.offers, limits: a.books.limits}
	found := b.clear()
	if found.volume == 0 {
		return
	}
	round := types.Round{Fallback: group.terms, Sellers: sellers, Buyers: buyers, Price: found.price}
	matches := pairs(b.bids, b.offers, func(offer int) int {
		if !group.metered() {
			return 0
		}
		return types.MaxClaims - a.trades[offer]
	})
	for i := range matches {
		match := &matches[i]
		match.Round = len(a.outcome.Rounds)
		a.outcome.Filled[match.Bid] += match.Quantity
		a.outcome.Filled[match.Offer] += match.Quantity
		a.trades[match.Offer]++
		round.Volume += match.Quantity
	}
	a.outcome.Matches = append(a.outcome.Matches, matches...)
	a.outcome.Rounds = append(a.outcome.Rounds, round)
}

// admit adds the orders of one side that are in a round: those whose owners have the record that the other side may demand,
// and that demand no more than its owners have. It tells whether one of them demands just that.
func (a *auctioneer) admit(to book, group *group, from book, members []int32, has, demands uint8) (b book, demanded bool) {
	for _, at := range members {
		e := &from[at]
		conditions, filled := &a.conditions[e.place], a.outcome.Filled[e.place]
		if filled == e.remaining || conditions.demands > demands || conditions.record < has ||
			group.metered() && a.trades[e.place] >= types.MaxClaims {
			continue
		}
		demanded = demanded || conditions.demands == demands
		to = append(to, *e)
		if filled > 0 {
			to[len(to)-1].remaining -= filled
			to[len(to)-1].least = 0
		}
	}
	return to, demanded
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
