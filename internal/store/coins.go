package store

import (
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/types/canon"
)

// Coin is money of a key: an unspent output locked to it, its purse of an asset, or a part of a trade.
type Coin struct {
	Outpoint types.Outpoint
	Asset    types.AssetID
	Amount   types.Amount
	// After is the moment of the ledger clock after which the key may spend the coin: zero for now, a deadline for a refund unless the
	// trade continues, and [Locked] if a party must act first.
	After types.Time
}

// Locked is the moment of a coin that no deadline unlocks.
const Locked = types.Time(math.MaxUint64)

// Spendable reports whether the key may spend the coin at a moment of the ledger clock.
func (c *Coin) Spendable(clock types.Time) bool { return c.After == 0 || c.After < clock }

// owned is a coin with its owner.
type owned struct {
	owner types.PublicKey
	coin  Coin
}

// listed reports whether the coin stands in the list of its owner's coins. A locked one does not, as nobody reads it there: only its owner's balance
// counts it.
func (o *owned) listed() bool { return o.coin.After != Locked }

// coinsOf returns the coins of a value of the state. A locked part of a trade counts as its contributor's.
func coinsOf(ledgerKey string, value any) (coins []owned) {
	switch value := value.(type) {
	case *types.Output:
		coins = append(coins, owned{value.Lock.Key, Coin{Outpoint: outpointOf(ledgerKey), Asset: value.Asset, Amount: value.Amount}})
	case *types.Purse:
		if of := ledger.ParsePurseKey(ledgerKey); value.Amount > 0 {
			coins = append(coins, owned{of.Owner, Coin{Outpoint: of.Asset.PurseOutpoint(), Asset: of.Asset, Amount: value.Amount}})
		}
	case *types.Trade:
		for _, locked := range value.Locked {
			owner, after, ok := trade.Entitled(value, locked.Part)
			if !ok {
				owner, after = trade.PutIn(value, locked.Part), Locked
			}
			coins = append(coins, owned{owner, Coin{
				Outpoint: tradeOf(ledgerKey).Outpoint(locked.Part), Asset: value.Agreement.Asset, Amount: locked.Amount, After: after,
			}})
		}
	}
	return coins
}

// Balance sums the money of a key in one asset: its coins, and the stakes of its orders and offers.
type Balance struct {
	Coins     uint64       // spendable now, without due refunds
	Spendable types.Amount // their sum
	Locked    types.Amount // the sum of all others
	InOrders  types.Amount // in no coin, see [ledger.Stakes]
}

// Fields is the stored form, see [canon.Value].
func (b *Balance) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "coins", &b.Coins)
	canon.Number(c, "spendable", &b.Spendable)
	canon.Number(c, "locked", &b.Locked)
	canon.Number(c, "in orders", &b.InOrders)
}

// count adds or removes a coin. Sums may wrap around in between; the final sums fit, as the supply of an asset does.
func (b *Balance) count(coin *Coin, in bool) {
	amount, one := coin.Amount, uint64(1)
	if !in {
		amount, one = -amount, -one
	}
	if coin.After == 0 {
		b.Coins, b.Spendable = b.Coins+one, b.Spendable+amount
	} else {
		b.Locked += amount
	}
}

// CoinPlace is a place in a list of coins: after a coin, or, if empty, before the first.
type CoinPlace string

// Coins returns the spendable coins of a key in one asset after a place: the largest first, then the due refunds by deadline.
func (s *IndexedSnapshot) Coins(owner types.PublicKey, asset types.AssetID, from CoinPlace) iter.Seq2[Coin, error] {
	prefix := coinPrefix(owner, asset)
	start, err := from.key(prefix)
	return s.coins(start, coinFrom(prefix, s.Clock().Now(), math.MaxUint64), err)
}

// CoinsWorth is [IndexedSnapshot.Coins] from the smallest coin that covers a sum alone, or from the first if none does.
func (s *IndexedSnapshot) CoinsWorth(owner types.PublicKey, asset types.AssetID, sum types.Amount) iter.Seq2[Coin, error] {
	prefix := coinPrefix(owner, asset)
	start := prefix
	enough, err := lastKey(s.db, prefix, coinFrom(prefix, 0, sum-1))
	if enough != nil && sum > 0 {
		start = enough
	}
	return s.coins(start, coinFrom(prefix, s.Clock().Now(), math.MaxUint64), err)
}

