package index

import (
	"errors"
	"fmt"

	"lockstep/types"
)

// auction records the result of a product's auction: rounds, orders, trades.
func (b *batch) auction(productID types.ProductID) error {
	auction, err := b.source.Auction(productID)
	if err != nil {
		return err
	}
	if auction == nil {
		return fmt.Errorf("the auction of product %s is not in the store", productID)
	}
	orders, err := b.auctioned(productID, len(auction.Results))
	if err != nil {
		return err
	}
	listed, err := b.product(&auction.Product)
	if err != nil {
		return err
	}
	product := listed.n
	sums := sumAuction(auction, orders)
	p := &auction.Product
	grid := &auction.Grid
	b.at.auctions++
	n := b.at.auctions
	if _, err := b.do.addAuction.Exec(n, product, p.Commodity, p.Zone, id(p.Asset), p.From,
		grid.Lot, grid.Deposit, grid.Bond, termsRank(grid.Fallback), arbiterOf(grid.Fallback), auction.Height, auction.BlockTime, auction.Void,
		len(auction.Results), sums.excluded, sums.filled, len(auction.Trades), len(auction.Rounds),
		total(sums.demanded), total(sums.offered), total(sums.volume), total(sums.value)); err != nil {
		return err
	}
	if err := b.addRounds(n, auction.Rounds); err != nil {
		return err
	}
	if err := b.addOrders(n, auction, orders); err != nil {
		return err
	}
	if err := b.addMatches(n, product, auction.Trades); err != nil {
		return err
	}
	return b.addVolumes(auction, &sums)
}

// auctioned returns the orders that took part, as many as there are results.
func (b *batch) auctioned(productID types.ProductID, count int) ([]*types.Order, error) {
	orders := make([]*types.Order, 0, count)
	for placed, err := range b.source.AuctionedOrders(productID) {
		if err != nil {
			return nil, err
		}
		orders = append(orders, &placed.Order)
	}
	if len(orders) != count {
		return nil, fmt.Errorf("the store has %d orders of product %s, its auction had %d", len(orders), productID, count)
	}
	return orders, nil
}

// auctionSums are those of an auction as a whole.
type auctionSums struct {
	excluded, filled  int
	demanded, offered types.Total // by the orders that took part
	volume, value     types.Total // of the trades
}

func sumAuction(auction *types.Auction, orders []*types.Order) (s auctionSums) {
	for i, result := range auction.Results {
		quantity := types.TotalOf(orders[i].Quantity)
		switch {
		case result.Excluded != "":
			s.excluded++
			continue
		case orders[i].Side == types.Bid:
			s.demanded = s.demanded.Add(quantity)
		default:
			s.offered = s.offered.Add(quantity)
		}
		if result.Filled > 0 {
			s.filled++
		}
	}
	for _, trade := range auction.Trades {
		s.volume, s.value = s.volume.Add(types.TotalOf(trade.Quantity)), s.value.Add(types.TotalOf(trade.Price))
	}
	return s
}

func (b *batch) addRounds(auction int64, rounds []types.Round) error {
	for i, round := range rounds {
		if _, err := b.do.addRound.Exec(auction, i, round.Sellers, round.Buyers, round.Price, amount(round.Volume)); err != nil {
			return err
		}
	}
	return nil
}

// mostTerms is the largest number of [termsRank].
const mostTerms = 3

// termsRank is the number of the kind of fallback terms in the tables.
func termsRank(f types.Fallback) int {
	switch f.(type) {
	case *types.Meter:
		return 1
	case *types.Arbiter:
		return 2
	case *types.Hold:
		return 3
	}
	return 0
}

// arbiterOf is the arbiter that terms name; empty for others.
func arbiterOf(f types.Fallback) []byte {
	if terms, named := f.(*types.Arbiter); named {
		return terms.Key[:]
	}
	return []byte{}
}

func (b *batch) addOrders(auction int64, held *types.Auction, orders []*types.Order) error {
	trades, values, used := make([]int, len(orders)), make([]types.Total, len(orders)), make([]types.Amount, len(orders))
	for _, trade := range held.Trades {
		for _, place := range []uint32{trade.Bid, trade.Offer} {
			trades[place]++
			values[place] = values[place].Add(types.TotalOf(trade.Price))
			locks, _ := orders[place].Locks(trade.Quantity/held.Grid.Lot, held.Rounds[trade.Round].Price) // fits: a part of the stake
			used[place] += locks
		}
	}
	for i, result := range held.Results {
		owner, err := b.party(result.Owner)
		if err != nil {
			return err
		}
		order := orders[i]
		stake, _ := order.Stake() // fits: checked when it was placed
		if _, err := b.do.addOrder.Exec(auction, i, id(result.Order), owner, result.Number, order.Side, order.Quantity, order.Limit,
			result.Filled, result.Standing, result.Excluded, trades[i], total(values[i]), amount(stake), amount(used[i])); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) addMatches(auction, product int64, trades []types.MatchTrade) error {
	var over map[types.TradeID]int64 // those that ended in an earlier batch: the first trades may be over before the last are made
	for _, match := range trades {
		row, err := b.find(match.Trade)
		trade := numberOf(row)
		if err == nil && trade == 0 {
			if over == nil {
				over, err = b.overTrades(product)
			}
			trade = over[match.Trade]
		}
		if err != nil {
			return err
		}
		if trade == 0 && b.at.base.Height > 0 { // it ended before the history that is kept
			continue
		}
		if trade == 0 {
			return fmt.Errorf("%w: trade %s was never matched", ErrDamaged, match.Trade)
		}
		for _, place := range []uint32{match.Bid, match.Offer} {
			if _, err := b.do.addMatch.Exec(auction, place, trade, match.Round, match.Leaf); err != nil {
				return err
			}
		}
	}
	return nil
}

// overTrades returns the numbers of the trades of a product that the table has as over.
func (b *batch) overTrades(product int64) (numbers map[types.TradeID]int64, err error) {
	rows, err := b.do.overTrades.Query(product)
	if err != nil {
		return nil, err
	}
	numbers = map[types.TradeID]int64{}
	for rows.Next() {
		var trade types.TradeID
		var n int64
		if err := rows.Scan((*id)(&trade), &n); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		numbers[trade] = n
	}
	return numbers, errors.Join(rows.Err(), rows.Close())
}

// addVolumes adds an auction to the hour and to the day in which its slot begins.
func (b *batch) addVolumes(auction *types.Auction, sums *auctionSums) error {
	p := &auction.Product
	for _, span := range spans() {
		starts := p.From - p.From%types.Time(span)
		if starts < firstSpan(span, &b.at) {
			continue
		}
		var volume, value types.Total
		err := b.do.volume.QueryRow(p.Commodity, p.Unit, p.Zone, id(p.Asset), span, starts).Scan((*total)(&volume), (*total)(&value))
		if err != nil && !isNone(err) {
			return err
		}
		if _, err := b.do.putVolume.Exec(p.Commodity, p.Unit, p.Zone, id(p.Asset), span, starts,
			len(auction.Results), len(auction.Trades), total(volume.Add(sums.volume)), total(value.Add(sums.value))); err != nil {
			return err
		}
	}
	return nil
}
