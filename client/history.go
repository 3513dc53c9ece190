package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"lockstep/client/wire/history"
	"lockstep/types"
)

// Answers of the node's query index are a convenience: to check one, ask the ledger for each object that it names. Every answer has the
// block up to which it goes.

// TradeFilter selects trades; a zero field selects all.
type TradeFilter struct {
	Party   types.PublicKey
	Role    string // "producer" or "consumer"
	Product types.ProductID
	Phase   types.Phase
	From    types.Time // of the agreement, by the ledger clock
	Until   types.Time
}

// TradeHistory returns trades, newest first.
func (c *Client) TradeHistory(ctx context.Context, filter TradeFilter, page Page) (answer history.Trades, err error) {
	query := pageQuery(page)
	setText(query, "party", filter.Party)
	setText(query, "product", filter.Product)
	setString(query, "role", filter.Role)
	if filter.Phase != 0 {
		query.Set("phase", filter.Phase.String())
	}
	setTimes(query, filter.From, filter.Until)
	return answer, wrap("trades", c.get(ctx, "/v1/trades", query, &answer))
}

// AllTradeHistory iterates over the trades of a filter, newest first, page by page. It ends after an error.
func (c *Client) AllTradeHistory(ctx context.Context, filter TradeFilter) iter.Seq2[history.Trade, error] {
	return Pages(Page{}, func(page Page) ([]history.Trade, string, error) {
		answer, err := c.TradeHistory(ctx, filter, page)
		return answer.Trades, answer.Next, err
	})
}

// AuctionFilter selects auctions; a zero field selects all.
type AuctionFilter struct {
	Commodity, Zone string
	Asset           types.AssetID
	From, Until     types.Time // of the beginning of the slot
	Oldest          bool       // first; else the newest
}

// AuctionHistory returns auctions that were held, with their prices, by the beginning of their slots.
func (c *Client) AuctionHistory(ctx context.Context, filter AuctionFilter, page Page) (answer history.Auctions, err error) {
	query := pageQuery(page)
	setString(query, "commodity", filter.Commodity)
	setString(query, "zone", filter.Zone)
	setText(query, "asset", filter.Asset)
	setTimes(query, filter.From, filter.Until)
	query.Set("oldest", strconv.FormatBool(filter.Oldest))
	return answer, wrap("auctions", c.get(ctx, "/v1/auctions", query, &answer))
}

// AllAuctionHistory iterates over the auctions of a filter, page by page. It ends after an error.
func (c *Client) AllAuctionHistory(ctx context.Context, filter AuctionFilter) iter.Seq2[history.Auction, error] {
	return Pages(Page{}, func(page Page) ([]history.Auction, string, error) {
		answer, err := c.AuctionHistory(ctx, filter, page)
		return answer.Auctions, answer.Next, err
	})
}

// VolumeFilter selects the volumes of a market, which is a commodity in a unit, a zone and an asset.
type VolumeFilter struct {
	Commodity, Unit, Zone string
	Asset                 types.AssetID
	Span                  string     // "hour" or "day", in UTC
	From, Until           types.Time // of the beginning of the span
	Oldest                bool       // first; else the newest
}

// VolumeHistory returns the volumes that a market has traded by auction in each hour or day.
func (c *Client) VolumeHistory(ctx context.Context, filter VolumeFilter, page Page) (answer history.Volumes, err error) {
	query := pageQuery(page)
	query.Set("commodity", filter.Commodity)
	query.Set("unit", filter.Unit)
	setString(query, "zone", filter.Zone)
	setText(query, "asset", filter.Asset)
	setString(query, "span", filter.Span)
	setTimes(query, filter.From, filter.Until)
	query.Set("oldest", strconv.FormatBool(filter.Oldest))
	return answer, wrap("volumes", c.get(ctx, "/v1/volumes", query, &answer))
}

// AllVolumeHistory iterates over the volumes of a filter, page by page. It ends after an error.
func (c *Client) AllVolumeHistory(ctx context.Context, filter VolumeFilter) iter.Seq2[history.Volume, error] {
	return Pages(Page{}, func(page Page) ([]history.Volume, string, error) {
		answer, err := c.VolumeHistory(ctx, filter, page)
		return answer.Volumes, answer.Next, err
	})
}

// Fills returns the orders of a key that entered an auction, newest first, with their fills: all, or those for one product.
func (c *Client) Fills(ctx context.Context, key types.PublicKey, product types.ProductID, page Page) (answer history.Fills, err error) {
	query := pageQuery(page)
	setText(query, "product", product)
	return answer, wrap("fills of "+key.String(), c.get(ctx, "/v1/keys/"+key.String()+"/fills", query, &answer))
}

// AllFills iterates over the auctioned orders of a key, newest first, page by page. It ends after an error.
func (c *Client) AllFills(ctx context.Context, key types.PublicKey, product types.ProductID) iter.Seq2[history.Fill, error] {
	return Pages(Page{}, func(page Page) ([]history.Fill, string, error) {
		answer, err := c.Fills(ctx, key, product, page)
		return answer.Fills, answer.Next, err
	})
}

// Conduct returns the outcomes of all trades of a key, by asset and role.
func (c *Client) Conduct(ctx context.Context, key types.PublicKey, page Page) (answer history.Member, err error) {
	query := pageQuery(page)
	return answer, wrap("conduct of "+key.String(), c.get(ctx, "/v1/keys/"+key.String()+"/conduct", query, &answer))
}

// AllConduct iterates over the statistics of a key by asset, page by page. It ends after an error.
func (c *Client) AllConduct(ctx context.Context, key types.PublicKey) iter.Seq2[history.Statistics, error] {
	return Pages(Page{}, func(page Page) ([]history.Statistics, string, error) {
		answer, err := c.Conduct(ctx, key, page)
		return answer.Assets, answer.Next, err
	})
}

// setText puts a value into a query unless it is zero.
func setText[T interface {
	comparable
	String() string
}](query url.Values, name string, value T) {
	var none T
	if value != none {
		query.Set(name, value.String())
	}
}

func setString(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

func setTimes(query url.Values, from, until types.Time) {
	setText(query, "from", from)
	setText(query, "until", until)
}
