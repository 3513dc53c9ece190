package apitest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
)

// placed is a coin with where it is in the list of its owner.
type placed struct {
	types.Coin
	after types.Time // the ledger clock after which it can be spent, zero for now
}

func (p *placed) place() string {
	return fmt.Sprintf("%020d-%020d-%s-%010d", p.after, ^uint64(p.Amount), p.Outpoint.Tx, p.Outpoint.Index)
}

// coins lists the coins of a key that it can spend, in their order, and what it has locked by asset.
func (l *Ledger) coins(key types.PublicKey) (coins []placed, locked map[types.AssetID]types.Amount) {
	locked = map[types.AssetID]types.Amount{}
	clock := l.reader().Clock().Now()
	for outpoint, output := range l.reader().Outputs() {
		coin := placed{Coin: types.Coin{Outpoint: outpoint, Asset: output.Asset, Amount: output.Amount}}
		switch lock := output.Lock.(type) {
		case *types.KeyLock:
			if lock.Key == key {
				coins = append(coins, coin)
			}
		case *types.TradeLock:
			t, _ := l.reader().Trade(lock.Trade)
			owner, after, _ := trade.Entitled(t, lock.Part)
			coin.Trade, coin.Part, coin.after = &lock.Trade, &lock.Part, after
			if now, ok := trade.Owner(t, lock.Part, clock); ok && now == key && owner == key {
				coins = append(coins, coin)
			} else if !ok && trade.PutIn(t, lock.Part) == key {
				locked[output.Asset] += output.Amount
			}
		}
	}
	slices.SortFunc(coins, func(a, b placed) int { return cmp.Compare(a.place(), b.place()) })
	return coins, locked
}

func (l *Ledger) Coins(_ context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, part wire.Page) (wire.Coins, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.reader().Clock()
	page := wire.Coins{Height: clock.Height, Clock: clock.Now()}
	coins, _ := l.coins(key)
	coins = slices.DeleteFunc(coins, func(c placed) bool { return c.Asset != asset || part.After != "" && c.place() <= part.After })
	if part.After == "" && sum > 0 {
		enough := 0 // coins that alone are worth the sum come first
		for enough < len(coins) && coins[enough].after == 0 && coins[enough].Amount >= sum {
			enough++
		}
		coins = coins[max(enough-1, 0):]
	}
	left := sum
	for i := range coins {
		if i == part.Limit {
			page.Next = coins[i-1].place()
			break
		}
		page.Coins = append(page.Coins, coins[i].Coin)
		if sum > 0 && coins[i].Amount >= left {
			page.Next = coins[i].place()
			break
		}
		left -= coins[i].Amount
	}
	return page, nil
}

func (l *Ledger) Balances(_ context.Context, key types.PublicKey, assets []types.AssetID, part wire.Page) (wire.Balances, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.reader().Clock()
	page := wire.Balances{Height: clock.Height, Clock: clock.Now()}
	coins, locked := l.coins(key)
	for state := range l.reader().Assets() {
		id := state.Asset.ID()
		balance := wire.Balance{
			Asset: id, Issuer: state.Asset.Issuer, Code: state.Asset.Code, Decimals: state.Asset.Decimals, Locked: locked[id],
		}
		for _, coin := range coins {
			if coin.Asset == id {
				balance.Spendable, balance.Coins = balance.Spendable+coin.Amount, balance.Coins+1
			}
		}
		switch {
		case len(assets) > 0 && !slices.Contains(assets, id), len(assets) == 0 && balance.Spendable+balance.Locked == 0, id.String() <= part.After:
		case len(page.Balances) == part.Limit && len(assets) == 0:
			page.Next = page.Balances[part.Limit-1].Asset.String()
			return page, nil
		default:
			page.Balances = append(page.Balances, balance)
		}
	}
	return page, nil
}

func (l *Ledger) Output(_ context.Context, outpoint types.Outpoint) (wire.Output, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	output, ok := l.reader().Output(outpoint)
	if !ok {
		return wire.Output{}, types.Refuse(types.CodeNotFound, "output %s", outpoint)
	}
	clock := l.reader().Clock()
	shown := wire.Output{Outpoint: outpoint, Output: *output, Clock: clock.Now(), Height: clock.Height}
	switch lock := output.Lock.(type) {
	case *types.KeyLock:
		shown.Owner = &lock.Key
	case *types.TradeLock:
		t, _ := l.reader().Trade(lock.Trade)
		if owner, owned := trade.Owner(t, lock.Part, clock.Now()); owned {
			shown.Owner = &owner
		}
	}
	return shown, nil
}

func (l *Ledger) Asset(_ context.Context, id types.AssetID) (wire.Asset, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state, ok := l.reader().Asset(id)
	if !ok {
		return wire.Asset{}, types.Refuse(types.CodeNotFound, "asset %s", id)
	}
	return wire.Asset{ID: id, Asset: state.Asset, Issued: state.Issued, Fees: state.Fees, Recognised: state.Recognised != 0, Least: state.Least}, nil
}

func (l *Ledger) Assets(_ context.Context, code string, part wire.Page) (wire.Assets, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := wire.Assets{Height: l.reader().Clock().Height}
	var after types.AssetID
	if part.After != "" {
		if err := after.UnmarshalText([]byte(part.After)); err != nil {
			return page, err
		}
	}
	for state := range l.reader().Assets() {
		id := state.Asset.ID()
		switch {
		case code != "" && state.Asset.Code != code, part.After != "" && bytes.Compare(id[:], after[:]) <= 0:
		case len(page.Assets) == part.Limit:
			page.Next = page.Assets[part.Limit-1].ID.String()
			return page, nil
		default:
			page.Assets = append(page.Assets, wire.Asset{ID: id, Asset: state.Asset, Issued: state.Issued, Fees: state.Fees, Recognised: state.Recognised != 0, Least: state.Least})
		}
	}
	return page, nil
}
