package wallet

import (
	"fmt"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Context is the part of the ledger that an account needs to make a transaction, from one answer of a node or several.
type Context struct {
	Params    types.Params
	BlockTime types.Time   // of the last block; valid-until is counted from it
	Height    uint64       // of the last block, 0: not known
	Clock     types.Time   // the ledger clock, by which deadlines are kept
	Coins     []types.Coin // of the account's key that it may use; [Draft.Fund] fetches those that a draft needs
	// Asset looks an asset up, nil knows none.
	Asset func(types.AssetID) (types.Asset, bool)
	// Money writes a sum for a person, with the name that the wallet's user knows the asset by; nil writes whole units and the code.
	Money func(types.AssetID, types.Amount) string
	// Language is that of explanations; empty is English.
	Language words.Language
	// Reading is the quantity that the readings so far allot to the trade of a proposal, under meter terms.
	Reading uint64
	// Moment writes a moment for a person; nil writes RFC 3339, in UTC.
	Moment func(types.Time) string
	// Validity is how long after BlockTime a transaction or a proposal may still come on the ledger; zero means [DefaultValidity].
	Validity types.Duration
}

// DefaultValidity is long enough for a slow network and short enough that a lost transaction soon frees its coins.
const DefaultValidity = types.Duration(10 * 60 * 1000)

func (c *Context) validUntil() types.Time {
	span := c.Validity
	if span == 0 {
		span = DefaultValidity
	}
	return c.BlockTime.Add(min(span, c.Params.MaxValidity))
}

// asset looks an asset up by its ID, which also has to match its fields.
func (c *Context) asset(id types.AssetID) (types.Asset, bool) {
	if c.Asset == nil {
		return types.Asset{}, false
	}
	asset, known := c.Asset(id)
	return asset, known && asset.ID() == id && asset.Check() == nil
}

// money writes a sum for a person.
func (c *Context) money(id types.AssetID, amount types.Amount) string {
	if c.Money != nil {
		return c.Money(id, amount)
	}
	if asset, known := c.asset(id); known {
		return amount.Format(asset.Decimals) + " " + asset.Code
	}
	return fmt.Sprintf("%s smallest units of asset %.8s", amount, id)
}

// printer formats messages about an agreement for a person with a role in it.
func (c *Context) printer(a *types.Agreement, viewer trade.Role) *words.Printer {
	return &words.Printer{
		Language: c.Language, Viewer: viewer, Time: c.moment,
		Money:    func(amount types.Amount) string { return c.money(a.Asset, amount) },
		Quantity: func(n uint64) string { return fmt.Sprintf("%d %s", n, a.Goods.Unit) },
	}
}

// moment writes a moment for a person.
func (c *Context) moment(t types.Time) string {
	if c.Moment != nil {
		return c.Moment(t)
	}
	return t.String()
}
