package wallet

import "lockstep/types"

// Sum is an amount of an asset.
type Sum struct {
	Asset  types.AssetID
	Amount types.Amount
}

// Cost holds the sums that a transaction takes from the account that signs it.
type Cost struct {
	Fee   Sum   // at most; zero on a ledger that takes none
	Moved []Sum // paid to others or locked in trades, by asset; the fee is not in it
}

// Total is the whole sum of an asset that leaves the account, fee included.
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

// checkFee refuses a fee above the user's limit: that a node asks for it does not make it right.
func (d *Draft) checkFee(id types.AssetID, fee types.Amount) error {
	asset, known := d.ctx.asset(id)
	if most := d.account.limits.maxFee(id, asset, known); fee > most {
		return refuse(ReasonLimit, "limit on fees: this transaction would cost a fee of %s, your limit is %s; ask another node, "+
			"or if you know that this is the fee of the ledger, raise the limit", d.ctx.money(id, fee), d.ctx.money(id, most))
	}
	return nil
}

// Cost returns the sums that the draft, as it is now, takes from the account. Coins that go back to the account don't count.
func (d *Draft) Cost() Cost {
	var cost Cost
	if fee := d.mostFee(); fee > 0 {
		cost.Fee = Sum{d.ctx.Params.FeeAsset, fee}
	}
	for _, asset := range sortedAssets(d.in, d.out) {
		if out, in := d.out[asset], d.in[asset]; out > in {
			cost.Moved = append(cost.Moved, Sum{asset, out - in})
		}
	}
	return cost
}
