package ledger

import (
	"iter"
	"strings"

	"lockstep/trade"
	"lockstep/types"
)

// Reader reads a committed state in domain types.
type Reader struct{ View }

func read[T any](r Reader, at key) (*T, bool) {
	text := at.String()
	value, ok := any(decoded(text, r.Get(text))).(*T)
	return value, ok
}

func all[T any](r Reader, kind byte) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		from, to := kindRange(kind)
		r.Ascend(from, to, func(key string, stored Value) bool {
			return yield(any(decoded(key, stored)).(*T))
		})
	}
}

// Clock returns the ledger clock; zero before the first block.
func (r Reader) Clock() Clock {
	if clock, ok := read[Clock](r, clockKey()); ok {
		return *clock
	}
	return Clock{}
}

// Holding is a sum that a transaction can name as an input: an output, the money of a purse, or a part of a trade.
type Holding struct {
	Asset  types.AssetID
	Amount types.Amount
	Key    types.PublicKey // the owner's, unless a trade has locked the sum
	Trade  *types.Trade    // the trade that has locked it, or nil
	Part   types.Part      // of the trade
}

// Owner returns the key that can spend the sum at a moment of the ledger clock; false while nobody can.
func (h *Holding) Owner(clock types.Time) (key types.PublicKey, ok bool) {
	if h.Trade == nil {
		return h.Key, true
	}
	return trade.Owner(h.Trade, h.Part, clock)
}

// Holding returns the unspent sum of an address.
func (r Reader) Holding(o types.Outpoint) (Holding, bool) {
	id, part, ofTrade := o.Trade()
	if !ofTrade {
		output, ok := read[types.Output](r, outputKey(o))
		if !ok {
			return Holding{}, false
		}
		return Holding{Asset: output.Asset, Amount: output.Amount, Key: output.Lock.Key}, true
	}
	if t, ok := r.Trade(id); ok {
		if locked, ok := t.Find(part); ok {
			return lockedHolding(t, locked), true
		}
	}
	return Holding{}, false
}

func lockedHolding(t *types.Trade, locked types.Locked) Holding {
	return Holding{Asset: t.Agreement.Asset, Amount: locked.Amount, Trade: t, Part: locked.Part}
}

// Trade returns a trade that is not over, or not all spent.
func (r Reader) Trade(id types.TradeID) (*types.Trade, bool) {
	return read[types.Trade](r, tradeKey(id))
}

// Offer returns a standing offer.
func (r Reader) Offer(id types.OfferID) (*types.StandingOffer, bool) {
	return read[types.StandingOffer](r, offerKey(id))
}

// Asset returns an asset that is out, or that the ledger recognises.
func (r Reader) Asset(id types.AssetID) (*types.AssetState, bool) {
	return read[types.AssetState](r, assetKey(id))
}

// Offers returns all standing offers, in order of their IDs.
func (r Reader) Offers() iter.Seq[*types.StandingOffer] {
	return all[types.StandingOffer](r, kindOffer)
}

// Assets returns all assets, in order of their IDs.
func (r Reader) Assets() iter.Seq[*types.AssetState] { return all[types.AssetState](r, kindAsset) }

// Trades returns all trades of the state, in order of their IDs.
func (r Reader) Trades() iter.Seq[*types.Trade] {
	return func(yield func(*types.Trade) bool) {
		from, to := kindRange(kindTrade)
		r.Ascend(from, to, func(key string, stored Value) bool {
			trade, live := decoded(key, stored).(*types.Trade)
			return !live || yield(trade)
		})
	}
}

// Coins returns all outputs, in order of their addresses.
func (r Reader) Coins() iter.Seq2[types.Outpoint, *types.Output] {
	return func(yield func(types.Outpoint, *types.Output) bool) {
		from, to := kindRange(kindOutput)
		r.Ascend(from, to, func(key string, stored Value) bool {
			return yield(parseOutputKey(key), decoded(key, stored).(*types.Output))
		})
	}
}

