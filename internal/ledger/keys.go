package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"lockstep/types"
	"lockstep/types/canon"
)

// The state is a set of (key, value). The first byte of a key tells its kind; the rest is an ID or, for the queue, a
// moment in big-endian order. Every value is in the canonical encoding.
const (
	kindOutput     = 'o' // outpoint -> types.Output
	kindTrade      = 't' // trade ID -> types.Trade, or mark: it is over, and its ID refused again until its pay-by has passed
	kindOffer      = 'f' // offer ID -> types.StandingOffer
	kindAsset      = 'a' // asset ID -> types.AssetState
	kindRemembered = 'r' // (valid-until, transaction ID) -> mark: refused again until the ledger clock is past it
	kindQueue      = 'q' // (what, moment of the ledger clock, ID) -> mark: due once the clock is past it
	kindReached    = 'y' // -> reached: how far the last block came with the entries that are due, when it left some
	kindClock      = 'c' // -> Clock
	kindMember     = 'm' // key -> types.Member
	kindName       = 'n' // hash of a member's name, folded -> namesake
	kindPoint      = 'g' // point ID -> types.Point
	kindMeter      = 'u' // hash of a meter's key and serial number -> meterUse
	kindSlot       = 's' // hash of a flow and a slot -> types.Slot
	kindBook       = 'b' // product ID -> types.Book
	kindOrder      = 'd' // (product ID, owner, number) -> types.PlacedOrder
	kindGate       = 'w' // (moment of block time, product ID) -> mark: the product's gate closes
	kindHeld       = 'h' // product ID -> held: an auction of which pages are left
	kindHeldPage   = 'p' // (product ID, page) -> heldPage
	kindConduct    = 'k' // (key, asset ID) -> types.Conduct
	kindStall      = 'z' // (moment a horizon after an outage ended, on the ledger clock) -> mark
	kindPurse      = 'v' // (key, asset ID) -> types.Purse
	kindUsage      = 'x' // key -> types.Usage
	kindGovernance = 'j' // -> types.Governance
	kindDecision   = 'i' // number -> types.Decided
	kindDecisions  = 'l' // -> decisionCount
	kindCheckpoint = 'C' // (moment when it is forgotten, height) -> checkpoint
	kindOver       = 'e' // (pay-by, height, page) -> tradeIDs: trades that ended in that block, to be forgotten then
)

// allKinds are in the order in which an audit reads them.
func allKinds() []byte {
	return []byte{
		kindOutput, kindTrade, kindOffer, kindAsset, kindRemembered, kindQueue, kindClock, kindMember, kindName, kindPoint, kindMeter, kindSlot, kindBook, kindOrder,
		kindGate, kindHeld, kindHeldPage, kindConduct, kindStall, kindPurse, kindUsage, kindOver, kindReached,
		kindGovernance, kindDecision, kindDecisions, kindCheckpoint,
	}
}

// The kinds of queue entries.
const (
	queueTrade = 't' // pay-by of an agreement: it lapses if still unpaid
	queueOffer = 'f' // pay-by of an offer: it runs out
	queueGoods = 'd' // deliver-by of a match: it is on record if still undelivered
	queueSlot  = 's' // end of a slot: it may be forgotten when all its trades are over
)

// mark is the value of an entry whose key says all.
type mark struct{}

// Fields is the stored form, see [canon.Value].
func (*mark) Fields(c *canon.Coder) { c.Array(0) }

// tradeIDs are trades of the same pay-by.
type tradeIDs []types.TradeID

// idsPage is the number of IDs in one entry.
const idsPage = 1024

// Fields is the stored form, see [canon.Value].
func (t *tradeIDs) Fields(c *canon.Coder) {
	canon.List(c, "trades", (*[]types.TradeID)(t), func(id *types.TradeID, c *canon.Coder) { c.Bytes("trade", id[:]) })
}

// key is where a value stands in the state. It is an array, not a string, so that looking for it takes no memory.
type key struct {
	bytes  [keyRoom]byte
	length int
}

// keyRoom is the longest that a key can be, that of an order.
const keyRoom = 1 + 32 + 32 + 1

func (k *key) String() string { return string(k.bytes[:k.length]) }

// with returns the key with more at its end.
func (k key) with(more []byte) key {
	k.length += copy(k.bytes[k.length:], more)
	return k
}

// withNumber returns the key with a number at its end, in big-endian order.
func (k key) withNumber(n uint64) key {
	binary.BigEndian.PutUint64(k.bytes[k.length:], n)
	k.length += 8
	return k
}

// withCount is withNumber for small numbers.
func (k key) withCount(n uint32) key {
	binary.BigEndian.PutUint32(k.bytes[k.length:], n)
	k.length += 4
	return k
}

