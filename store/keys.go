package store

import (
	"encoding/binary"
	"math"

	"lockstep/types"
)

// The keyspaces. Only prefixState is covered by the commitment; the derived ones follow from the blocks.
const (
	prefixState   = 's' // ledger key -> value, as package ledger writes them
	prefixCoin    = 'c' // owner, outpoint -> types.Output: the outputs locked to a key
	prefixParty   = 'p' // party, height of the agreement (latest first), trade ID -> nothing: all its trades
	prefixOpen    = 'o' // likewise: its trades that are in the state
	prefixArchive = 'a' // height, trade ID -> types.Trade: trades that have left the state, in that block, as they ended
	prefixEnded   = 'e' // trade ID -> that height
	prefixBlock   = 'b' // height -> Block
	prefixTx      = 'x' // transaction ID -> Receipt
	prefixAuction = 'k' // product ID -> types.Auction without its lists; with a list and a page, a part of one
	prefixPlaced  = 'q' // product ID, owner, number -> types.PlacedOrder: the orders of an auction that was held
	prefixMeta    = 'm'
)

// The entries of prefixMeta.
func formatKey() []byte { return []byte{prefixMeta, 'f'} } // -> the version of the layout
func paramsKey() []byte { return []byte{prefixMeta, 'p'} } // -> types.Params
func headKey() []byte   { return []byte{prefixMeta, 'h'} } // -> head

func stateKey(key string) []byte {
	return append([]byte{prefixState}, key...)
}

func coinPrefix(owner types.PublicKey) []byte {
	return append([]byte{prefixCoin}, owner[:]...)
}

const coinKeyLength = 1 + 32 + 32 + 4

func coinKey(owner types.PublicKey, o types.Outpoint) []byte {
	key := make([]byte, 0, coinKeyLength)
	key = append(append(key, coinPrefix(owner)...), o.Tx[:]...)
	return binary.BigEndian.AppendUint32(key, o.Index)
}

func parseCoinKey(key []byte) (owner types.PublicKey, o types.Outpoint) {
	return types.PublicKey(key[1:33]), types.Outpoint{Tx: types.TxID(key[33:65]), Index: binary.BigEndian.Uint32(key[65:])}
}

// outpointOf reads the outpoint from a ledger key of an output: its kind, the transaction ID, the index.
func outpointOf(ledgerKey string) types.Outpoint {
	key := []byte(ledgerKey)
	return types.Outpoint{Tx: types.TxID(key[1:33]), Index: binary.BigEndian.Uint32(key[33:])}
}

// tradeOf reads the ID from a ledger key of a trade: its kind, the ID.
func tradeOf(ledgerKey string) types.TradeID { return types.TradeID([]byte(ledgerKey[1:])) }

const partyKeyLength = 1 + 32 + 8 + 32

// partyPrefix begins the keys of a party's trades, of all of them (prefixParty) or those in the state (prefixOpen).
func partyPrefix(keyspace byte, party types.PublicKey) []byte {
	return append([]byte{keyspace}, party[:]...)
}

// partyKey orders the trades of a party by height, latest first.
func partyKey(keyspace byte, party types.PublicKey, height uint64, id types.TradeID) []byte {
	key := make([]byte, 0, partyKeyLength)
	key = binary.BigEndian.AppendUint64(append(key, partyPrefix(keyspace, party)...), math.MaxUint64-height)
	return append(key, id[:]...)
}

func parsePartyKey(key []byte) (party types.PublicKey, height uint64, id types.TradeID) {
	return types.PublicKey(key[1:33]), math.MaxUint64 - binary.BigEndian.Uint64(key[33:41]), types.TradeID(key[41:])
}

// The ledger keys of the offers: their kind, the ID (see package ledger, keys.go).
const ledgerOffer = 'f'

func offerKey(id types.OfferID) []byte {
	return append([]byte{prefixState, ledgerOffer}, id[:]...)
}

// archivePlace is the key of an archived trade by the value of its [endedKey]. Trades stand in the order in which they ended, so
// that none comes between those which the database has sorted already, and it need not write them again and again.
func archivePlace(id types.TradeID, ended []byte) []byte {
	return append(append([]byte{prefixArchive}, ended...), id[:]...)
}

func endedKey(id types.TradeID) []byte { return append([]byte{prefixEnded}, id[:]...) }
func txKey(id types.TxID) []byte       { return append([]byte{prefixTx}, id[:]...) }

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
