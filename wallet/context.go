package wallet

import (
	"fmt"

	"lockstep/api/wire"
	"lockstep/types"
)

// Context is what an account has to know of the ledger to make a transaction, as one answer of a node or of several.
type Context struct {
	Params    types.Params
	BlockTime types.Time    // of the last block: what valid-until is counted from
	Clock     types.Time    // the ledger clock, by which deadlines are kept
	Holdings  wire.Holdings // of the account's key
	// Validity is how long after BlockTime a transaction may still come on the ledger; zero means [DefaultValidity].
	Validity types.Span
}

// DefaultValidity is long enough for a slow network and short enough that a lost transaction soon frees its coins.
const DefaultValidity = types.Span(10 * 60 * 1000)

func (c *Context) validUntil() types.Time {
	span := c.Validity
	if span == 0 {
		span = DefaultValidity
	}
	return c.BlockTime.Add(min(span, c.Params.MaxValidity))
}

// money writes a sum for a person: in whole units with its code where the holdings know the asset.
func (c *Context) money(asset types.AssetID, amount types.Amount) string {
	for _, balance := range c.Holdings.Balances {
		if balance.Asset == asset && balance.Decimals <= types.MaxDecimals {
			return amount.Format(balance.Decimals) + " " + balance.Code
		}
	}
	return fmt.Sprintf("%s smallest units of asset %.8s", amount, asset)
}
