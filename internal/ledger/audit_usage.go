package ledger

import (
	"fmt"

	"lockstep/types"
)

// auditPurses counts the money in purses.
func auditPurses(reader Reader, sums Sums) error {
	for of, purse := range reader.AllPurses() {
		if purse.Kind < types.PurseMerged || purse.Kind > types.PurseUnasked {
			return fmt.Errorf("audit: the purse of %s in asset %s is of kind %d", of.Owner, of.Asset, purse.Kind)
		}
		if purse.Amount == 0 && purse.Kind == types.PurseAccepted {
			continue
		}
		if err := sums.count(of.Asset, purse.Amount, spendable); err != nil {
			return fmt.Errorf("audit: the purse of %s: %w", of.Owner, err)
		}
	}
	return nil
}

// auditUsage compares the counters of keys and assets with the entries themselves. Orders and trades are counted on a members'
// ledger only: it is one if any is counted.
func auditUsage(reader Reader) error {
	counted := newCounts()
	from, to := kindRange(kindUsage)
	reader.Ascend(from, to, func(key string, stored Value) bool {
		usage := *decoded(key, stored).(*types.Usage)
		counted.usage[types.PublicKey([]byte(key[1:]))] = &usage
		return true
	})
	for asset := range reader.Assets() {
		counted.uses[asset.Asset.ID()] = asset.Uses
	}
	found, members := countEntries(reader), false
	for _, usage := range counted.usage { // any order: one is enough
		members = members || usage.Orders+usage.Trades > 0
	}
	// any order: the first contradiction found is as good as another
	for key, usage := range counted.usage {
		have := found.of(key)
		if !members {
			have.Orders, have.Trades = 0, 0
		}
		if *have != *usage {
			return fmt.Errorf("audit: of key %s %+v is counted, there is %+v", key, *usage, *have)
		}
	}
	for key, have := range found.usage { // any order: as above
		if !members {
			have.Orders, have.Trades = 0, 0
		}
		if _, known := counted.usage[key]; !known && *have != (types.Usage{}) {
			return fmt.Errorf("audit: of key %s nothing is counted, there is %+v", key, *have)
		}
	}
	for asset, uses := range counted.uses { // any order: as above
		if found.uses[asset] != uses {
			return fmt.Errorf("audit: asset %s is counted as used %d times, it is %d times", asset, uses, found.uses[asset])
		}
	}
	return nil
}

// counts are how many entries there are: by key, and by the asset that offers, books and records name.
type counts struct {
	usage map[types.PublicKey]*types.Usage
	uses  map[types.AssetID]uint64
}

func newCounts() *counts {
	return &counts{map[types.PublicKey]*types.Usage{}, map[types.AssetID]uint64{}}
}

func (c *counts) of(key types.PublicKey) *types.Usage {
	if c.usage[key] == nil {
		c.usage[key] = &types.Usage{}
	}
	return c.usage[key]
}

// countEntries counts them one by one.
func countEntries(reader Reader) *counts {
	c := newCounts()
	for _, output := range reader.Coins() {
		c.of(output.Lock.Key).Coins++
	}
	for asset := range reader.Assets() {
		if asset.Recognised == 0 {
			c.of(asset.Asset.Issuer).Assets++
		}
	}
	for offer := range reader.Offers() {
		c.of(offer.Offer.Producer).Offers++
		c.uses[offer.Offer.Asset]++
	}
	for trade := range reader.Trades() {
		places := placesOf(trade)
		if places.consumer {
			c.of(trade.Agreement.Consumer).Trades++
		}
		if places.producer {
			c.of(trade.Agreement.Producer).Trades++
		}
	}
	for book := range reader.Books() {
		c.uses[book.Product.Asset]++
	}
	each := func(kind byte, visit func(key string, stored Value)) {
		from, to := kindRange(kind)
		reader.Ascend(from, to, func(key string, stored Value) bool {
			visit(key, stored)
			return true
		})
	}
	each(kindOrder, func(key string, stored Value) { c.of(decoded(key, stored).(*types.PlacedOrder).Order.Owner).Orders++ })
	each(kindConduct, func(key string, _ Value) { c.uses[types.AssetID([]byte(key[33:]))]++ })
	for of, purse := range reader.AllPurses() {
		switch owner := c.of(of.Owner); purse.Kind {
		case types.PurseAccepted:
			owner.Accepted++
		case types.PurseUnasked:
			owner.Unasked++
		case types.PurseMerged:
		}
	}
	return c
}
