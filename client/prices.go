package client

import (
	"context"
	"net/url"
	"strconv"

	"lockstep/client/wire"
	"lockstep/types"
)

// PriceFilter selects the prices of a market of energy; a zero field is left to the node's settings.
type PriceFilter struct {
	Sell      bool // the prices of sold energy; else of bought energy
	Zone      string
	Asset     types.AssetID
	Reference string // the price for a kWh, in whole money, of slots without an auction, such as 0.31
	Hours     int
	DayBefore bool // a slot without an auction price has that of the same slot a day before
}

// Prices returns the prices of energy from the present slot on, in whole money for a kWh. They are for displays and planners: a trade
// states its own price.
func (c *Client) Prices(ctx context.Context, filter PriceFilter) (slots []wire.PriceSlot, err error) {
	query := url.Values{}
	if filter.Sell {
		query.Set("side", "sell")
	}
	setString(query, "zone", filter.Zone)
	setText(query, "asset", filter.Asset)
	setString(query, "reference", filter.Reference)
	if filter.Hours != 0 {
		query.Set("hours", strconv.Itoa(filter.Hours))
	}
	if filter.DayBefore {
		query.Set("day_before", "true")
	}
	return slots, wrap("prices", c.get(ctx, "/v1/prices/evcc", query, &slots))
}
