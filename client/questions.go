package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/client/wire"
	"lockstep/types"
)

// Status returns the status of the node.
func (c *Client) Status(ctx context.Context) (status wire.Status, err error) {
	return status, wrap("status", c.get(ctx, "/v1/status", nil, &status))
}

// Network returns the genesis of the node's ledger, and where its nodes take connections of others.
func (c *Client) Network(ctx context.Context) (network wire.Network, err error) {
	return network, wrap("network", c.get(ctx, "/v1/network", nil, &network))
}

// Validators returns how the validators of the ledger take part, as the node sees it.
func (c *Client) Validators(ctx context.Context) (validators wire.Validators, err error) {
	return validators, wrap("validators", c.get(ctx, "/v1/validators", nil, &validators))
}

// Document returns the description of the node's API, OpenAPI 3.1 in JSON.
func (c *Client) Document(ctx context.Context) (document json.RawMessage, err error) {
	return document, wrap("the API's document", c.get(ctx, "/openapi.json", nil, &document))
}

// Params returns the parameters of the node's ledger.
func (c *Client) Params(ctx context.Context) (params types.Params, err error) {
	return params, wrap("params", c.get(ctx, "/v1/params", nil, &params))
}

// Balances returns a page of the balances of a key by asset. Others can send coins of any assets to a key: ask for the assets that you
// know with [Client.BalancesOf].
func (c *Client) Balances(ctx context.Context, key types.PublicKey, page Page) (balances wire.Balances, err error) {
	balances, err = c.balances(ctx, key, pageQuery(page))
	return balances, wrap("balances of "+key.String(), err)
}

// AllBalances iterates over the balances of a key by asset, page by page. It ends after an error.
func (c *Client) AllBalances(ctx context.Context, key types.PublicKey) iter.Seq2[wire.Balance, error] {
	return Pages(Page{Limit: maxPage}, func(page Page) ([]wire.Balance, string, error) {
		answer, err := c.Balances(ctx, key, page)
		return answer.Balances, answer.Next, err
	})
}

// maxAssets bounds the assets in one question about balances.
const maxAssets = 100

// BalancesOf returns the balances of a key in the given assets, without assets that the ledger does not know. Up to 100 have one height.
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