func (s *IndexedSnapshot) coins(from, to []byte, err error) iter.Seq2[Coin, error] {
	return func(yield func(Coin, error) bool) {
		going := true
		if err == nil {
			err = scan(s.db, from, to, func(key, _ []byte) bool {
				_, coin := parseCoinKey(key)
				going = yield(coin, nil)
				return going
			})
		}
		if err != nil && going {
			yield(Coin{}, fmt.Errorf("read the coins of a key: %w", err))
		}
	}
}

// DueRefunds returns the due refunds of a key in one asset.
func (s *IndexedSnapshot) DueRefunds(owner types.PublicKey, asset types.AssetID) iter.Seq2[Coin, error] {
	prefix := coinPrefix(owner, asset)
	return s.coins(coinFrom(prefix, 1, math.MaxUint64), coinFrom(prefix, s.Clock().Now(), math.MaxUint64), nil)
}

// Place is the place of the coin in the list of its owner and asset.
func (c *Coin) Place() CoinPlace {
	return CoinPlace(hex.EncodeToString(coinKey(types.PublicKey{}, c)[coinKeyLength-coinPlaceLength:]))
}

// key is the lower bound of the coins after the place.
func (p CoinPlace) key(prefix []byte) ([]byte, error) {
	if p == "" {
		return prefix, nil
	}
	place, err := hex.DecodeString(string(p))
	if err != nil || len(place) != coinPlaceLength {
		return nil, types.Refuse(types.CodeMalformed, "%.120q is not a place in a list of coins: pass the 'next' of the last page", string(p))
	}
	return slices.Concat(prefix, place, []byte{0}), nil
}

// Balance returns the sums of the money of a key in one asset.
func (s *IndexedSnapshot) Balance(owner types.PublicKey, asset types.AssetID) (balance Balance, err error) {
	encoded, err := get(s.db, balanceKey(owner, asset))
	if err == nil && encoded != nil {
		err = types.Decode(encoded, &balance)
	}
	if err != nil {
		return balance, fmt.Errorf("read a balance of %s: %w", owner, err)
	}
	return balance, nil
}

// InOrders returns the stakes of all orders and standing offers in an asset, those of an auction's coming trades included.
func (s *IndexedSnapshot) InOrders(asset types.AssetID) (types.Amount, error) {
	total, err := s.Balance(types.PublicKey{}, asset) // no key is zero: it stands for all
	return total.InOrders, err
}

// AssetsOf returns the assets with larger IDs of which a key has coins, in order; the zero ID begins at the first.
func (s *IndexedSnapshot) AssetsOf(owner types.PublicKey, id types.AssetID) iter.Seq2[types.AssetID, error] {
	prefix := balancePrefix(owner)
	return s.ids(append(balanceKey(owner, id), 0), after(prefix), len(prefix))
}

// AssetsCoded returns the assets of a code with larger IDs, in order; the zero ID begins at the first.
func (s *IndexedSnapshot) AssetsCoded(code string, id types.AssetID) iter.Seq2[types.AssetID, error] {
	prefix := codePrefix(code)
	if strings.ContainsRune(code, 0) { // it separates codes in keys, so no code holds it
		return func(func(types.AssetID, error) bool) {}
	}
	return s.ids(append(append(codePrefix(code), id[:]...), 0), after(prefix), len(prefix))
}

// AssetsAfter returns the assets of the ledger with larger IDs, in order; the zero ID begins at the first.
func (s *IndexedSnapshot) AssetsAfter(id types.AssetID) iter.Seq2[types.AssetID, error] {
	return s.ids(append(assetKey(id), 0), []byte{prefixState, ledgerAsset + 1}, 2)
}

// ids decodes the asset ID of each key of a range, after so many bytes.
func (s *IndexedSnapshot) ids(from, to []byte, behind int) iter.Seq2[types.AssetID, error] {
	return func(yield func(types.AssetID, error) bool) {
		going := true
		err := scan(s.db, from, to, func(key, _ []byte) bool {
			going = yield(types.AssetID(key[behind:]), nil)
			return going
		})
		if err != nil && going {
			yield(types.AssetID{}, fmt.Errorf("read the assets: %w", err))
		}
	}
}

// lastKey returns the last key in [from, to), or nil.
func lastKey(reader pebble.Reader, from, to []byte) (key []byte, err error) {
	iterator, err := reader.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := iterator.Close(); err == nil {
			err = closeErr
		}
	}()
	if iterator.Last() {
		return append([]byte{}, iterator.Key()...), nil
	}
	return nil, iterator.Error()
}
