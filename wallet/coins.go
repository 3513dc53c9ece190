package wallet

import (
	"bytes"
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"sync"

	"lockstep/types"
)

// cmpProducts compares a*b with c*d in 128 bits.
func cmpProducts(a, b, c, d uint64) int {
	abHigh, abLow := bits.Mul64(a, b)
	cdHigh, cdLow := bits.Mul64(c, d)
	return cmp.Or(cmp.Compare(abHigh, cdHigh), cmp.Compare(abLow, cdLow))
}

// selectCoins chooses coins that are worth at least need together: as few as possible, and then with as little change as
// the last of them allows, so that large coins stay whole. The same coins and need always give the same choice. It is
// false when all coins together are not enough.
func selectCoins(coins []types.Coin, need types.Amount) (chosen []types.Coin, ok bool) {
	if need == 0 {
		return nil, true
	}
	coins = slices.Clone(coins)
	slices.SortFunc(coins, func(a, b types.Coin) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), compareOutpoints(a.Outpoint, b.Outpoint))
	})
	for i, coin := range coins {
		if coin.Amount < need {
			chosen = append(chosen, coin)
			need -= coin.Amount
			continue
		}
		// The largest one left is enough: so the smallest that is enough ends the choice.
		last := coin
		for _, smaller := range coins[i+1:] {
			if smaller.Amount < need {
				break
			}
			last = smaller
		}
		return append(chosen, last), true
	}
	return nil, false
}

func compareOutpoints(a, b types.Outpoint) int {
	return cmp.Or(bytes.Compare(a.Tx[:], b.Tx[:]), cmp.Compare(a.Index, b.Index))
}

// reserve knows the coins of transactions that were signed but aren't known to be on the ledger, so that two transactions
// made in a row don't spend the same coin. It lives in memory: a program that ends should wait for its transactions.
type reserve struct {
	mu    sync.Mutex
	coins map[types.Outpoint]use
}

type use struct {
	tx    types.TxID
	until types.Time // valid-until: the transaction can't come on the ledger later
}

// hold reserves the inputs of a transaction, all or, when another one has taken one of them meanwhile, none.
func (r *reserve) hold(tx *types.Tx, now types.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.coins, func(_ types.Outpoint, use use) bool { return use.until < now })
	spent := spentBy(&tx.Body)
	for _, coin := range spent {
		if _, held := r.coins[coin]; held {
			return false
		}
	}
	if r.coins == nil {
		r.coins = map[types.Outpoint]use{}
	}
	for _, coin := range spent {
		r.coins[coin] = use{tx: tx.ID(), until: tx.Body.ValidUntil}
	}
	return true
}

// spentBy lists the outpoints that a transaction spends: its inputs, and the names of the purses that it draws from.
func spentBy(body *types.Body) []types.Outpoint {
	spent := slices.Clone(body.Inputs)
	for _, action := range body.Actions {
		if draw, ok := action.(*types.Draw); ok {
			spent = append(spent, draw.Asset.PurseOutpoint())
		}
	}
	return spent
}

// has reports whether a coin is in use at a block time.
func (r *reserve) has(o types.Outpoint, now types.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	use, held := r.coins[o]
	return held && use.until >= now
}

func (r *reserve) free(tx types.TxID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.coins, func(_ types.Outpoint, use use) bool { return use.tx == tx })
}
