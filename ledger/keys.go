package ledger

import (
	"crypto/sha256"
	"encoding/binary"

	"lockstep/types"
)

// The state is a set of (key, value). The first byte of a key tells its kind; the rest is an ID or, for the queue, a
// moment in big-endian order. Every value is in the canonical encoding.
const (
	kindOutput     = 'o' // outpoint -> types.Output
	kindTrade      = 't' // trade ID -> types.Trade
	kindOffer      = 'f' // offer ID -> types.StandingOffer
	kindAsset      = 'a' // asset ID -> types.AssetState
	kindRemembered = 'r' // transaction or trade ID -> mark: refused again until its queue entry comes up
	kindQueue      = 'q' // (moment of the ledger clock, what, ID) -> mark: to be looked at once the clock is past it
	kindClock      = 'c' // -> Clock
	kindMember     = 'm' // key -> types.Member
	kindMeter      = 'g' // meter ID -> types.RegisteredMeter
	kindSlot       = 's' // hash of a gauge and a slot -> types.Slot
)

// What a queue entry is about.
const (
	queueTrade = 't' // pay-by of an agreement: it lapses if still unpaid, and its ID may be forgotten
	queueOffer = 'f' // pay-by of an offer: it runs out
	queueTx    = 'x' // valid-until of a transaction without inputs: its ID may be forgotten
	queueSlot  = 's' // end of a slot: it may be forgotten when all its trades are over
)

// mark is the value of an entry whose key says all.
type mark struct {
	_ struct{} `cbor:",toarray"`
}

func key(kind byte, id [32]byte) string {
	return string(append([]byte{kind}, id[:]...))
}

func outputKey(o types.Outpoint) string {
	k := make([]byte, 0, 37)
	k = append(k, kindOutput)
	k = append(k, o.Tx[:]...)
	return string(binary.BigEndian.AppendUint32(k, o.Index))
}

func tradeKey(id types.TradeID) string   { return key(kindTrade, id) }
func offerKey(id types.OfferID) string   { return key(kindOffer, id) }
func assetKey(id types.AssetID) string   { return key(kindAsset, id) }
func memberKey(k types.PublicKey) string { return key(kindMember, k) }
func meterKey(id types.MeterID) string   { return key(kindMeter, id) }
func rememberedKey(id [32]byte) string   { return key(kindRemembered, id) }
func clockKey() string                   { return string([]byte{kindClock}) }
func kindRange(kind byte) (a, b string)  { return string([]byte{kind}), string([]byte{kind + 1}) }

// slotID names one gauge in one slot.
func slotID(gauge types.Gauge, from types.Time) [32]byte {
	h := sha256.New()
	h.Write([]byte("lockstep/slot/v1\x00"))
	h.Write(types.Encode(&gauge))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(from)))
	return [32]byte(h.Sum(nil))
}

func slotKey(id [32]byte) string { return key(kindSlot, id) }

func queueKey(at types.Time, what byte, id [32]byte) string {
	k := make([]byte, 0, 42)
	k = append(k, kindQueue)
	k = binary.BigEndian.AppendUint64(k, uint64(at))
	k = append(k, what)
	return string(append(k, id[:]...))
}

// queueBefore returns the range of the entries whose moment lies before clock: their deadlines have passed.
func queueBefore(clock types.Time) (from, to string) {
	return string([]byte{kindQueue}), string(binary.BigEndian.AppendUint64([]byte{kindQueue}, uint64(clock)))
}

func parseQueueKey(k string) (what byte, id [32]byte) {
	copy(id[:], k[10:])
	return k[9], id
}

func parseOutputKey(k string) types.Outpoint {
	return types.Outpoint{Tx: types.TxID([]byte(k[1:33])), Index: binary.BigEndian.Uint32([]byte(k[33:]))}
}
