package main

import (
	"fmt"
	"math/big"

	"lockstep/market"
	"lockstep/types"
)

// tooCoarse warns of an asset whose decimal places do not suit the energy auctions of a ledger: a lot has a price of whole units, so
// with few decimal places energy has prices in steps of some money for a kWh. It returns nothing if they suit, or if no auction takes the asset.
func tooCoarse(params *types.Params, asset *types.Asset) []string {
	grid, ok := params.Market.Grid(&types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Asset: asset.ID()})
	if !ok || params.Market.Opens == 0 {
		return nil
	}
	if step := stepOf(grid, asset.Decimals); step.Cmp(largestStep()) > 0 {
		return []string{fmt.Sprintf("%d decimal places are too few for auctions of energy on this ledger: prices in %s would go in steps of %s for a kWh. "+
			"The number is fixed with the first issue; --decimals %d suits.", asset.Decimals, asset.Code, market.Decimal(step), fitting(grid))}
	}
	return nil
}

// largestStep is the largest step of the price of a kWh that suits, and usualStep the step to be recommended: a hundredth, and a
// thousandth, of the money.
func largestStep() *big.Rat { return big.NewRat(1, 100) }

func usualStep() *big.Rat { return big.NewRat(1, 1000) }

// stepOf returns the step of the price of a kWh, in whole money of so many decimal places.
func stepOf(grid *types.Grid, decimals uint8) *big.Rat {
	const kilo = 3 // powers of ten between Wh and kWh
	return scaled(perUnit(grid.Tick, grid.Lot), kilo-int(decimals))
}

// fitting returns the least number of decimal places with which energy has prices in usual steps.
func fitting(grid *types.Grid) uint8 {
	decimals := uint8(0)
	for decimals < types.MaxDecimals && stepOf(grid, decimals).Cmp(usualStep()) > 0 {
		decimals++
	}
	return decimals
}