func kindKey(kind byte) key                { return key{bytes: [keyRoom]byte{kind}, length: 1} }
func idKey(kind byte, id [32]byte) key     { return kindKey(kind).with(id[:]) }
func timeKey(kind byte, at types.Time) key { return kindKey(kind).withNumber(uint64(at)) }

func outputKey(o types.Outpoint) key    { return idKey(kindOutput, o.Tx).withCount(o.Index) }
func tradeKey(id types.TradeID) key     { return idKey(kindTrade, id) }
func offerKey(id types.OfferID) key     { return idKey(kindOffer, id) }
func assetKey(id types.AssetID) key     { return idKey(kindAsset, id) }
func memberKey(k types.PublicKey) key   { return idKey(kindMember, k) }
func pointKey(id types.PointID) key     { return idKey(kindPoint, id) }
func meterKey(id types.PointID) key     { return idKey(kindMeter, id) }
func clockKey() key                     { return kindKey(kindClock) }
func reachedKey() key                   { return kindKey(kindReached) }
func kindRange(kind byte) (a, b string) { return string([]byte{kind}), string([]byte{kind + 1}) }

// nameKey is the same for all names that look the same.
func nameKey(name string) key {
	return idKey(kindName, sha256.Sum256([]byte("lockstep/name/v1\x00"+types.FoldName(name))))
}

// slotID names one flow in one slot.
func slotID(flow types.Flow, from types.Time) [32]byte {
	h := sha256.New()
	h.Write([]byte("lockstep/slot/v2\x00"))
	h.Write(types.Encode(&flow))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(from)))
	return [32]byte(h.Sum(nil))
}

func slotKey(id [32]byte) key { return idKey(kindSlot, id) }

func bookKey(id types.ProductID) key { return idKey(kindBook, id) }

func orderKey(product types.ProductID, owner types.PublicKey, number uint8) key {
	return idKey(kindOrder, product).with(owner[:]).with([]byte{number})
}

// ordersOf returns the range of the orders of a product.
func ordersOf(product types.ProductID) (from, to string) {
	start := idKey(kindOrder, product)
	prefix := start.String()
	return prefix, prefix + strings.Repeat("\xff", 34) // an order's key is one byte shorter
}

func gateKey(at types.Time, product types.ProductID) key {
	return timeKey(kindGate, at).with(product[:])
}

func purseKey(owner types.PublicKey, asset types.AssetID) key {
	return idKey(kindPurse, owner).with(asset[:])
}

// pursesOf returns the range of the purses of a key.
func pursesOf(owner types.PublicKey) (from, to string) {
	start := idKey(kindPurse, owner)
	prefix := start.String()
	return prefix, prefix + strings.Repeat("\xff", 33) // a purse's key is one byte shorter
}

func usageKey(k types.PublicKey) key { return idKey(kindUsage, k) }

func heldKey(product types.ProductID) key { return idKey(kindHeld, product) }

func heldPageKey(product types.ProductID, page uint32) key {
	return idKey(kindHeldPage, product).withCount(page)
}

// timeText returns a moment as it is written in keys.
func timeText(at types.Time) string { return string(binary.BigEndian.AppendUint64(nil, uint64(at))) }

// before returns the range of the entries of a kind whose moment lies before another: their moment has passed.
func before(kind byte, at types.Time) (from, to string) {
	end := timeKey(kind, at)
	return string([]byte{kind}), end.String()
}

func parseGateKey(k string) types.ProductID { return types.ProductID([]byte(k[9:])) }

// parseStall returns when the outage of an entry ended.
func parseStall(k string, horizon types.Duration) types.Time {
	forgotten := types.Time(binary.BigEndian.Uint64([]byte(k[1:9])))
	return forgotten - min(types.Time(horizon), forgotten)
}

func conductKey(owner types.PublicKey, asset types.AssetID) key {
	return idKey(kindConduct, owner).with(asset[:])
}

func queueKey(at types.Time, what byte, id [32]byte) key {
	return kindKey(kindQueue).with([]byte{what}).withNumber(uint64(at)).with(id[:])
}

// rememberedKey is of a transaction, with its own valid-until.
func rememberedKey(until types.Time, id [32]byte) key {
	return timeKey(kindRemembered, until).with(id[:])
}

func overKey(payBy types.Time, height uint64, page int) key {
	return timeKey(kindOver, payBy).withNumber(height).withCount(uint32(page))
}

func parseQueueKey(k string) [32]byte { return [32]byte([]byte(k[10:])) }

func parseOutputKey(k string) types.Outpoint {
	return types.Outpoint{Tx: types.TxID([]byte(k[1:33])), Index: binary.BigEndian.Uint32([]byte(k[33:]))}
}
