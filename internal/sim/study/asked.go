package study

import (
	"context"
	"iter"

	"lockstep/client/wire"
	"lockstep/types"
)

// asked answers the questions of agents as the client of a node does, without a network between them.
type asked struct{ *chain }

// mostOf is the size of the pages of most lists; new trades of a key are few at a time.
const (
	mostOf    = 500
	newTrades = 16
)

// all iterates over the pages of a list.
func all[T any](limit int, fetch func(wire.Page) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := ""; ; {
			items, next, err := fetch(wire.Page{After: after, Limit: limit})
			if err != nil {
				yield(*new(T), err)
				return
			}
			for i := range items {
				if !yield(items[i], nil) {
					return
				}
			}
			if after = next; after == "" {
				return
			}
		}
	}
}

func (a asked) AllCoins(ctx context.Context, key types.PublicKey, asset types.AssetID) iter.Seq2[types.Coin, error] {
	return all(mostOf, func(page wire.Page) ([]types.Coin, string, error) {
		coins, err := a.Coins(ctx, key, asset, 0, page)
		return coins.Coins, coins.Next, err
	})
}

func (a asked) Balance(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.Balance, error) {
	found, err := a.Balances(ctx, key, []types.AssetID{asset}, wire.Page{Limit: 1})
	if err != nil || len(found.Balances) == 0 {
		return wire.Balance{}, err
	}
	return found.Balances[0], nil
}

func (a asked) AllKeyOrders(ctx context.Context, key types.PublicKey) iter.Seq2[wire.BookOrder, error] {
	return all(mostOf, func(page wire.Page) ([]wire.BookOrder, string, error) {
		orders, err := a.KeyOrders(ctx, key, page)
		return orders.Orders, orders.Next, err
	})
}

func (a asked) AllTrades(ctx context.Context, key types.PublicKey, openOnly bool) iter.Seq2[wire.Trade, error] {
	limit := newTrades
	if openOnly {
		limit = mostOf
	}
	return all(limit, func(page wire.Page) ([]wire.Trade, string, error) {
		trades, err := a.Trades(ctx, key, openOnly, page)
		return trades.Trades, trades.Next, err
	})
}

func (a asked) AllOffers(ctx context.Context) iter.Seq2[wire.Offer, error] {
	return all(mostOf, func(page wire.Page) ([]wire.Offer, string, error) {
		offers, err := a.Offers(ctx, page)
		return offers.Offers, offers.Next, err
	})
}
