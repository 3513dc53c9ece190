package advice

import (
	"context"
	"math/big"
	"slices"

	"lockstep/client"
	"lockstep/types"
)

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

// Odd is a price that is far from the market's: a wrong unit is a factor of a thousand. All prices are of one unit of goods, in smallest
// units of the asset.
type Odd struct {
	Price  *big.Rat
	Middle *big.Rat // the median of recent auction prices; nil: there are none, and Least and Most are the usual bounds
	Least  *big.Rat
	Most   *big.Rat
}

// OddPrice compares a price with those of recent auctions of such goods, or with the usual prices of energy. It returns nil for a price that
// is not odd, and when there is nothing to compare: a node that can't answer stops no trade.
func OddPrice(ctx context.Context, node *client.Client, goods *types.Goods, asset types.AssetID, decimals int, price *big.Rat) *Odd {
	if middle := marketPrice(ctx, node, goods, asset); middle != nil {
		if far(new(big.Rat).Quo(price, middle)) {
			return &Odd{Price: price, Middle: middle}
		}
		return nil
	}
	if goods.Unit != types.UnitWattHour || decimals < 2 {
		return nil
	}
	perWh := func(thousandths int64) *big.Rat { // of a kWh, in whole money
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
		return new(big.Rat).Mul(big.NewRat(thousandths, 1_000_000), new(big.Rat).SetInt(scale))
	}
	if least, most := perWh(leastEnergyPrice), perWh(mostEnergyPrice); price.Cmp(least) < 0 || price.Cmp(most) > 0 {
		return &Odd{Price: price, Least: least, Most: most}
	}
	return nil
}

func far(times *big.Rat) bool {
	return times.Cmp(big.NewRat(oddFactor, 1)) > 0 || times.Cmp(big.NewRat(1, oddFactor)) < 0
}

// marketPrice returns the median of the latest prices of such goods; nil when there are none, or when the node can't answer.
func marketPrice(ctx context.Context, node *client.Client, goods *types.Goods, asset types.AssetID) *big.Rat {
	told, err := node.AuctionHistory(ctx, client.AuctionFilter{Commodity: goods.Commodity, Asset: asset}, client.Page{Limit: latestPrices})
	if err != nil {
		return nil
	}
	var prices []*big.Rat
	for i := range told.Auctions {
		auction := &told.Auctions[i]
		for j := range auction.Rounds {
			if price := auction.Rounds[j].Price; price > 0 && auction.Product.Unit == goods.Unit {
				prices = append(prices, new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(price)), new(big.Int).SetUint64(max(auction.Lot, 1))))
			}
		}
	}
	if len(prices) == 0 {
		return nil
	}
	slices.SortFunc(prices, (*big.Rat).Cmp)
	return prices[len(prices)/2]
}