// Holdings returns all unspent sums: the outputs, in order of their addresses, then the purses that hold something, under their names, then
// the parts of trades.
func (r Reader) Holdings() iter.Seq2[types.Outpoint, Holding] {
	return func(yield func(types.Outpoint, Holding) bool) {
		for outpoint, output := range r.Coins() {
			if !yield(outpoint, Holding{Asset: output.Asset, Amount: output.Amount, Key: output.Lock.Key}) {
				return
			}
		}
		for of, purse := range r.AllPurses() {
			if purse.Amount > 0 && !yield(of.Asset.PurseOutpoint(), Holding{Asset: of.Asset, Amount: purse.Amount, Key: of.Owner}) {
				return
			}
		}
		for t := range r.Trades() {
			id := t.ID()
			for _, locked := range t.Locked {
				if !yield(id.Outpoint(locked.Part), lockedHolding(t, locked)) {
					return
				}
			}
		}
	}
}

// Point returns a connection point that was ever enrolled.
func (r Reader) Point(id types.PointID) (*types.Point, bool) {
	return read[types.Point](r, pointKey(id))
}

// Points goes through the connection points, in order of their IDs.
func (r Reader) Points() iter.Seq[*types.Point] { return all[types.Point](r, kindPoint) }

// PointOf returns the point at which a meter is or was, by the meter's ID.
func (r Reader) PointOf(m *types.PointMeter) (types.PointID, bool) {
	if use, ok := read[meterUse](r, meterKey(m.ID())); ok {
		return use.Point, true
	}
	return types.PointID{}, false
}

// Slot returns the trades and readings of a flow in the slot that begins at a moment.
func (r Reader) Slot(flow types.Flow, from types.Time) (*types.Slot, bool) {
	return read[types.Slot](r, slotKey(slotID(flow, from)))
}

// Reading is the quantity that the readings so far allot to a trade under meter terms, zero for any other trade.
func (r Reader) Reading(t *types.Trade) uint64 {
	if _, meter := t.Agreement.Fallback.(*types.Meter); !meter {
		return 0
	}
	if slot, ok := r.Slot(t.Agreement.Goods.Flow, t.Agreement.Goods.From); ok && t.Phase == types.PhaseDelivered {
		return trade.Allot(slot, t.ID())
	}
	return t.Allotted
}

// Member returns a member.
func (r Reader) Member(key types.PublicKey) (*types.Member, bool) {
	return read[types.Member](r, memberKey(key))
}

// MembersFrom goes through the members from a key on, in order of their keys.
func (r Reader) MembersFrom(key types.PublicKey) iter.Seq[*types.Member] {
	return func(yield func(*types.Member) bool) {
		from := memberKey(key)
		_, to := kindRange(kindMember)
		r.Ascend(from.String(), to, func(key string, stored Value) bool {
			return yield(decoded(key, stored).(*types.Member))
		})
	}
}

// PurseID tells purses apart.
type PurseID struct {
	Owner types.PublicKey
	Asset types.AssetID
}

// ParsePurseKey reads the owner and the asset of a purse from its key in the state.
func ParsePurseKey(key string) PurseID {
	return PurseID{types.PublicKey([]byte(key[1:33])), types.AssetID([]byte(key[33:]))}
}

// AllPurses returns every purse, in order of owners and assets.
func (r Reader) AllPurses() iter.Seq2[PurseID, *types.Purse] { return r.purses(kindRange(kindPurse)) }

// Purses returns the purses of a key, in order of their assets.
func (r Reader) Purses(owner types.PublicKey) iter.Seq2[PurseID, *types.Purse] {
	return r.purses(pursesOf(owner))
}

func (r Reader) purses(from, to string) iter.Seq2[PurseID, *types.Purse] {
	return func(yield func(PurseID, *types.Purse) bool) {
		r.Ascend(from, to, func(key string, stored Value) bool {
			return yield(ParsePurseKey(key), decoded(key, stored).(*types.Purse))
		})
	}
}

