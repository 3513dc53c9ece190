package ledger

import (
	"fmt"

	"lockstep/market"
	"lockstep/types"
)

// holdAuction clears the book of a product whose gate has closed. Every order leaves the book; what is matched becomes
// an agreed trade, to be paid by pay-by.
func (s *State) holdAuction(id types.ProductID) {
	book := s.mustBook(id)
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
	for i, match := range outcome.Matches {
		trade := s.match(&match, entrants, &outcome.Rounds[match.Round], begin, uint64(i), id)
		trade.Round, trade.Bid, trade.Offer = uint16(match.Round), uint32(places[match.Bid]), uint32(places[match.Offer])
		auction.Trades = append(auction.Trades, trade)
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

// takeOrders empties the book of a product. The orders come in the order of their keys: of owner and number.
func (s *State) takeOrders(id types.ProductID, count uint32) []*types.PlacedOrder {
	orders := make([]*types.PlacedOrder, 0, count)
	s.expect(4 * int(count)) // each order, and what is looked up and written for a trade
	from, to := ordersOf(id)
	s.view.Ascend(from, to, func(key string, encoded []byte) bool {
		order := decodeValue(key, encoded).(*types.PlacedOrder)
		orders = append(orders, order)
		s.entries[key] = entry{encoded: encoded, before: order}
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
func (s *State) match(
	match *market.Match, entrants []market.Entrant, round *types.Round, begin types.Time, nonce uint64, product types.ProductID,
) types.MatchTrade {
	price, fits := round.Price.Cost(match.Quantity)
	terms := types.Match{
		Producer: entrants[match.Offer].Order, Consumer: entrants[match.Bid].Order, Quantity: match.Quantity,
		Price: price, Fallback: round.Fallback, Begin: begin, Skew: s.clock.Skew, Nonce: nonce,
	}
	agreement, id := s.freshAgreement(&terms)
	if !fits { // a bid whose cost at its own limit can't be counted is not taken, and the price is at most that
		panic(fmt.Sprintf("ledger: the price of %d units in the auction of product %s can't be counted", match.Quantity, product))
	}
	trade := &types.Trade{
		Agreement: *agreement, Phase: types.PhaseAgreed, Height: s.clock.Height, Steps: []types.Step{{Kind: types.StepMatched, At: s.now}},
	}
	s.put(tradeKey(id), trade)
	s.put(queueKey(agreement.Deadlines.PayBy, queueTrade, id), &mark{})
	s.emit(types.EventMatched, types.Event{Trade: id, Product: product, Keys: []types.PublicKey{agreement.Producer, agreement.Consumer}})
	return types.MatchTrade{Trade: id, Quantity: match.Quantity, Price: price}
}

// freshAgreement is the agreement of a match under an ID that is not on the ledger: two parties who foresaw it may have
// agreed on the very same.
func (s *State) freshAgreement(terms *types.Match) (*types.Agreement, types.TradeID) {
	for {
		agreement, err := terms.Agreement(&s.params)
		if err != nil {
			panic(fmt.Sprintf("ledger: a match that can't be agreed on: %v", err))
		}
		id := agreement.ID()
		_, live := get[types.Trade](s, tradeKey(id))
		_, was := get[mark](s, rememberedKey(id))
		if !live && !was {
			return agreement, id
		}
		terms.Nonce += types.MaxBook
	}
}
