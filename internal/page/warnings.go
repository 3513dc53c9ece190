package page

import (
	"context"
	"html/template"
	"math/big"

	"lockstep/internal/advice"
	"lockstep/types"
	"lockstep/wallet"
)

// The warnings of the command line before a commitment, on the page: a price far from the market's, and the claims that are served first.

// oddPrice warns of a price that is far from the market's; empty for any other. The price is of one unit, in smallest units of the asset.
func (c *screen) oddPrice(ctx context.Context, goods *types.Goods, asset types.AssetID, price *big.Rat) template.HTML {
	known, found := c.facts.asset(ctx, asset)
	if !found {
		return ""
	}
	odd := advice.OddPrice(ctx, c.ask(), goods, asset, int(known.Asset.Decimals), price)
	rate := func(price *big.Rat) string { return c.Price(asset, goods.Unit, price) }
	switch {
	case odd == nil:
		return ""
	case odd.Middle != nil:
		return c.T("odd.median", "price", rate(odd.Price), "middle", rate(odd.Middle))
	}
	return c.T("odd.usual", "price", rate(odd.Price), "least", rate(odd.Least), "most", rate(odd.Most))
}

// eachPrice is the price of one unit of an agreement.
func eachPrice(a *types.Agreement) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(a.Price)), new(big.Int).SetUint64(max(a.Goods.Quantity, 1)))
}

// lotEach is the price of one unit at a price of a lot.
func lotEach(price types.Amount, lot uint64) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(price)), new(big.Int).SetUint64(max(lot, 1)))
}

// accepts refuses an odd price unless the form says that it is meant.
func (c *screen) accepts(ctx context.Context, goods *types.Goods, asset types.AssetID, price *big.Rat) error {
	if c.r.PostFormValue("odd") == "yes" {
		return nil
	}
	if warning := c.oddPrice(ctx, goods, asset, price); warning != "" {
		return &wallet.Error{Reason: wallet.ReasonConsent, Detail: plainText(warning) + " " + c.Plain("odd.refused")}
	}
	return nil
}

// claimsShown bounds the claims that are listed before a question.
const claimsShown = 5

// claims states the claims of other trades that are served before an agreement; nothing for goods that no meter counts.
func (c *screen) claims(a *types.Agreement) (lines []template.HTML, err error) {
	found, err := advice.ClaimsBefore(c.r.Context(), c.ask(), a)
	if err != nil || !found.Metered {
		return nil, err
	}
	if len(found.Before) == 0 {
		return []template.HTML{c.T("claims.none")}, nil
	}
	lines = []template.HTML{c.N("claims.before", len(found.Before), "q", c.Quantity(found.Sum, a.Goods.Unit))}
	for _, claim := range found.Before[:min(len(found.Before), claimsShown)] {
		lines = append(lines, c.T("claims.one", "q", c.Quantity(claim.Quantity, a.Goods.Unit), "trade", template.HTML(`<a href="/trades/`+escape(claim.Trade.String())+`">`+escape(shortID(claim.Trade.String()))+`</a>`)))
	}
	if len(found.Before) > claimsShown || found.More {
		lines = append(lines, c.T("claims.more"))
	}
	return lines, nil
}
