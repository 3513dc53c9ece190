package ledger

import (
	"fmt"
	"slices"

	"lockstep/market"
	"lockstep/types"
)

// holdAuction clears the book of a product whose gate has closed. Every order leaves the book; what is matched becomes
// an agreed trade, to be paid by pay-by.
func (s *State) holdAuction(book *types.Book) {
	id := book.Product.ID()
	s.remove(bookKey(id))
	orders := s.takeOrders(id, book.Orders)
	auction := &types.Auction{Product: book.Product, Height: s.clock.Height, BlockTime: s.clock.BlockTime, Clock: s.now}
	s.auctions = append(s.auctions, auction)
	s.emit(types.EventCleared, types.Event{Product: id})

	begin := s.begin(&book.Product)
	if begin.Add(s.params.Market.Pay).Add(s.params.MinWindow) > book.Product.From {
		auction.Void = types.VoidLate
	}
	entrants, places := make([]market.Entrant, 0, len(orders)), make([]int, 0, len(orders))
	auction.Results = make([]types.Result, 0, len(orders))
	demanding := anyDemand(orders)
	for i, placed := range orders {
		order := &placed.Order
		result := types.Result{Owner: order.Owner, Number: order.Number, Order: order.ID()}
		if demanding {
			result.Standing = s.record(order.Owner, order.Product.Asset).Percent()
		}
		switch {
		case auction.Void != "":
		case order.Expires < s.clock.BlockTime:
			result.Excluded = types.ExcludedLate
		case s.checkMeters(order.Owner, order.Meters) != nil:
			result.Excluded = types.ExcludedMeter
		default:
			entrants = append(entrants, market.Entrant{Order: order, ID: result.Order, Record: result.Standing})
			places = append(places, i)
		}
		auction.Results = append(auction.Results, result)
	}
	outcome := market.Auction(entrants)
	auction.Rounds = outcome.Rounds
	for i, filled := range outcome.Filled {
		auction.Results[places[i]].Filled = filled
	}
	auction.Trades = make([]types.MatchTrade, 0, len(outcome.Matches))
	ids := make(tradeIDs, 0, len(outcome.Matches))
	var payBy types.Time // of all of them
	for i, match := range outcome.Matches {
		round, bid, offer := &outcome.Rounds[match.Round], places[match.Bid], places[match.Offer]
		price, fits := round.Price.Cost(match.Quantity)
		trade, tradeID, err := s.match(id, &types.Match{
			Product: &book.Product, Producer: auction.Results[offer].Owner, Consumer: auction.Results[bid].Owner, Meters: orders[offer].Order.Meters,
			Quantity: match.Quantity, Price: price, Fallback: round.Fallback, Begin: begin, Skew: s.clock.Skew, Number: uint64(i),
		})
		if !fits || err != nil { // a bid whose cost at its own limit can't be counted is not taken, and the price is at most that
			panic(fmt.Sprintf("ledger: the price of %d units in the auction of product %s can't be counted", match.Quantity, id))
		}
		ids, payBy = append(ids, tradeID), trade.Agreement.Deadlines.PayBy
		auction.Trades = append(auction.Trades, types.MatchTrade{
			Trade: tradeID, Round: uint16(match.Round), Bid: uint32(bid), Offer: uint32(offer), Quantity: match.Quantity, Price: price,
		})
	}
	s.queueMatches(id, payBy, ids)
}

// queueMatches sees to it that matches lapse which are not paid.
func (s *State) queueMatches(product types.ProductID, payBy types.Time, ids tradeIDs) {
	page := 0
	for part := range slices.Chunk(ids, idsPage) {
		s.add(matchesKey(payBy, product, page), &part)
		page++
	}
}

// begin is when the time to pay begins, in block time: at the gate, or when the auction is held after an outage, then.
func (s *State) begin(product *types.Product) types.Time {
	gate := product.Gate(&s.params)
	if s.clock.BlockTime.Since(gate) <= s.params.ClockCap {
		return gate
	}
	return s.clock.BlockTime
}

// takeOrders empties the book of a product. The orders come in the order of their keys: of owner and number. The block has
// not touched one before, as gates close at its begin, and without its book an order is not looked for again.
func (s *State) takeOrders(id types.ProductID, count uint32) []*types.PlacedOrder {
	orders := make([]*types.PlacedOrder, 0, count)
	s.expect(int(count), int(count))             // for the matches, hardly more than orders
	s.taken = slices.Grow(s.taken, 2*int(count)) // with room for those: see changes
	from, to := ordersOf(id)
	s.view.Ascend(from, to, func(key string, stored Value) bool {
		order := decoded(key, stored).(*types.PlacedOrder)
		s.taken = append(s.taken, Change{Key: key, Old: stored.Encoded, Before: order})
		orders = append(orders, order)
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

// match records what an auction has put together as an agreed trade.
func (s *State) match(product types.ProductID, terms *types.Match) (trade *types.Trade, id types.TradeID, err error) {
	trade = &types.Trade{Phase: types.PhaseAgreed, Height: s.clock.Height, Steps: []types.Step{{Kind: types.StepMatched, At: s.now}}}
	if trade.Agreement, err = terms.Agreement(&s.params); err != nil {
		return nil, id, err
	}
	id = trade.Agreement.ID()
	s.add(tradeKey(id), trade)
	s.emit(types.EventMatched, types.Event{Trade: id, Product: product}, terms.Producer, terms.Consumer)
	return trade, id, nil
}
