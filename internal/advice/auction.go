package advice

import (
	"bytes"
	"cmp"
	"fmt"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/market"
	"lockstep/types"
)

// mostDifferences bounds the differences that an audit lists.
const mostDifferences = 20

// audit compares a node's account of an auction with the outcome that its orders determine.
type audit struct {
	params  *types.Params
	grid    *types.Grid
	held    *client.Auction
	orders  []wire.BookOrder
	differs []string
}

// Auction returns the differences between a node's account of an auction and the outcome that its orders determine; none when it is right. It
// takes the node's word for facts that only the ledger's history shows: the records of the owners, and the retired meters.
func Auction(params *types.Params, held *client.Auction, orders []wire.BookOrder) []string {
	a := &audit{params: params, held: held, orders: orders}
	if a.checkGrid() && a.checkOrders() {
		entrants, places := a.checkResults()
		a.checkOutcome(market.Auction(entrants, a.grid, held.ID), entrants, places)
	}
	if len(a.differs) > mostDifferences {
		a.differs = append(a.differs[:mostDifferences], "and more")
	}
	return a.differs
}

func (a *audit) say(format string, args ...any) {
	a.differs = append(a.differs, fmt.Sprintf(format, args...))
}

// checkGrid requires that the auction was held by the grid that the parameters give to its product.
func (a *audit) checkGrid() bool {
	grid, ok := a.params.Grid(&a.held.Product)
	if !ok {
		a.say("the ledger holds no auctions of this product")
		return false
	}
	if a.grid = grid; !bytes.Equal(types.Encode(grid), types.Encode(&a.held.Grid)) {
		a.say("its lots, steps, stakes or terms are not those of the ledger's parameters")
	}
	return len(a.differs) == 0
}

// checkOrders requires one valid order for each result, in the same order. The later checks rely on it.
func (a *audit) checkOrders() bool {
	if len(a.orders) != len(a.held.Results) {
		a.say("there are %d orders and %d results", len(a.orders), len(a.held.Results))
		return false
	}
	for i := range a.orders {
		order, result := &a.orders[i].Order, &a.held.Results[i]
		if order.Product.ID() != a.held.ID {
			a.say("order %d is for another product", i)
		} else if err := order.Check(a.params); err != nil {
			a.say("order %d is not one that the ledger takes: %v", i, err)
		}
		if id := order.ID(); id != result.Order || order.Owner != result.Owner || order.Number != result.Number {
			a.say("result %d is not of the order %s", i, id)
		}
		if i > 0 && !before(&a.held.Results[i-1], result) {
			a.say("result %d is out of order: they come by owner and number, one of each", i)
		}
	}
	return len(a.differs) == 0
}

func before(a, b *types.Result) bool {
	return cmp.Or(bytes.Compare(a.Owner[:], b.Owner[:]), cmp.Compare(a.Number, b.Number)) < 0
}

// checkResults requires that an order is left out for a valid reason only, and returns the orders that take part.
func (a *audit) checkResults() (entrants []market.Entrant, places []int) {
	demanding := false
	for i := range a.orders {
		demanding = demanding || a.orders[i].Order.MinRecord > 0
	}
	void := ""
	if a.begin().Add(a.params.MinWindow) > a.held.Product.From {
		void = types.VoidLate
	}
	if void != a.held.Void {
		a.say("the auction is said to be void for %q, it should be for %q", a.held.Void, void)
	}
	if gate := a.held.Product.Gate(a.params); a.held.BlockTime <= gate {
		a.say("it was held at %s, before the gate closed at %s", a.held.BlockTime, gate)
	}
	for i := range a.orders {
		order, result := &a.orders[i].Order, &a.held.Results[i]
		excluded := ""
		switch {
		case void != "":
		case order.Expires < a.begin():
			excluded = types.ExcludedLate
		case result.Excluded == types.ExcludedMeter && !order.Flow.IsZero():
			excluded = types.ExcludedMeter
		}
		if excluded != result.Excluded {
			a.say("order %s is said to be left out for %q, it should be for %q", result.Order, result.Excluded, excluded)
		}
		if result.Standing > 100 || !demanding && result.Standing != 0 {
			a.say("the owner of order %s can't have a record of %d %%", result.Order, result.Standing)
		}
		if void == "" && excluded == "" {
			entrants = append(entrants, market.Entrant{Order: order, Record: result.Standing})
			places = append(places, i)
		}
	}
	return entrants, places
}

