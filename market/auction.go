package market

import (
	"slices"

	"lockstep/types"
)

// Entrant is an order of the ledger that takes part in the auction of its product, with its owner's record in hundredths.
type Entrant struct {
	Order  *types.Order
	Record uint8
}

// Outcome is the result of an auction of the ledger.
type Outcome struct {
	Rounds  []types.Round // in which something was traded
	Filled  []uint64      // for each entrant, in units of the goods
	Matches []Match
}

// Match is a trade: indexes of the round and of the entrants.
type Match struct {
	Round, Bid, Offer int
	Lots              uint64
	Leaf              uint16 // its number among the matches of its bid: the digest of the bid's tree that locks it
}

// Auction holds the auction of a product. Orders that can trade with each other accept each other's records, so it goes in rounds, each
// of which is one clearing at one price: for each level of records that bids demand of sellers, and each that offers demand of buyers,
// the most demanding first. In a round take part, with their remaining lots, the orders that demand no more than its levels and whose
// owners have at least them. Where all demand nothing there is one round, unless orders have made all their trades: then those that they
// left unserved are cleared again without them.
//
// The orders are whole lots and ticks of the grid, and add up to less than 2^64 lots, which the ledger's bounds see to.
func Auction(entrants []Entrant, grid *types.Grid, product types.ProductID) *Outcome {
	a := auctioneer{
		entrants: entrants, lot: grid.Lot, tick: uint64(grid.Tick), all: newBooks(read(entrants, grid), product),
		trades: make([]uint16, len(entrants)), filled: make([]uint64, len(entrants)), outcome: &Outcome{Filled: make([]uint64, len(entrants))},
	}
	for s, side := range a.all.sides {
		a.round[s] = make(book, 0, len(side))
	}
	for _, sellers := range slices.Backward(types.RecordLevels()) {
		for _, buyers := range slices.Backward(types.RecordLevels()) {
			e := someEffort()
			if sellers == 0 && buyers == 0 {
				e = mostEffort()
			}
			for n := 0; a.hold(sellers, buyers, e) && n < again && e.clearings > 0; n++ {
				e.clearings--
			}
		}
	}
	for i, lots := range a.filled {
		a.outcome.Filled[i] = lots * grid.Lot
	}
	return a.outcome
}

// again bounds how many rounds follow one of the same levels.
const again = 3

// read copies the fields that an auction needs from the entrants: they may lie far apart in memory. The offers of one connection point
// share the places of its slot.
func read(entrants []Entrant, grid *types.Grid) []Order {
	orders, offers := make([]Order, len(entrants)), map[types.Flow]int{}
	for i := range entrants {
		if flow := entrants[i].Order.Flow; !flow.IsZero() {
			offers[flow]++
		}
	}
	for i := range entrants {
		o := entrants[i].Order
		orders[i] = Order{
			ID: string([]byte{o.Number}), Owner: string(o.Owner[:]), Side: o.Side, Lots: o.Lots(), Limit: uint64(o.Limit / grid.Tick), MinFill: o.MinFill / grid.Lot,
			MaxTrades: o.MaxTrades() / max(1, offers[o.Flow]),
		}
	}
	return orders
}

type auctioneer struct {
	entrants  []Entrant
	lot, tick uint64
	all       *books
	trades    []uint16 // so far, of each entrant
	filled    []uint64 // lots, of each
	round     [2]book  // room for the orders of one
	outcome   *Outcome
}

// hold holds a round of these levels, and reports whether another can follow.
func (a *auctioneer) hold(sells, buys uint8, e *effort) bool {
	bidders := a.admit(buyers, buys, sells)
	askers := a.admit(sellers, sells, buys)
	if !bidders || !askers { // nobody demands this much: who would trade here does in the round of the next lower level
		return false
	}
	b := &books{sides: a.round, limits: a.all.limits, levels: a.all.levels, effort: e}
	b.net()
	d := b.trade()
	a.all.levels = b.levels
	if d.volume == 0 {
		return false
	}
	for _, p := range d.pairs {
		bid, offer := b.places(p)
		a.outcome.Matches = append(a.outcome.Matches, Match{
			Round: len(a.outcome.Rounds), Bid: bid, Offer: offer, Lots: p.lots, Leaf: a.trades[bid],
		})
		for _, i := range []int{bid, offer} {
			a.trades[i]++
			a.filled[i] += p.lots
		}
	}
	a.outcome.Rounds = append(a.outcome.Rounds, types.Round{
		Sellers: sells, Buyers: buys, Price: types.Amount(d.interval.price() * a.tick), Volume: d.volume * a.lot,
	})
	return d.limited
}

// admit collects the orders of one side that are in a round: those whose owners have the record that the other side may demand, and
// that demand no more than its owners have. It tells whether one of them demands just that.
func (a *auctioneer) admit(s int, has, demands uint8) (demanded bool) {
	a.round[s] = a.round[s][:0]
	for i := range a.all.sides[s] {
		e := &a.all.sides[s][i]
		entrant, filled, trades := &a.entrants[e.place], a.filled[e.place], int32(a.trades[e.place])
		if filled == e.lots || trades == e.trades || entrant.Order.MinRecord > demands || entrant.Record < has {
			continue
		}
		demanded = demanded || entrant.Order.MinRecord == demands
		a.round[s] = append(a.round[s], *e)
		if added := &a.round[s][len(a.round[s])-1]; filled > 0 {
			added.lots -= filled
			added.trades -= trades
			added.least = 0
		}
	}
	return demanded
}
