// Package plan holds the strategies of an agent: pure functions that decide how much energy of a slot a household buys and sells, and at
// which limits. All numbers are whole: Wh, W, and prices in billionths of the currency for a kWh.
//
// A [Strategy] has a side for buying and one for selling; each is an [Amount] (how much) and a [Limit] (the worst price).
package plan

import (
	"fmt"
	"math/big"
	"strings"

	"lockstep/types"
)

// Price is a price of energy in billionths of the currency for a kWh. Grid prices can be negative.
type Price int64

// perUnit is one unit of the currency for a kWh.
const (
	perUnit      = 1_000_000_000
	priceDigits  = 9
	maxPriceText = 40
)

// ParsePrice reads a decimal number of the currency for a kWh, such as "0.285" or "-0.01".
func ParsePrice(text string) (Price, error) {
	digits, negative := strings.CutPrefix(text, "-")
	wrong := func() (Price, error) {
		return 0, fmt.Errorf("%.40q is not a price for a kWh: write a number such as 0.285, with at most %d decimal places", text, priceDigits)
	}
	if len(text) > maxPriceText {
		return wrong()
	}
	amount, err := types.ParseAmount(digits, priceDigits)
	if err != nil || amount > 1<<62 {
		return wrong()
	}
	if negative {
		return -Price(amount), nil
	}
	return Price(amount), nil
}

// String writes the price as [ParsePrice] reads it.
func (p Price) String() string {
	sign := ""
	if p < 0 {
		sign, p = "-", -p
	}
	text := types.Amount(p).Format(priceDigits)
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return sign + whole + "." + fraction
}

// LotPrice returns the price of a lot in smallest units of an asset, on the grid: a buyer's is rounded down and a seller's up, so that
// rounding never costs the household. It is at most the ceiling, and zero for a price below zero.
func LotPrice(p Price, grid *types.Grid, decimals uint8, side types.Side) types.Amount {
	if p <= 0 {
		return 0
	}
	exact := new(big.Int).Mul(big.NewInt(int64(p)), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
	exact.Mul(exact, new(big.Int).SetUint64(grid.Lot))
	tick := new(big.Int).Mul(big.NewInt(perUnit*1000), new(big.Int).SetUint64(uint64(grid.Tick)))
	ticks, rest := exact.QuoRem(exact, tick, new(big.Int))
	if side == types.Sell && rest.Sign() > 0 {
		ticks.Add(ticks, big.NewInt(1))
	}
	most := uint64(grid.Ceiling / grid.Tick)
	if !ticks.IsUint64() || ticks.Uint64() > most {
		return grid.Ceiling
	}
	return types.Amount(ticks.Uint64()) * grid.Tick
}

// Rate returns the price of one Wh in smallest units of an asset, exactly. A price below zero is zero.
func Rate(p Price, decimals uint8) types.Rate {
	r := types.Rate{Mantissa: uint64(max(p, 0)), Exponent: priceDigits + 3}
	for range decimals {
		if r.Exponent > 0 {
			r.Exponent--
		} else if r.Mantissa > 1<<59 {
			return types.Rate{Mantissa: 1 << 62}
		} else {
			r.Mantissa *= 10
		}
	}
	for r.Exponent > 0 && r.Mantissa%10 == 0 {
		r.Mantissa, r.Exponent = r.Mantissa/10, r.Exponent-1
	}
	return r
}

// AtMost reports whether a rate in smallest units of an asset for a Wh is at most a price.
func AtMost(rate types.Rate, p Price, decimals uint8) bool {
	power := func(n uint8) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	left := new(big.Int).Mul(new(big.Int).SetUint64(rate.Mantissa), power(priceDigits+3))
	right := new(big.Int).Mul(big.NewInt(int64(p)), new(big.Int).Mul(power(decimals), power(rate.Exponent)))
	return left.Cmp(right) <= 0
}
