package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// balances are sums, or changes of sums.
type balances map[holding]*Balance

// of returns a balance, to be added to.
func (b balances) of(at holding) *Balance {
	if b[at] == nil {
		b[at] = new(Balance)
	}
	return b[at]
}

// count adds or removes a coin.
func (b balances) count(o *owned, in bool) { b.of(holding{o.owner, o.coin.Asset}).count(&o.coin, in) }

// stake adds an amount in orders to its owner's balance, and to the total of the asset.
func (b balances) stake(s ledger.Stake, amount types.Amount) {
	b.of(holding{s.Owner, s.Asset}).InOrders += amount
	b.of(holding{asset: s.Asset}).InOrders += amount
}

// knownBalances keeps the balances that flushes wrote lately, since each flush changes those of the parties that trade. It has two halves, and drops the
// old half when the young one is full. Only flushes use it, one at a time.
type knownBalances struct {
	young, old map[holding]Balance
	most       int // balances of a half
}

// newKnownBalances bounds the memory of both halves, in bytes.
func newKnownBalances(memory int) *knownBalances {
	const perEntry = 160 // of a map that may have just grown
	return &knownBalances{young: map[holding]Balance{}, most: memory / 2 / perEntry}
}

// get returns a balance, zero for one that does not exist.
func (k *knownBalances) get(db *pebble.DB, at holding) (sum Balance, err error) {
	if sum, known := k.young[at]; known {
		return sum, nil
	}
	if sum, known := k.old[at]; known {
		return sum, nil
	}
	encoded, err := get(db, balanceKey(at.owner, at.asset))
	if encoded == nil || err != nil {
		return sum, err
	}
	if err := types.Decode(encoded, &sum); err != nil {
		return sum, fmt.Errorf("the balance of %s in asset %s is damaged: %w", at.owner, at.asset, err)
	}
	return sum, nil
}

// put keeps a balance that is about to be written. When the write fails, the store makes no other.
func (k *knownBalances) put(at holding, sum Balance) {
	if len(k.young) >= k.most {
		k.old, k.young = k.young, map[holding]Balance{}
	}
	k.young[at] = sum
}
