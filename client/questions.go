package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/client/wire"
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

// Balances returns a page of the balances of a key by asset. A key may have coins of many assets that others have sent to it: ask
// for the assets that you know with [Client.BalancesOf].
func (c *Client) Balances(ctx context.Context, key types.PublicKey, page Page) (balances wire.Balances, err error) {
	balances, err = c.balances(ctx, key, pageQuery(page.After, page.Limit))
	return balances, wrap("balances of "+key.String(), err)
}

// maxAssets is how many assets one question about balances names at most.
const maxAssets = 100

// BalancesOf returns what a key has of given assets, without those that the ledger does not know. Up to 100 are of one height.
func (c *Client) BalancesOf(ctx context.Context, key types.PublicKey, assets ...types.AssetID) (all wire.Balances, err error) {
	for some := range slices.Chunk(assets, maxAssets) {
		names := make([]string, len(some))
		for i, id := range some {
			names[i] = id.String()
		}
		part, err := c.balances(ctx, key, url.Values{"asset": {strings.Join(names, ",")}, "limit": {strconv.Itoa(maxAssets)}})
		if err != nil {
			return all, wrap("balances of "+key.String(), err)
		}
		all.Height, all.Clock, all.Balances = part.Height, part.Clock, append(all.Balances, part.Balances...)
	}
	return all, nil
}

func (c *Client) balances(ctx context.Context, key types.PublicKey, query url.Values) (page wire.Balances, err error) {
	err = c.get(ctx, "/v1/keys/"+key.String()+"/balances", query, &page)
	for i := range page.Balances {
		balance := &page.Balances[i]
		asset := types.Asset{Issuer: balance.Issuer, Code: balance.Code, Decimals: balance.Decimals}
		if err == nil && asset.ID() != balance.Asset {
			err = c.lied("asset %s has another hash", balance.Asset)
		}
	}
	return page, err
}

// Coins returns a page of the coins of a key in one asset that it can spend, the largest first. With a sum it begins at the
// smallest coin that alone is worth the sum, or at the largest, and ends when it is worth it.
func (c *Client) Coins(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, page Page) (coins wire.Coins, err error) {
	query := pageQuery(page.After, page.Limit)
	query.Set("asset", asset.String())
	if sum > 0 {
		query.Set("sum", sum.String())
	}
	err = c.get(ctx, "/v1/keys/"+key.String()+"/coins", query, &coins)
	for i := range coins.Coins {
		if err == nil && coins.Coins[i].Asset != asset {
			err = c.lied("coin %s is not of asset %s", coins.Coins[i].Outpoint, asset)
		}
	}
	return coins, wrap("coins of "+key.String(), err)
}

// CoinsFor goes through the coins of a key in one asset, beginning with those that a payment of a sum is best made of. The caller
// ends it when it has enough. After an error there is nothing more.
func (c *Client) CoinsFor(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount) iter.Seq2[wire.Coin, error] {
	return func(yield func(wire.Coin, error) bool) {
		first, err := c.Coins(ctx, key, asset, sum, Page{})
		if err != nil {
			yield(wire.Coin{}, err)
			return
		}
		seen := map[types.Outpoint]bool{}
		for _, coin := range first.Coins {
			seen[coin.Outpoint] = true
			if !yield(coin, nil) {
				return
			}
		}
		for coin, err := range c.AllCoins(ctx, key, asset) {
			if !seen[coin.Outpoint] && !yield(coin, err) {
				return
			}
		}
	}
}

// AllCoins goes through the coins of a key in one asset, the largest first, page by page. After an error there is nothing more.
func (c *Client) AllCoins(ctx context.Context, key types.PublicKey, asset types.AssetID) iter.Seq2[wire.Coin, error] {
	return pages(func(after string) ([]wire.Coin, string, error) {
		page, err := c.Coins(ctx, key, asset, 0, Page{After: after, Limit: maxPage})
		return page.Coins, page.Next, err
	})
}

// maxPage is the most that a node gives in one page of most lists.
const maxPage = 500

// Output returns an unspent output and the key that can spend it now.
func (c *Client) Output(ctx context.Context, outpoint types.Outpoint) (output wire.Output, err error) {
	err = c.get(ctx, "/v1/outputs/"+outpoint.String(), nil, &output)
	if err == nil && output.Outpoint != outpoint {
		err = c.lied("its answer for output %s is %s", outpoint, output.Outpoint)
	}
	return output, wrap("output "+outpoint.String(), err)
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

// Asset returns an asset with how much of it is issued.
func (c *Client) Asset(ctx context.Context, id types.AssetID) (asset wire.Asset, err error) {
	if err = c.get(ctx, "/v1/assets/"+id.String(), nil, &asset); err == nil {
		err = c.checkAsset(&asset, id)
	}
	return asset, wrap("asset "+id.String(), err)
}

// Assets returns a page of the assets of the ledger by id, or of those of a code if it is not empty. Any issuer can use any code.
func (c *Client) Assets(ctx context.Context, code string, page Page) (assets wire.Assets, err error) {
	query := pageQuery(page.After, page.Limit)
	setString(query, "code", code)
	err = c.get(ctx, "/v1/assets", query, &assets)
	for i := range assets.Assets {
		if err == nil && code != "" && assets.Assets[i].Asset.Code != code {
			err = c.lied("asset %s has not the code %q", assets.Assets[i].ID, code)
		}
		if err == nil {
			err = c.checkAsset(&assets.Assets[i], assets.Assets[i].ID)
		}
	}
	return assets, wrap("assets", err)
}

// Block returns a block in short; height 0 is the latest.
func (c *Client) Block(ctx context.Context, height uint64) (block wire.BlockHead, err error) {
	name := "latest"
	if height > 0 {
		name = strconv.FormatUint(height, 10)
	}
	err = c.get(ctx, "/v1/blocks/"+name, nil, &block)
	if err == nil && height > 0 && block.Height != height {
		err = c.lied("its answer for block %d is block %d", height, block.Height)
	}
	return block, wrap("block "+name, err)
}

// BlockTxs returns a page of the transactions of a block, in their order.
func (c *Client) BlockTxs(ctx context.Context, height uint64, page Page) (txs wire.BlockTxs, err error) {
	name := strconv.FormatUint(height, 10)
	if err = c.get(ctx, "/v1/blocks/"+name+"/transactions", pageQuery(page.After, page.Limit), &txs); err == nil {
		err = c.checkBlockTxs(&txs, height)
	}
	return txs, wrap("transactions of block "+name, err)
}

// AllBlockTxs goes through the transactions of a block page by page. After an error there is nothing more.
func (c *Client) AllBlockTxs(ctx context.Context, height uint64) iter.Seq2[wire.BlockTx, error] {
	return pages(func(after string) ([]wire.BlockTx, string, error) {
		page, err := c.BlockTxs(ctx, height, Page{After: after, Limit: maxBlockTxs})
		return page.Txs, page.Next, err
	})
}

// maxBlockTxs is the most that a node gives in one page of the transactions of a block.
const maxBlockTxs = 100

// BlockEvents returns a page of the events of a block, in their order.
func (c *Client) BlockEvents(ctx context.Context, height uint64, page Page) (events wire.BlockEvents, err error) {
	name := strconv.FormatUint(height, 10)
	err = c.get(ctx, "/v1/blocks/"+name+"/events", pageQuery(page.After, page.Limit), &events)
	if err == nil && events.Height != height {
		err = c.lied("its answer for block %d is block %d", height, events.Height)
	}
	return events, wrap("events of block "+name, err)
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