// begin returns the time at which the time to deliver began: the gate, or after an outage the time of the block that held the
// auction.
func (a *audit) begin() types.Time {
	gate := a.held.Product.Gate(a.params)
	if a.held.BlockTime.Since(gate) <= a.params.ClockCap {
		return gate
	}
	return a.held.BlockTime
}

// checkOutcome compares rounds, fills and trades with the outcome computed from the orders.
func (a *audit) checkOutcome(outcome *market.Outcome, entrants []market.Entrant, places []int) {
	if len(outcome.Rounds) != len(a.held.Rounds) {
		a.say("there are %d rounds, %d follow from the orders", len(a.held.Rounds), len(outcome.Rounds))
	}
	for i := range min(len(outcome.Rounds), len(a.held.Rounds)) {
		told, right := &a.held.Rounds[i], &outcome.Rounds[i]
		if *told != *right {
			a.say("round %d is told as %d units at %s for a lot, %d at %s follow from the orders", i, told.Volume, told.Price, right.Volume, right.Price)
		}
	}
	fills := make([]uint64, len(a.orders))
	for i, filled := range outcome.Filled {
		fills[places[i]] = filled
	}
	for i, filled := range fills {
		if told := a.held.Results[i].Filled; told != filled {
			a.say("order %s is said to get %d, it should be %d", a.held.Results[i].Order, told, filled)
		}
	}
	if len(outcome.Matches) != len(a.held.Trades) {
		a.say("there are %d trades, %d follow from the orders", len(a.held.Trades), len(outcome.Matches))
		return
	}
	for i := range outcome.Matches {
		a.checkTrade(i, &outcome.Matches[i], outcome, entrants, places)
	}
}

// checkTrade rebuilds the agreement of a match: its hash must be the trade's ID.
func (a *audit) checkTrade(i int, match *market.Match, outcome *market.Outcome, entrants []market.Entrant, places []int) {
	round, told := &outcome.Rounds[match.Round], &a.held.Trades[i]
	price, ok := round.Price.Times(match.Lots)
	if !ok {
		a.say("the price of trade %s can't be counted", told.Trade)
		return
	}
	right := types.MatchTrade{
		Trade: told.Trade, Round: uint32(match.Round), Bid: uint32(places[match.Bid]), Offer: uint32(places[match.Offer]),
		Quantity: match.Lots * a.grid.Lot, Price: price, Leaf: match.Leaf,
	}
	if right != *told {
		a.say("trade %s is told as %d units of order %d for order %d at %s and leaf %d, it should be %d of %d for %d at %s and leaf %d", told.Trade,
			told.Quantity, told.Offer, told.Bid, told.Price, told.Leaf, right.Quantity, right.Offer, right.Bid, right.Price, right.Leaf)
		return
	}
	offer, bid := entrants[match.Offer].Order, entrants[match.Bid].Order
	terms := types.Match{
		Product: &offer.Product, Grid: a.grid, Producer: offer.Owner, Consumer: bid.Owner, Flow: offer.Flow, Lots: match.Lots,
		Price: round.Price, Begin: a.begin(), Skew: a.held.BlockTime.Since(a.held.Clock), Number: bid.Number, Leaf: match.Leaf,
	}
	if agreement, err := terms.Agreement(a.params); err == nil && agreement.ID() == told.Trade {
		return
	}
	a.say("trade %s is not the hash of what orders %d and %d were matched to", told.Trade, told.Bid, told.Offer)
}
