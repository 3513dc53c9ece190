package study

import (
	"context"
	"iter"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// mostOf is the size of the pages of a list.
const mostOf = 500

// Balance returns the balance of a key in one asset, as the client of a node does.
func (c *chain) Balance(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.Balance, error) {
	found, err := c.Balances(ctx, key, []types.AssetID{asset}, wire.Page{Limit: 1})
	if err != nil || len(found.Balances) == 0 {
		return wire.Balance{Asset: asset}, err
	}
	return found.Balances[0], nil
}

// coins iterates over the coins of a key, enough for a sum; zero is all of them.
func (c *chain) coins(key types.PublicKey, asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
	return client.Pages(wire.Page{Limit: mostOf}, func(page wire.Page) ([]types.Coin, string, error) {
		coins, err := c.Coins(context.Background(), key, asset, sum, page)
		return coins.Coins, coins.Next, err
	})
}

// trades iterates over all trades of a key, newest first.
func (c *chain) trades(key types.PublicKey) iter.Seq2[wire.Trade, error] {
	return client.Pages(wire.Page{Limit: mostOf}, func(page wire.Page) ([]wire.Trade, string, error) {
		trades, err := c.Trades(context.Background(), key, false, page)
		return trades.Trades, trades.Next, err
	})
}
