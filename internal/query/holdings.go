package query

import (
	"context"
	"encoding/hex"
	"iter"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// Coins implements [httpapi.Ledger]. A page reads the coins that it returns, and two more.
func (l *Ledger) Coins(_ context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, part wire.Page) (wire.Coins, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Coins, error) {
		page := wire.Coins{Height: s.Height(), Clock: s.Clock().Now(), Coins: []types.Coin{}}
		coins := s.Coins(key, asset, store.CoinPlace(part.After))
		if part.After == "" && sum > 0 {
			coins = s.CoinsWorth(key, asset, sum)
		}
		var last store.Coin
		left := sum
		for coin, err := range coins {
			if err != nil {
				return page, err
			}
			if len(page.Coins) == part.Limit {
				page.Next = string(last.Place())
				break
			}
			page.Coins, last = append(page.Coins, coinOf(&coin)), coin
			if sum > 0 && coin.Amount >= left {
				page.Next = string(last.Place())
				break
			}
			left -= coin.Amount
		}
		return page, nil
	})
}

func coinOf(coin *store.Coin) types.Coin {
	shown := types.Coin{Outpoint: coin.Outpoint, Asset: coin.Asset, Amount: coin.Amount}
	if id, part, ok := coin.Outpoint.Trade(); ok {
		shown.Trade, shown.Part = &id, &part
	}
	return shown
}

// maxRefunds bounds the due refunds that one answer counts. A key reaches it only if it never spends refunds.
const maxRefunds = 10_000

// Balances implements [httpapi.Ledger]. A page reads the sums that the store keeps, and counts the refunds that have become due.
func (l *Ledger) Balances(_ context.Context, key types.PublicKey, assets []types.AssetID, part wire.Page) (wire.Balances, error) {
	from, err := parseAssetPlace(part.After)
	if err != nil {
		return wire.Balances{}, err
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.Balances, error) {
		page := wire.Balances{Height: s.Height(), Clock: s.Clock().Now(), Balances: []wire.Balance{}}
		list, limit := s.AssetsOf(key, from), part.Limit
		if len(assets) > 0 { // they are few: one page
			list, limit = these(assets), len(assets)
		}
		budget := maxRefunds
		for id, err := range list {
			if err != nil {
				return page, err
			}
			if len(page.Balances) == limit {
				page.Next = page.Balances[limit-1].Asset.String()
				break
			}
			balance, known, err := balanceOf(s, key, id, &budget)
			if err != nil {
				return page, err
			}
			if known {
				page.Balances = append(page.Balances, balance)
			}
		}
		return page, nil
	})
}

// these iterates over the given assets.
func these(assets []types.AssetID) iter.Seq2[types.AssetID, error] {
	return func(yield func(types.AssetID, error) bool) {
		for _, id := range assets {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// balanceOf returns the balance of a key in an asset; false when there is no such asset.
func balanceOf(s *store.IndexedSnapshot, key types.PublicKey, id types.AssetID, budget *int) (wire.Balance, bool, error) {
	state, known := s.Asset(id)
	if !known {
		return wire.Balance{}, false, nil
	}
	sums, err := s.Balance(key, id)
	if err != nil {
		return wire.Balance{}, false, err
	}
	balance := wire.Balance{
		Asset: id, Issuer: state.Asset.Issuer, Code: state.Asset.Code, Decimals: state.Asset.Decimals,
		Spendable: sums.Spendable, Locked: sums.Locked, InOrders: sums.InOrders, Coins: sums.Coins,
	}
	for refund, err := range s.DueRefunds(key, id) {
		if err != nil {
			return balance, false, err
		}
		if *budget == 0 {
			balance.More = true
			break
		}
		*budget--
		balance.Spendable, balance.Locked = balance.Spendable+refund.Amount, balance.Locked-refund.Amount
	}
	return balance, true, nil
}

// Output implements [httpapi.Ledger].
func (l *Ledger) Output(_ context.Context, outpoint types.Outpoint) (wire.Output, error) {
	return fromHead(l, func(s *store.Head) (wire.Output, error) {
		holding, ok := s.Holding(outpoint)
		if !ok {
			return wire.Output{}, types.Refuse(types.CodeNotFound, "there is no unspent output %s", outpoint)
		}
		shown := wire.Output{Outpoint: outpoint, Clock: s.Clock().Now(), Height: s.Height()}
		shown.Output = wire.Sum{Asset: holding.Asset, Amount: holding.Amount, Lock: lockOf(outpoint, &holding)}
		if owner, owned := holding.Owner(shown.Clock); owned {
			shown.Owner = &owner
		}
		return shown, nil
	})
}

func lockOf(outpoint types.Outpoint, holding *ledger.Holding) wire.Lock {
	if id, part, ok := outpoint.Trade(); ok {
		return wire.Lock{Kind: wire.LockTrade, Trade: &id, Part: part}
	}
	return wire.Lock{Kind: wire.LockKey, Key: &holding.Key}
}

// parseAssetPlace reads the place of an asset in a list; the zero ID is before the first.
func parseAssetPlace(after string) (id types.AssetID, err error) {
	if after == "" {
		return id, nil
	}
	place, err := hex.DecodeString(after)
	if err != nil || len(place) != len(id) {
		return id, types.Refuse(types.CodeMalformed, "%.80q is not a place in a list of assets: pass the 'next' of the last page", after)
	}
	return types.AssetID(place), nil
}

// Asset implements [httpapi.Ledger].
func (l *Ledger) Asset(_ context.Context, id types.AssetID) (wire.Asset, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Asset, error) {
		state, ok := s.Asset(id)
		if !ok {
			return wire.Asset{}, types.Refuse(types.CodeNotFound, "there is no asset %s on this ledger", id)
		}
		return assetOf(s, id, state)
	})
}

func assetOf(s *store.IndexedSnapshot, id types.AssetID, state *types.AssetState) (wire.Asset, error) {
	staked, err := s.InOrders(id)
	return wire.Asset{
		ID: id, Asset: state.Asset, Issued: state.Issued, InOrders: staked, Fees: state.Fees, Recognised: state.Recognised != 0, Least: state.Least,
	}, err
}

// Assets implements [httpapi.Ledger].
func (l *Ledger) Assets(_ context.Context, code string, part wire.Page) (wire.Assets, error) {
	from, err := parseAssetPlace(part.After)
	if err != nil {
		return wire.Assets{}, err
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.Assets, error) {
		page := wire.Assets{Height: s.Height(), Assets: []wire.Asset{}}
		list := s.AssetsAfter(from)
		if code != "" {
			list = s.AssetsCoded(code, from)
		}
		for id, err := range list {
			if err != nil {
				return page, err
			}
			if len(page.Assets) == part.Limit {
				page.Next = page.Assets[part.Limit-1].ID.String()
				break
			}
			if state, ok := s.Asset(id); ok {
				asset, err := assetOf(s, id, state)
				if err != nil {
					return page, err
				}
				page.Assets = append(page.Assets, asset)
			}
		}
		return page, nil
	})
}
