package node

import (
	"cmp"
	"context"
	"slices"

	"lockstep/api/wire"
	"lockstep/store"
	"lockstep/types"
)

// Holdings is what a key can spend now, and what it has put into trades that is nobody's yet.
func (l *ledgerAPI) Holdings(_ context.Context, key types.PublicKey) (wire.Holdings, error) {
	return read(l, func(s *store.Snapshot) (wire.Holdings, error) {
		h := holdings{
			key:      key,
			balances: map[types.AssetID]*wire.Balance{},
			out:      wire.Holdings{Height: s.Height(), Clock: s.Clock().Now(), Coins: []wire.Coin{}, Balances: []wire.Balance{}},
		}
		for coin, err := range s.Coins(key) {
			if err != nil {
				return h.out, err
			}
			h.spendable(wire.Coin{Outpoint: coin.Outpoint, Asset: coin.Output.Asset, Amount: coin.Output.Amount})
		}
		for entry, err := range s.Trades(key, true, "") {
			if err != nil {
				return h.out, err
			}
			h.trade(entry.ID, entry.Trade)
		}
		return h.close(s), nil
	})
}

// holdings adds up what a key has.
type holdings struct {
	key      types.PublicKey
	balances map[types.AssetID]*wire.Balance
	out      wire.Holdings
}

func (h *holdings) balance(asset types.AssetID) *wire.Balance {
	if h.balances[asset] == nil {
		h.balances[asset] = &wire.Balance{Asset: asset}
	}
	return h.balances[asset]
}

// spendable counts an output. Sums fit: what is issued of an asset does.
func (h *holdings) spendable(coin wire.Coin) {
	h.out.Coins = append(h.out.Coins, coin)
	h.balance(coin.Asset).Spendable += coin.Amount
}

// trade counts what an open trade holds: what it has given to the key, and what the key put in and nobody owns yet.
func (h *holdings) trade(id types.TradeID, trade *types.Trade) {
	asset := trade.Agreement.Asset
	for _, locked := range trade.Locked {
		owner, owned := trade.Owner(locked.Part, h.out.Clock)
		switch {
		case owned && owner == h.key:
			h.spendable(wire.Coin{Outpoint: id.Outpoint(locked.Part), Asset: asset, Amount: locked.Amount, Trade: &id, Part: &locked.Part})
		case !owned && putInBy(trade, locked.Part) == h.key:
			h.balance(asset).Locked += locked.Amount
		}
	}
}

// putInBy tells whose money a part of a trade was. The return counts as the consumer's: it stands for its deposit.
func putInBy(trade *types.Trade, part types.Part) types.PublicKey {
	if part == types.PartBond {
		return trade.Agreement.Producer
	}
	return trade.Agreement.Consumer
}

// close names the assets and puts them in order.
func (h *holdings) close(s *store.Snapshot) wire.Holdings {
	for id, balance := range h.balances {
		if state, ok := s.Asset(id); ok {
			balance.Code, balance.Decimals = state.Asset.Code, state.Asset.Decimals
		}
		h.out.Balances = append(h.out.Balances, *balance)
	}
	slices.SortFunc(h.out.Balances, func(a, b wire.Balance) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Asset.String(), b.Asset.String()))
	})
	return h.out
}
