package wallet

import "lockstep/types"

// Sum is an amount of an asset.
type Sum struct {
	Asset  types.AssetID
	Amount types.Amount
}

// Cost holds the sums that a transaction takes from the account that signs it.
type Cost struct {
	Fee   Sum   // zero on a ledger that takes none
	Moved []Sum // paid to others or locked in trades, by asset; the fee is not in it
}

// Total is all of an asset that leaves the account, fee included.
func (c *Cost) Total(asset types.AssetID) (types.Amount, bool) {
	amounts := make([]types.Amount, 0, 2)
	if c.Fee.Asset == asset {
		amounts = append(amounts, c.Fee.Amount)
	}
	for _, moved := range c.Moved {
		if moved.Asset == asset {
			amounts = append(amounts, moved.Amount)
		}
	}
	return types.Sum(amounts...)
}

// Cost returns the sums that the draft, as it is now, takes from the account. Coins that go back to the account don't count.
func (d *Draft) Cost() Cost {
	var cost Cost
	if fee := d.ctx.Params.MinFee; fee > 0 {
		cost.Fee = Sum{d.ctx.Params.FeeAsset, fee}
	}
	for _, asset := range sortedAssets(d.in, d.out) {
		if out, in := d.out[asset], d.in[asset]; out > in {
			cost.Moved = append(cost.Moved, Sum{asset, out - in})
		}
	}
	return cost
}
