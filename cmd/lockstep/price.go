package main

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"lockstep/client"
	"lockstep/types"
)

// priceFlags are the flags of commands that agree to a price.
type priceFlags struct {
	OddPrice bool `help:"Accept a price far from the market's. Without a terminal, -y does not accept one."`
}

// A price is odd when it is more than ten times, or less than a tenth of, the median of the latest prices.
const (
	oddFactor    = 10
	latestPrices = 20 // auctions
)

// The prices of a kWh, in thousandths of whole money, between which energy is sold when the market has no price yet.
const (
	leastEnergyPrice = 1
	mostEnergyPrice  = 10_000
)

// odd describes how a price is far from the market's, so that its user is asked once more: a wrong unit is a factor of a
// thousand. The price is that of one unit of goods, in smallest units of the asset. The result is empty for a price that was
// accepted beforehand.
func (s *session) odd(ctx context.Context, f *priceFlags, goods *types.Goods, asset types.AssetID, price *big.Rat) string {
	if f.OddPrice {
		return ""
	}
	return s.oddPrice(ctx, goods, asset, price)
}

// oddPrice describes how a price is odd; empty for one that is not.
func (s *session) oddPrice(ctx context.Context, goods *types.Goods, asset types.AssetID, price *big.Rat) string {
	if middle := s.marketPrice(ctx, goods, asset); middle != nil {
		if times := new(big.Rat).Quo(price, middle); far(times) {
			return fmt.Sprintf("a price of %s is far from %s, the median of recent auction prices", s.rate(asset, goods.Unit, price),
				s.rate(asset, goods.Unit, middle))
		}
		return ""
	}
	if goods.Unit != types.UnitWattHour || s.decimals(asset) < 2 {
		return ""
	}
	perWh := func(thousandths int64) *big.Rat { return scaled(big.NewRat(thousandths, 1), s.decimals(asset)-6) }
	if least, most := perWh(leastEnergyPrice), perWh(mostEnergyPrice); price.Cmp(least) < 0 || price.Cmp(most) > 0 {
		return fmt.Sprintf("a price of %s is not between %s and %s, as energy's are", s.rate(asset, goods.Unit, price),
			s.rate(asset, goods.Unit, least), s.rate(asset, goods.Unit, most))
	}
	return ""
}

func far(times *big.Rat) bool {
	return times.Cmp(big.NewRat(oddFactor, 1)) > 0 || times.Cmp(big.NewRat(1, oddFactor)) < 0
}

// marketPrice returns the median of the latest prices of such goods; nil when there are none, or when the node can't answer: then
// nothing is compared, and no trade fails for it.
func (s *session) marketPrice(ctx context.Context, goods *types.Goods, asset types.AssetID) *big.Rat {
	told, err := s.node.AuctionHistory(ctx, client.AuctionFilter{Commodity: goods.Commodity, Asset: asset}, client.Page{Limit: latestPrices})
	if err != nil {
		return nil
	}
	var prices []*big.Rat
	for i := range told.Auctions {
		auction := &told.Auctions[i]
		for j := range auction.Rounds {
			if price := auction.Rounds[j].Price; price > 0 && auction.Product.Unit == goods.Unit {
				prices = append(prices, perUnit(price, auction.Lot))
			}
		}
	}
	if len(prices) == 0 {
		return nil
	}
	slices.SortFunc(prices, (*big.Rat).Cmp)
	return prices[len(prices)/2]
}
