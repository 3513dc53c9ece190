package sim

import (
	"fmt"
	"strconv"

	"lockstep/market"
	"lockstep/types"
)

// Cleared is the result of a slot's auction, with all data needed to recompute it. Prices are in smallest units of the money for a Wh, which
// is a lot; the millionths of a euro for a Wh are thousandths of a euro for a kWh.
type Cleared struct {
	Slot    int             `json:"slot"`
	Clock   string          `json:"clock"` // when it begins, by the time of the day that is played
	Product types.ProductID `json:"product"`
	Height  uint64          `json:"height"` // of the block that held it
	Void    string          `json:"void"`   // why none was held, or empty
	Asked   uint64          `json:"asked_wh"`
	Offered uint64          `json:"offered_wh"`
	Volume  uint64          `json:"volume_wh"` // matched
	Trades  int             `json:"trades"`
	Price   string          `json:"price"` // of its round with the largest volume; empty when nothing was matched
	Rounds  []Round         `json:"rounds"`
	Load    uint64          `json:"load_wh"` // used by the households
	Own     uint64          `json:"own_wh"`  // of it, from their own roofs
	Got     uint64          `json:"got_wh"`  // of it, from each other, as metered
	Locked  uint64          `json:"locked"`  // money in trades that were nobody's yet when the slot ended
}

// Round is one auction at one price, among orders that accept each other's records.
type Round struct {
	Sellers uint8  `json:"sellers"` // the record that its sellers have at least, in hundredths
	Buyers  uint8  `json:"buyers"`
	Low     string `json:"low"` // the prices of most volume and least imbalance, of which the price is one
	High    string `json:"high"`
	Price   string `json:"price"`
	Volume  uint64 `json:"volume_wh"`
	Welfare string `json:"welfare"`
	Orders  []Line `json:"orders"`
	Pairs   []Pair `json:"pairs"`
}

// Line is an order in a round.
type Line struct {
	ID       string `json:"id"`
	Who      string `json:"who"`
	Side     string `json:"side"`
	Quantity uint64 `json:"quantity"` // that is left when the round begins
	Limit    uint64 `json:"limit"`
	Demands  uint8  `json:"demands"` // of the other side's record
	Standing uint8  `json:"record"`  // its owner's, where any order of the auction demands one
	Gets     uint64 `json:"gets"`
}

// Pair is a trade of a round.
type Pair struct {
	Trade    types.TradeID `json:"trade"`
	Seller   string        `json:"seller"`
	Buyer    string        `json:"buyer"`
	Quantity uint64        `json:"quantity"`
	Price    uint64        `json:"price"` // of all of it
}

// Auctioned is an auction with its orders, as the ledger keeps them.
type Auctioned struct {
	Result *types.Auction // nil: none was held
	Orders []types.Order  // in the order of the results
}

// clear describes an auction in the terms of the report, and recomputes it.
func (r *Report) clear(into *Cleared, from Auctioned) error {
	if from.Result == nil {
		return nil
	}
	into.Height, into.Void, into.Trades = from.Result.Height, from.Result.Void, len(from.Result.Trades)
	for i := range from.Orders {
		if order := &from.Orders[i]; order.Side == types.Bid {
			into.Asked += order.Quantity
		} else {
			into.Offered += order.Quantity
		}
	}
	filled := make([]uint64, len(from.Orders)) // in earlier rounds
	var best uint64
	for n := range from.Result.Rounds {
		round := r.round(n, from, filled)
		if err := round.recompute(); err != nil {
			return fmt.Errorf("the auction of %s: %w", into.Clock, err)
		}
		into.Rounds = append(into.Rounds, round)
		if into.Volume += round.Volume; round.Volume > best {
			best, into.Price = round.Volume, round.Price
		}
	}
	return nil
}

// round lists the orders of a round, with the fill of each, which it adds to filled.
func (r *Report) round(n int, from Auctioned, filled []uint64) Round {
	held := &from.Result.Rounds[n]
	round := Round{
		Sellers: held.Sellers, Buyers: held.Buyers, Price: held.Price.String(), Volume: held.Volume,
	}
	gets := make([]uint64, len(from.Orders))
	for _, trade := range from.Result.Trades {
		if int(trade.Round) != n {
			continue
		}
		gets[trade.Bid] += trade.Quantity
		gets[trade.Offer] += trade.Quantity
		round.Pairs = append(round.Pairs, Pair{
			Trade: trade.Trade, Seller: r.name(from.Orders[trade.Offer].Owner), Buyer: r.name(from.Orders[trade.Bid].Owner),
			Quantity: trade.Quantity, Price: uint64(trade.Price),
		})
	}
	for i := range from.Orders {
		order, result := &from.Orders[i], &from.Result.Results[i]
		demands, has := held.Sellers, held.Buyers
		if order.Side == types.Sell {
			demands, has = held.Buyers, held.Sellers
		}
		if result.Excluded != "" || filled[i] == order.Quantity || order.MinRecord > demands || result.Standing < has {
			continue
		}
		round.Orders = append(round.Orders, Line{
			ID: result.Order.String()[:idLength], Who: r.name(order.Owner), Side: order.Side.String(), Quantity: order.Quantity - filled[i],
			Limit: uint64(order.Limit), Demands: order.MinRecord, Standing: result.Standing, Gets: gets[i],
		})
	}
	for i := range filled {
		filled[i] += gets[i]
	}
	return round
}

// idLength is how much of an order's ID is shown. Ties go by ID, and two of a dozen do not begin the same.
const idLength = 12

// recompute clears a round from its orders alone, as a reader of the report can, and compares.
func (r *Round) recompute() error {
	clearing, err := market.Clear(r.market())
	if err != nil {
		return err
	}
	r.Low, r.High, r.Welfare = strconv.FormatUint(clearing.Low, 10), strconv.FormatUint(clearing.High, 10), clearing.Welfare.String()
	gets := map[string]uint64{}
	for _, fill := range clearing.Fills {
		gets[fill.ID] = fill.Lots
	}
	if price := strconv.FormatUint(clearing.Price, 10); clearing.Volume != r.Volume || price != r.Price {
		return fmt.Errorf("computed again it trades %d Wh at %s, on the ledger %d Wh at %s", clearing.Volume, price, r.Volume, r.Price)
	}
	for _, line := range r.Orders {
		if gets[line.ID] != line.Gets {
			return fmt.Errorf("computed again %s gets %d Wh, on the ledger %d Wh", line.Who, gets[line.ID], line.Gets)
		}
	}
	return nil
}

// market is the round's orders as an auction takes them.
func (r *Round) market() []market.Order {
	orders := make([]market.Order, len(r.Orders))
	for i, line := range r.Orders {
		orders[i] = market.Order{
			ID: line.ID, Owner: line.Who, Side: market.Offer, Lots: line.Quantity, Limit: line.Limit,
		}
		if line.Side == types.Bid.String() {
			orders[i].Side = market.Bid
		}
	}
	return orders
}