// Purse returns the merged money of a key in an asset; empty when there is none.
func (r Reader) Purse(owner types.PublicKey, asset types.AssetID) types.Purse {
	if purse, open := read[types.Purse](r, purseKey(owner, asset)); open {
		return *purse
	}
	return types.Purse{}
}

// Usage counts the lasting entries of a key that have a bound.
func (r Reader) Usage(key types.PublicKey) types.Usage {
	if usage, known := read[types.Usage](r, usageKey(key)); known {
		return *usage
	}
	return types.Usage{}
}

// Books returns the open books, in order of the products' IDs.
func (r Reader) Books() iter.Seq[*types.Book] { return all[types.Book](r, kindBook) }

// Book returns the book of an open product that has orders.
func (r Reader) Book(id types.ProductID) (*types.Book, bool) {
	return read[types.Book](r, bookKey(id))
}

// Orders returns the orders of an open product, in order of owner and number.
func (r Reader) Orders(id types.ProductID) iter.Seq[*types.PlacedOrder] {
	return func(yield func(*types.PlacedOrder) bool) {
		from, to := ordersOf(id)
		r.Ascend(from, to, func(key string, stored Value) bool {
			return yield(decoded(key, stored).(*types.PlacedOrder))
		})
	}
}

// Order returns an owner's order of a number for a product; also while its auction is being held.
func (r Reader) Order(id types.ProductID, owner types.PublicKey, number uint8) (*types.PlacedOrder, bool) {
	return read[types.PlacedOrder](r, orderKey(id, owner, number))
}

// PlacedOrders returns all orders of the state, by product, owner and number.
func (r Reader) PlacedOrders() iter.Seq[*types.PlacedOrder] {
	return all[types.PlacedOrder](r, kindOrder)
}

// ConductsFrom returns the records of a key by asset, from one on.
func (r Reader) ConductsFrom(key types.PublicKey, asset types.AssetID) iter.Seq2[types.AssetID, *types.Conduct] {
	return func(yield func(types.AssetID, *types.Conduct) bool) {
		from, prefix := conductKey(key, asset), idKey(kindConduct, key)
		r.Ascend(from.String(), prefix.String()+strings.Repeat("\xff", 33), func(key string, stored Value) bool {
			return yield(types.AssetID([]byte(key[33:])), decoded(key, stored).(*types.Conduct))
		})
	}
}

// Record returns a key's conduct in the trades that auctions gave it, in one asset.
func (r Reader) Conduct(key types.PublicKey, asset types.AssetID) types.Conduct {
	if record, ok := read[types.Conduct](r, conductKey(key, asset)); ok {
		return *record
	}
	return types.Conduct{}
}

// Held reports whether a product's auction was held and not all of its matches are trades yet.
func (r Reader) Held(id types.ProductID) bool {
	_, pending := read[held](r, heldKey(id))
	return pending
}

// Governance returns validators, parameters in force and scheduled changes; false on a ledger that has no such entry.
func (r Reader) Governance() (*types.Governance, bool) {
	return read[types.Governance](r, governanceKey())
}

// Decisions returns the number of decisions of operators so far.
func (r Reader) Decisions() uint64 {
	if count, some := read[decisionCount](r, decisionsKey()); some {
		return count.Number
	}
	return 0
}

// Decision returns a decision of operators by its number.
func (r Reader) Decision(number uint64) (*types.Decided, bool) {
	return read[types.Decided](r, decisionKey(number))
}

// Checkpoint returns the newest block that a newcomer among the validators can sign.
func (r Reader) Checkpoint() (newest types.Checkpoint, ok bool) {
	from, to := kindRange(kindCheckpoint)
	r.Ascend(from, to, func(key string, stored Value) bool {
		newest, ok = parseCheckpoint(key, decoded(key, stored).(*checkpoint)), true
		return true
	})
	return newest, ok
}
