package ledger

import (
	"lockstep/market"
	"lockstep/types"
)

// holdAuction clears the book of a product whose gate has closed: its result is final. A match becomes a trade that is paid from the
// beginning, by the stakes of its two orders; see queuePages.
func (s *State) holdAuction(book *types.Book) {
	id := book.Product.ID()
	s.remove(bookKey(id))
	s.leaveAsset(book.Product.Asset)
	grid, ok := s.params.Grid(&book.Product)
	if !ok {
		panic("ledger: product " + id.String() + " has orders and no grid")
	}
	orders := s.ordersOf(id, book.Orders)
	auction := &types.Auction{Product: book.Product, Grid: *grid, Height: s.clock.Height, BlockTime: s.clock.BlockTime, Clock: s.now}
	s.auctions = append(s.auctions, auction)

	begin := s.begin(&book.Product)
	if begin.Add(s.params.MinWindow) > book.Product.From {
		auction.Void = types.VoidLate
	}
	leaving := make([]heldOrder, len(orders))
	entrants, places := make([]market.Entrant, 0, len(orders)), make([]int, 0, len(orders))
	auction.Results = make([]types.Result, 0, len(orders))
	demanding := anyDemand(orders)
	for i, placed := range orders {
		order := &placed.Order
		leaving[i] = heldOrder{Owner: order.Owner, Number: order.Number}
		result := types.Result{Owner: order.Owner, Number: order.Number, Order: order.ID()}
		if demanding {
			result.Standing = s.conduct(order.Owner, order.Product.Asset).Percent()
		}
		switch {
		case auction.Void != "":
		case order.Expires < begin: // one that waits until the gate takes part in an auction that is on time
			result.Excluded = types.ExcludedLate
		case s.checkFlow(order.Owner, order.Flow, order.Product.From) != nil:
			result.Excluded = types.ExcludedMeter
		default:
			entrants = append(entrants, market.Entrant{Order: order, Record: result.Standing})
			places = append(places, i)
		}
		auction.Results = append(auction.Results, result)
	}
	outcome := market.Auction(entrants, grid, id)
	auction.Rounds = outcome.Rounds
	for i, filled := range outcome.Filled {
		auction.Results[places[i]].Filled = filled
	}
	matches := make([]heldMatch, len(outcome.Matches))
	for i, match := range outcome.Matches {
		at, offerAt := places[match.Bid], places[match.Offer]
		bid, offer := &orders[at].Order, &orders[offerAt].Order
		price := outcome.Rounds[match.Round].Price
		for _, side := range [...]struct {
			order *types.Order
			at    int
		}{{bid, at}, {offer, offerAt}} {
			used, _ := side.order.Locks(match.Lots, price) // fits: at most its stake
			leaving[side.at].Used += used
		}
		matches[i] = heldMatch{
			Producer: offer.Owner, Consumer: bid.Owner, Flow: offer.Flow, Root: bid.Root, Depth: bid.Depth,
			Number: bid.Number, Leaf: match.Leaf, Round: uint32(match.Round), Bid: uint32(at), Offer: uint32(offerAt), Lots: match.Lots,
		}
	}
	s.noteClearing(auction)
	s.queuePages(held{Product: book.Product, Grid: *grid, Height: s.clock.Height, Begin: begin, Skew: s.clock.Skew}, leaving, outcome.Rounds, matches)
}

// begin returns the block time at which the time to deliver begins: the gate, or the block that holds the auction after an outage.
func (s *State) begin(product *types.Product) types.Time {
	gate := product.Gate(&s.params)
	if s.clock.BlockTime.Since(gate) <= s.params.ClockCap {
		return gate
	}
	return s.clock.BlockTime
}

// ordersOf reads the book of a product, in the order of its keys: of owner and number. The block has not touched an order before,
// as gates close at its begin.
func (s *State) ordersOf(id types.ProductID, count uint32) []*types.PlacedOrder {
	orders := make([]*types.PlacedOrder, 0, count)
	from, to := ordersOf(id)
	s.view.Ascend(from, to, func(key string, stored Value) bool {
		orders = append(orders, decoded(key, stored).(*types.PlacedOrder))
		return true
	})
	return orders
}

func anyDemand(orders []*types.PlacedOrder) bool {
	for _, placed := range orders {
		if placed.Order.MinRecord > 0 {
			return true
		}
	}
	return false
}
