package store

import (
	"encoding/binary"
	"math"
	"slices"

	"lockstep/types"
)

// The keyspaces. The commitment covers only prefixState; all others are derived from the blocks. Keys that begin with a partition are
// append-only, see [partitions].
const (
	prefixState   = 's' // ledger key -> value, as package ledger writes them
	prefixCoin    = 'c' // owner, asset, moment, amount (largest first), outpoint -> nothing: the coins of a key, see [coinsOf], but for locked ones
	prefixBalance = 'l' // owner, asset -> Balance: the sums of its coins
	prefixCode    = 'n' // code, asset ID -> nothing: the assets by their codes
	prefixOrders  = 'd' // owner, begin of the slot, product ID, number -> nothing: the open orders of a key
	prefixParty   = 'p' // partition, party, height of the agreement (latest first), trade ID -> nothing: all its trades
	prefixOpen    = 'o' // party, height, trade ID -> nothing: its trades in the state
	prefixEnded   = 'e' // partition, trade ID -> the leaf of the log of outcomes with the story of a trade that left the state
	prefixBlock   = 'b' // height -> Block
	prefixIDs     = 'i' // height of the last block of a flush -> height of its first one, and the IDs of the events of its blocks, see [sharedIDs]
	prefixTx      = 'x' // partition, transaction ID -> Receipt of the block that accepted it
	prefixRefused = 'y' // transaction ID -> Receipt of the last block that refused it
	prefixAuction = 'k' // product ID -> types.Auction without its lists; with a list and a page, a part of one
	prefixPlaced  = 'q' // product ID, owner, number -> types.PlacedOrder: the orders of an auction that was held
	prefixMeta    = 'm'
)

// The entries of prefixMeta.
func formatKey() []byte     { return []byte{prefixMeta, 'f'} } // -> the version of the layout
func paramsKey() []byte     { return []byte{prefixMeta, 'p'} } // -> types.Params
func positionKey() []byte   { return []byte{prefixMeta, 'h'} } // -> flushed
func partitionsKey() []byte { return []byte{prefixMeta, 'e'} } // -> partitions
func historyKey() []byte    { return []byte{prefixMeta, 'k'} } // -> history
func restoringKey() []byte  { return []byte{prefixMeta, 'r'} } // -> nothing: a snapshot is being taken over

func stateKey(key string) []byte {
	return append([]byte{prefixState}, key...)
}

func coinPrefix(owner types.PublicKey, asset types.AssetID) []byte {
	return slices.Concat([]byte{prefixCoin}, owner[:], asset[:])
}

// coinPlaceLength is the length of a coin's place among those of its owner and asset.
const (
	coinPlaceLength = 8 + 8 + 32 + 4
	coinKeyLength   = 1 + 32 + 32 + coinPlaceLength
)

// coinFrom is the lower bound of the coins of a moment with at most an amount.
func coinFrom(prefix []byte, after types.Time, amount types.Amount) []byte {
	key := binary.BigEndian.AppendUint64(append(make([]byte, 0, coinKeyLength), prefix...), uint64(after))
	return binary.BigEndian.AppendUint64(key, math.MaxUint64-uint64(amount))
}

func coinKey(owner types.PublicKey, coin *Coin) []byte {
	key := coinFrom(coinPrefix(owner, coin.Asset), coin.After, coin.Amount)
	return binary.BigEndian.AppendUint32(append(key, coin.Outpoint.Tx[:]...), coin.Outpoint.Index)
}

func parseCoinKey(key []byte) (owner types.PublicKey, coin Coin) {
	return types.PublicKey(key[1:33]), Coin{
		Asset: types.AssetID(key[33:65]), After: types.Time(binary.BigEndian.Uint64(key[65:])),
		Amount:   types.Amount(math.MaxUint64 - binary.BigEndian.Uint64(key[73:])),
		Outpoint: types.Outpoint{Tx: types.TxID(key[81:113]), Index: binary.BigEndian.Uint32(key[113:])},
	}
}

