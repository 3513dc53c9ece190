package main

import (
	"context"
	"fmt"
	"math/big"

	"lockstep/internal/advice"
	"lockstep/types"
)

// priceFlags are the flags of commands that agree to a price.
type priceFlags struct {
	OddPrice bool `help:"Accept a price far from the market's. Without a terminal, -y does not accept one."`
}

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
	odd := advice.OddPrice(ctx, s.node, goods, asset, s.decimals(asset), price)
	rate := func(price *big.Rat) string { return s.rate(asset, goods.Unit, price) }
	switch {
	case odd == nil:
		return ""
	case odd.Middle != nil:
		return fmt.Sprintf("a price of %s is far from %s, the median of recent auction prices", rate(price), rate(odd.Middle))
	}
	return fmt.Sprintf("a price of %s is not between %s and %s, as energy's are", rate(price), rate(odd.Least), rate(odd.Most))
}
