package store

import (
	"encoding/binary"
	"math"
	"slices"

	"lockstep/types"
)

// The keyspaces. Only prefixState is covered by the commitment; the derived ones follow from the blocks. Those that begin with
// an epoch are kept for good, see [epochs].
const (
	prefixState   = 's' // ledger key -> value, as package ledger writes them
	prefixCoin    = 'c' // owner, asset, moment, amount (largest first), outpoint -> nothing: the money of a key, see [coinsOf]
	prefixBalance = 'l' // owner, asset -> Balance: the sums of those
	prefixCode    = 'n' // code, asset ID -> nothing: the assets by their codes
	prefixOrders  = 'd' // owner, begin of the slot, product ID, number -> nothing: the open orders of a key
	prefixParty   = 'p' // epoch, party, height of the agreement (latest first), trade ID -> nothing: all its trades
	prefixOpen    = 'o' // party, height, trade ID -> nothing: its trades that are in the state
	prefixArchive = 'a' // height, trade ID -> types.Trade: trades that have left the state, in that block, as they ended
	prefixEnded   = 'e' // epoch, trade ID -> that height
	prefixBlock   = 'b' // height -> Block
	prefixTx      = 'x' // epoch, transaction ID -> Receipt of the block that accepted it
	prefixRefused = 'y' // transaction ID -> Receipt of the last block that refused it
	prefixAuction = 'k' // product ID -> types.Auction without its lists; with a list and a page, a part of one
	prefixPlaced  = 'q' // product ID, owner, number -> types.PlacedOrder: the orders of an auction that was held
	prefixMeta    = 'm'
)

// The entries of prefixMeta.
func formatKey() []byte { return []byte{prefixMeta, 'f'} } // -> the version of the layout
func paramsKey() []byte { return []byte{prefixMeta, 'p'} } // -> types.Params
func headKey() []byte   { return []byte{prefixMeta, 'h'} } // -> head
func epochsKey() []byte { return []byte{prefixMeta, 'e'} } // -> epochs

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

// coinFrom is where the coins of a moment and at most an amount begin.
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

// outpointOf reads the outpoint from a ledger key of an output: its kind, the transaction ID, the index.
func outpointOf(ledgerKey string) types.Outpoint {
	key := []byte(ledgerKey)
	return types.Outpoint{Tx: types.TxID(key[1:33]), Index: binary.BigEndian.Uint32(key[33:])}
}

// tradeOf reads the ID from a ledger key of a trade: its kind, the ID.
func tradeOf(ledgerKey string) types.TradeID { return types.TradeID([]byte(ledgerKey[1:])) }

// ledgerTrade is the ledger key of a trade.
func ledgerTrade(id types.TradeID) string { return "t" + string(id[:]) }

// inEpoch begins the keys of a keyspace in an epoch, with room for what follows.
func inEpoch(keyspace byte, epoch uint16) []byte {
	return binary.BigEndian.AppendUint16(append(make([]byte, 0, 1+2+32+placeLength), keyspace), epoch)
}

// partyPrefix begins the keys of a party's trades in an epoch, openPrefix those of its trades in the state.
func partyPrefix(epoch uint16, party types.PublicKey) []byte {
	return append(inEpoch(prefixParty, epoch), party[:]...)
}

func openPrefix(party types.PublicKey) []byte { return append([]byte{prefixOpen}, party[:]...) }

// placeLength is how long the place of a trade in a list of its party is: behind the prefix, by height, latest first.
const placeLength = 8 + 32

func listed(prefix []byte, height uint64, id types.TradeID) []byte {
	return append(binary.BigEndian.AppendUint64(prefix, math.MaxUint64-height), id[:]...)
}

// listedTrade reads the trade's ID from a key of a list.
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

// archivePlace is the key of an archived trade that ended at a height, the value of its [endedKey]. Trades stand in the order in which they ended, so
// that none comes between those which the database has sorted already, and it need not write them again and again.
func archivePlace(id types.TradeID, ended uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{prefixArchive}, ended), id[:]...)
}

// heightBytes is a height as a value.
func heightBytes(height uint64) []byte { return binary.BigEndian.AppendUint64(nil, height) }

// archivedAt reads the height from the key of an archived trade.
func archivedAt(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

func endedKey(epoch uint16, id types.TradeID) []byte {
	return append(inEpoch(prefixEnded, epoch), id[:]...)
}
func txKey(epoch uint16, id types.TxID) []byte { return append(inEpoch(prefixTx, epoch), id[:]...) }
func refusedKey(id types.TxID) []byte          { return append([]byte{prefixRefused}, id[:]...) }

func blockKey(height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixBlock}, height)
}

// after returns the first key behind all that begin with prefix; nil when there is none.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
