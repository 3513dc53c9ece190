package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"

	"lockstep/api/wire"
	"lockstep/types"
)

// Status tells where the node stands.
func (c *Client) Status(ctx context.Context) (status wire.Status, err error) {
	return status, wrap("status", c.get(ctx, "/v1/status", nil, &status))
}

// Params returns the rules' numbers of the node's ledger.
func (c *Client) Params(ctx context.Context) (params types.Params, err error) {
	return params, wrap("params", c.get(ctx, "/v1/params", nil, &params))
}

// Holdings returns all that a key has.
func (c *Client) Holdings(ctx context.Context, key types.PublicKey) (holdings wire.Holdings, err error) {
	return holdings, wrap("holdings of "+key.String(), c.get(ctx, "/v1/keys/"+key.String()+"/holdings", nil, &holdings))
}

// Trade returns a trade as it stands now, also one that is over if the node still has it.
func (c *Client) Trade(ctx context.Context, id types.TradeID) (trade wire.Trade, err error) {
	if err = c.get(ctx, "/v1/trades/"+id.String(), nil, &trade); err == nil {
		err = c.checkTrade(&trade, id)
	}
	return trade, wrap("trade "+id.String(), err)
}

// Trades returns a page of the trades of a key, newest first. after is the Next of the page before, empty for the first;
// a limit of zero is the node's default.
func (c *Client) Trades(ctx context.Context, key types.PublicKey, openOnly bool, after string, limit int) (page wire.Trades, err error) {
	query := pageQuery(after, limit)
	if openOnly {
		query.Set("open", "true")
	}
	err = c.get(ctx, "/v1/keys/"+key.String()+"/trades", query, &page)
	for i := range page.Trades {
		trade := &page.Trades[i]
		agreement := &trade.Trade.Agreement
		if err == nil && agreement.Producer != key && agreement.Consumer != key {
			err = c.lied("trade %s is none of %s", trade.ID, key)
		}
		if err == nil {
			err = c.checkTrade(trade, trade.ID)
		}
	}
	return page, wrap("trades of "+key.String(), err)
}

// AllTrades goes through the trades of a key, newest first, page by page. After an error there is nothing more.
func (c *Client) AllTrades(ctx context.Context, key types.PublicKey, openOnly bool) iter.Seq2[wire.Trade, error] {
	return pages(func(after string) ([]wire.Trade, string, error) {
		page, err := c.Trades(ctx, key, openOnly, after, 0)
		return page.Trades, page.Next, err
	})
}

// Offer returns a standing offer.
func (c *Client) Offer(ctx context.Context, id types.OfferID) (offer wire.Offer, err error) {
	if err = c.get(ctx, "/v1/offers/"+id.String(), nil, &offer); err == nil {
		err = c.checkOffer(&offer, id)
	}
	return offer, wrap("offer "+id.String(), err)
}

// Offers returns a page of the standing offers. after is the Next of the page before, empty for the first; a limit of
// zero is the node's default.
func (c *Client) Offers(ctx context.Context, after string, limit int) (page wire.Offers, err error) {
	err = c.get(ctx, "/v1/offers", pageQuery(after, limit), &page)
	for i := range page.Offers {
		if err == nil {
			err = c.checkOffer(&page.Offers[i], page.Offers[i].ID)
		}
	}
	return page, wrap("offers", err)
}

// AllOffers goes through the standing offers page by page. After an error there is nothing more.
func (c *Client) AllOffers(ctx context.Context) iter.Seq2[wire.Offer, error] {
	return pages(func(after string) ([]wire.Offer, string, error) {
		page, err := c.Offers(ctx, after, 0)
		return page.Offers, page.Next, err
	})
}

// Assets returns every asset that was ever issued.
func (c *Client) Assets(ctx context.Context) (assets wire.Assets, err error) {
	err = c.get(ctx, "/v1/assets", nil, &assets)
	for i := range assets.Assets {
		if asset := &assets.Assets[i]; err == nil && asset.Asset.ID() != asset.ID {
			err = c.lied("asset %s has another hash", asset.ID)
		}
	}
	return assets, wrap("assets", err)
}

// Block returns what a block did; height 0 is the latest.
func (c *Client) Block(ctx context.Context, height uint64) (block wire.Block, err error) {
	name := "latest"
	if height > 0 {
		name = strconv.FormatUint(height, 10)
	}
	if err = c.get(ctx, "/v1/blocks/"+name, nil, &block); err == nil {
		err = c.checkBlock(&block, height)
	}
	return block, wrap("block "+name, err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func pageQuery(after string, limit int) url.Values {
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	if limit != 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

// pages goes through what comes page by page.
func pages[T any](fetch func(after string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := ""; ; {
			items, next, err := fetch(after)
			if err == nil && next != "" && (next == after || len(items) == 0) {
				err = types.Refuse(types.CodeInternal, "the node's pages have no end")
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			after = next
		}
	}
}