func balancePrefix(owner types.PublicKey) []byte {
	return slices.Concat([]byte{prefixBalance}, owner[:])
}

func balanceKey(owner types.PublicKey, asset types.AssetID) []byte {
	return slices.Concat([]byte{prefixBalance}, owner[:], asset[:])
}

// codePrefix begins the keys of the assets of a code. No code holds a zero.
func codePrefix(code string) []byte {
	return append(append([]byte{prefixCode}, code...), 0)
}

func codeKey(asset *types.Asset) []byte {
	id := asset.ID()
	return append(codePrefix(asset.Code), id[:]...)
}

// ordersPrefix begins the keys of the open orders of an owner.
func ordersPrefix(owner types.PublicKey) []byte { return append([]byte{prefixOrders}, owner[:]...) }

func ordersKey(order *types.Order) []byte {
	id := order.Product.ID()
	key := binary.BigEndian.AppendUint64(ordersPrefix(order.Owner), uint64(order.Product.From))
	return append(append(key, id[:]...), order.Number)
}

// outpointOf decodes the outpoint of a ledger key: kind, transaction ID, index.
func outpointOf(ledgerKey string) types.Outpoint {
	key := []byte(ledgerKey)
	return types.Outpoint{Tx: types.TxID(key[1:33]), Index: binary.BigEndian.Uint32(key[33:])}
}

// tradeOf decodes the ID of a ledger key of a trade: kind, ID.
func tradeOf(ledgerKey string) types.TradeID { return types.TradeID([]byte(ledgerKey[1:])) }

// ledgerTrade is the ledger key of a trade.
func ledgerTrade(id types.TradeID) string { return "t" + string(id[:]) }

// inPartition returns the prefix of a keyspace in a partition, with capacity for the rest of a key.
func inPartition(keyspace byte, partition uint16) []byte {
	return binary.BigEndian.AppendUint16(append(make([]byte, 0, 1+2+32+placeLength), keyspace), partition)
}

// partyPrefix is the prefix of a party's trades in a partition, openPrefix that of its trades in the state.
func partyPrefix(partition uint16, party types.PublicKey) []byte {
	return append(inPartition(prefixParty, partition), party[:]...)
}

func openPrefix(party types.PublicKey) []byte { return append([]byte{prefixOpen}, party[:]...) }

// placeLength is the length of a trade's place in a list of its party: height (latest first) and ID.
const placeLength = 8 + 32

func listed(prefix []byte, height uint64, id types.TradeID) []byte {
	return append(binary.BigEndian.AppendUint64(prefix, math.MaxUint64-height), id[:]...)
}

// listedTrade decodes the trade's ID of a key of a list.
func listedTrade(key []byte) types.TradeID { return types.TradeID(key[len(key)-32:]) }

// The ledger keys of offers and assets: their kind, the ID (see package ledger, keys.go).
const (
	ledgerOffer = 'f'
	ledgerAsset = 'a'
)

func offerKey(id types.OfferID) []byte {
	return append([]byte{prefixState, ledgerOffer}, id[:]...)
}

func assetKey(id types.AssetID) []byte {
	return append([]byte{prefixState, ledgerAsset}, id[:]...)
}

// leafBytes encodes the index of a leaf.
func leafBytes(leaf uint64) []byte { return binary.BigEndian.AppendUint64(nil, leaf) }

func endedKey(partition uint16, id types.TradeID) []byte {
	return append(inPartition(prefixEnded, partition), id[:]...)
}
func txKey(partition uint16, id types.TxID) []byte {
	return append(inPartition(prefixTx, partition), id[:]...)
}
func refusedKey(id types.TxID) []byte { return append([]byte{prefixRefused}, id[:]...) }

func blockKey(height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixBlock}, height)
}

func idsKey(height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixIDs}, height)
}

// after returns the first key after all keys with a prefix; nil when there is none.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