// Coins returns a page of the coins of a key in one asset that it can spend, the largest first. With a sum the list begins at the smallest
// coin that alone is worth the sum, or else at the largest coin, and the page ends when it is worth the sum.
func (c *Client) Coins(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, page Page) (coins wire.Coins, err error) {
	query := pageQuery(page)
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

// Balance returns the balance of a key in one asset; the zero balance when the ledger does not know the asset.
func (c *Client) Balance(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.Balance, error) {
	answer, err := c.BalancesOf(ctx, key, asset)
	if err != nil || len(answer.Balances) == 0 {
		return wire.Balance{}, err
	}
	if balance := answer.Balances[0]; balance.Asset == asset {
		return balance, nil
	}
	return wire.Balance{}, c.lied("its answer for asset %s is asset %s", asset, answer.Balances[0].Asset)
}

// CoinsFor iterates over the coins of a key in one asset, beginning with the best ones for a payment of the sum. The caller stops when it
// has enough. It ends after an error.
func (c *Client) CoinsFor(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
	return func(yield func(types.Coin, error) bool) {
		first, err := c.Coins(ctx, key, asset, sum, Page{})
		if err != nil {
			yield(types.Coin{}, err)
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

// AllCoins iterates over the coins of a key in one asset, the largest first, page by page. It ends after an error.
func (c *Client) AllCoins(ctx context.Context, key types.PublicKey, asset types.AssetID) iter.Seq2[types.Coin, error] {
	return Pages(Page{Limit: maxPage}, func(page Page) ([]types.Coin, string, error) {
		answer, err := c.Coins(ctx, key, asset, 0, page)
		return answer.Coins, answer.Next, err
	})
}

// maxPage is the largest page of most lists that a node returns.
const maxPage = 500

// Output returns an unspent output and the key that can spend it now.
func (c *Client) Output(ctx context.Context, outpoint types.Outpoint) (output wire.Output, err error) {
	err = c.get(ctx, "/v1/outputs/"+outpoint.String(), nil, &output)
	if err == nil && output.Outpoint != outpoint {
		err = c.lied("its answer for output %s is %s", outpoint, output.Outpoint)
	}
	return output, wrap("output "+outpoint.String(), err)
}

// Trade returns the present state of a trade, also of one that is over if the node still has it.
func (c *Client) Trade(ctx context.Context, id types.TradeID) (trade wire.Trade, err error) {
	if err = c.get(ctx, "/v1/trades/"+id.String(), nil, &trade); err == nil {
		err = c.checkTrade(&trade, id)
	}
	return trade, wrap("trade "+id.String(), err)
}

// Trades returns a page of the trades of a key, newest first.
func (c *Client) Trades(ctx context.Context, key types.PublicKey, openOnly bool, page Page) (answer wire.Trades, err error) {
	query := pageQuery(page)
	if openOnly {
		query.Set("open", "true")
	}
	err = c.get(ctx, "/v1/keys/"+key.String()+"/trades", query, &answer)
	for i := range answer.Trades {
		trade := &answer.Trades[i]
		agreement := &trade.Trade.Agreement
		if err == nil && agreement.Producer != key && agreement.Consumer != key {
			err = c.lied("trade %s is not of %s", trade.ID, key)
		}
		if err == nil {
			err = c.checkTrade(trade, trade.ID)
		}
	}
	return answer, wrap("trades of "+key.String(), err)
}

// AllTrades iterates over the trades of a key, newest first, page by page. It ends after an error.
func (c *Client) AllTrades(ctx context.Context, key types.PublicKey, openOnly bool) iter.Seq2[wire.Trade, error] {
	return Pages(Page{}, func(page Page) ([]wire.Trade, string, error) {
		answer, err := c.Trades(ctx, key, openOnly, page)
		return answer.Trades, answer.Next, err
	})
}

// Offer returns a standing offer.
func (c *Client) Offer(ctx context.Context, id types.OfferID) (offer wire.Offer, err error) {
	if err = c.get(ctx, "/v1/offers/"+id.String(), nil, &offer); err == nil {
		err = c.checkOffer(&offer, id)
	}
	return offer, wrap("offer "+id.String(), err)
}

// Offers returns a page of the standing offers.
func (c *Client) Offers(ctx context.Context, page Page) (answer wire.Offers, err error) {
	err = c.get(ctx, "/v1/offers", pageQuery(page), &answer)
	for i := range answer.Offers {
		if err == nil {
			err = c.checkOffer(&answer.Offers[i], answer.Offers[i].ID)
		}
	}
	return answer, wrap("offers", err)
}

// AllOffers iterates over the standing offers, page by page. It ends after an error.
func (c *Client) AllOffers(ctx context.Context) iter.Seq2[wire.Offer, error] {
	return Pages(Page{}, func(page Page) ([]wire.Offer, string, error) {
		answer, err := c.Offers(ctx, page)
		return answer.Offers, answer.Next, err
	})
}

// Asset returns an asset with its issued amount.
func (c *Client) Asset(ctx context.Context, id types.AssetID) (asset wire.Asset, err error) {
	if err = c.get(ctx, "/v1/assets/"+id.String(), nil, &asset); err == nil {
		err = c.checkAsset(&asset, id)
	}
	return asset, wrap("asset "+id.String(), err)
}

// Assets returns a page of the assets of the ledger by id, of one code unless it is empty. Any issuer can use any code.
func (c *Client) Assets(ctx context.Context, code string, page Page) (assets wire.Assets, err error) {
	query := pageQuery(page)
	setString(query, "code", code)
	err = c.get(ctx, "/v1/assets", query, &assets)
	for i := range assets.Assets {
		if err == nil && code != "" && assets.Assets[i].Asset.Code != code {
			err = c.lied("asset %s does not have the code %q", assets.Assets[i].ID, code)
		}
		if err == nil {
			err = c.checkAsset(&assets.Assets[i], assets.Assets[i].ID)
		}
	}
	return assets, wrap("assets", err)
}

// AllAssets iterates over the assets that [Client.Assets] lists, page by page. It ends after an error.
func (c *Client) AllAssets(ctx context.Context, code string) iter.Seq2[wire.Asset, error] {
	return Pages(Page{Limit: maxPage}, func(page Page) ([]wire.Asset, string, error) {
		answer, err := c.Assets(ctx, code, page)
		return answer.Assets, answer.Next, err
	})
}

// heightName names the height of a block in a path; 0 is the latest.
func heightName(height uint64) string {
	if height == 0 {
		return "latest"
	}
	return strconv.FormatUint(height, 10)
}

// Block returns a block without its lists; height 0 is the latest block.
func (c *Client) Block(ctx context.Context, height uint64) (block wire.BlockHead, err error) {
	name := heightName(height)
	err = c.get(ctx, "/v1/blocks/"+name, nil, &block)
	if err == nil && height > 0 && block.Height != height {
		err = c.lied("its answer for block %d is block %d", height, block.Height)
	}
	return block, wrap("block "+name, err)
}

// BlockTxs returns a page of the transactions of a block, in their order.
func (c *Client) BlockTxs(ctx context.Context, height uint64, page Page) (txs wire.BlockTxs, err error) {
	name := strconv.FormatUint(height, 10)
	if err = c.get(ctx, "/v1/blocks/"+name+"/transactions", pageQuery(page), &txs); err == nil {
		err = c.checkBlockTxs(&txs, height)
	}
	return txs, wrap("transactions of block "+name, err)
}

// AllBlockTxs iterates over the transactions of a block, page by page. It ends after an error.
func (c *Client) AllBlockTxs(ctx context.Context, height uint64) iter.Seq2[wire.BlockTx, error] {
	return Pages(Page{Limit: maxBlockTxs}, func(page Page) ([]wire.BlockTx, string, error) {
		answer, err := c.BlockTxs(ctx, height, page)
		return answer.Txs, answer.Next, err
	})
}

// maxBlockTxs is the largest page of the transactions of a block that a node returns.
const maxBlockTxs = 100

// BlockEvents returns a page of the events of a block, in their order.
func (c *Client) BlockEvents(ctx context.Context, height uint64, page Page) (events wire.BlockEvents, err error) {
	name := strconv.FormatUint(height, 10)
	err = c.get(ctx, "/v1/blocks/"+name+"/events", pageQuery(page), &events)
	if err == nil && events.Height != height {
		err = c.lied("its answer for block %d is block %d", height, events.Height)
	}
	return events, wrap("events of block "+name, err)
}

// AllBlockEvents iterates over the events of a block, page by page. It ends after an error.
func (c *Client) AllBlockEvents(ctx context.Context, height uint64) iter.Seq2[types.Event, error] {
	return Pages(Page{}, func(page Page) ([]types.Event, string, error) {
		answer, err := c.BlockEvents(ctx, height, page)
		return answer.Events, answer.Next, err
	})
}

// wrap adds the name of an operation to its error.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}
