package ledger

import (
	"fmt"
	"slices"

	"lockstep/types"
)

// A slot prevents one kWh from being sold twice: every trade that was delivered on a flow has its place in the slot, and the
// readings are allotted in the order of the places (see trade.Allot). A point sells a slot either in one auction or by direct
// agreements, so that no buyer of an auction pays behind an earlier claim which it can't see. The slot is kept until it has begun
// and all its trades are over.

// slotFor returns a copy of the slot of a flow, to be changed; an empty one if there is none.
func (s *State) slotFor(flow types.Flow, from, until types.Time) (at [32]byte, next *types.Slot) {
	at = slotID(flow, from)
	if slot, known := get[types.Slot](s, slotKey(at)); known {
		copied := *slot
		return at, &copied
	}
	return at, &types.Slot{Flow: flow, From: from, Until: until}
}

// keepSlot writes a slot back. It leaves the state with the last that stands in it before it has begun.
func (s *State) keepSlot(at [32]byte, next *types.Slot) {
	if next.Agreed == 0 && next.Orders == 0 && next.Sold == 0 && len(next.Claims) == 0 {
		s.putSlot(at, nil)
		s.remove(s.slotDue(at, next))
		return
	}
	isNew := s.look(slotKey(at)).before == nil
	s.putSlot(at, next)
	if due := s.slotDue(at, next); isNew { // the entry too: a slot comes before its end, once
		s.add(due, &mark{})
	} else {
		s.put(due, &mark{})
	}
}

// slotDue is the entry by which a slot may be forgotten: at its end, or at once when that has passed.
func (s *State) slotDue(at [32]byte, slot *types.Slot) key {
	return queueKey(max(slot.Until, s.now), queueSlot, at)
}

// agreeOnSlot counts an agreement on metered goods that is recorded directly. Its slot must not be for sale in an auction, or sold there.
func (x *execution) agreeOnSlot(goods *types.Goods) error {
	if goods.Flow.IsZero() {
		return nil
	}
	at, next := x.slotFor(goods.Flow, goods.From, goods.Until)
	if next.Product != (types.ProductID{}) {
		return types.Refuse(types.CodeSlot, "connection point %s sells the slot of %s in the auction of product %s, and there alone", goods.Flow.Point, goods.From, next.Product)
	}
	next.Agreed++
	x.keepSlot(at, next)
	return nil
}

// offerSlot reserves the slot of an offer for its auction.
func (x *execution) offerSlot(id types.ProductID, order *types.Order) error {
	if order.Flow.IsZero() {
		return nil
	}
	at, next := x.slotFor(order.Flow, order.Product.From, order.Product.Until)
	switch {
	case next.Agreed > 0 || len(next.Claims) > 0: // claims of an auction come only after its gate
		return types.Refuse(types.CodeSlot, "an agreement stands on the slot of %s at connection point %s: a slot is sold by agreements or in an auction, not by both",
			order.Product.From, order.Flow.Point)
	case next.Product != (types.ProductID{}) && next.Product != id:
		return types.Refuse(types.CodeSlot, "connection point %s sells the slot of %s in the auction of product %s, and there alone", order.Flow.Point, order.Product.From, next.Product)
	}
	next.Product = id
	next.Orders++ // fits: a key has at most as many orders of a product
	x.keepSlot(at, next)
	return nil
}

// leaveOffer takes an offer that leaves its book out of its slot. One that has sold something leaves the slot to its auction; a slot of
// which nothing is sold leaves the state with its last offer, and is free again.
func (s *State) leaveOffer(order *types.Order, sold bool) {
	if order.Flow.IsZero() {
		return
	}
	at, next := s.slotFor(order.Flow, order.Product.From, order.Product.Until)
	next.Orders--
	if sold {
		next.Sold++
	}
	s.keepSlot(at, next)
}

// claimSlot gives a trade its place at delivery: that of its agreement. Delivery comes before the slot begins, so all
// places are known by then.
func (x *execution) claimSlot(id types.TradeID, trade *types.Trade) error {
	goods := &trade.Agreement.Goods
	if goods.Flow.IsZero() {
		return nil
	}
	// An exchange may have ended the direction since the agreement: nothing could be read then, so nothing is locked either.
	if point, _ := get[types.Point](x.State, pointKey(goods.Flow.Point)); len(point.RegistersAt(goods.Flow.Direction, goods.From)) == 0 {
		return types.Refuse(types.CodeMeterUnknown, "connection point %s sells no %s in the slot any more: the consumer is refunded after deliver-by",
			goods.Flow.Point, goods.Flow.Direction)
	}
	at, next := x.slotFor(goods.Flow, goods.From, goods.Until)
	if len(next.Claims) == types.MaxClaims {
		return types.Refuse(types.CodeSlot, "the slot has its %d trades", types.MaxClaims)
	}
	next.Agreed--
	next.Open++
	next.Claims = withClaims(next.Claims, claimOf(id, trade))
	x.keepSlot(at, next)
	return nil
}

// claimMatches gives the matches of an offer their places: those of the block that held the auction.
func (s *State) claimMatches(goods *types.Goods, claims []types.Claim) {
	at, next := s.slotFor(goods.Flow, goods.From, goods.Until)
	next.Open += uint16(len(claims))
	next.Claims = withClaims(next.Claims, claims...)
	s.keepSlot(at, next)
}

// withClaims returns a copy of claims with more of them, in order.
func withClaims(claims []types.Claim, more ...types.Claim) []types.Claim {
	all := append(slices.Grow(slices.Clone(claims), len(more)), more...)
	slices.SortFunc(all, compareClaims)
	return all
}

// leaveSlot notes that a trade is over. The claim of a delivered one keeps its place.
func (s *State) leaveSlot(t *types.Trade) {
	goods := &t.Agreement.Goods
	if goods.Flow.IsZero() {
		return
	}
	at, next := s.slotFor(goods.Flow, goods.From, goods.Until)
	if _, delivered := t.Step(types.StepDelivered); !delivered {
		next.Agreed--
		s.keepSlot(at, next)
	} else {
		next.Open--
		s.putSlot(at, next)
	}
	s.forgetSlot(at)
}

// forgetSlot removes a slot that nothing can come to any more: all its trades are over, and it has begun.
func (s *State) forgetSlot(at [32]byte) {
	slot, ok := get[types.Slot](s, slotKey(at))
	if !ok || slot.Open > 0 || slot.Agreed > 0 || slot.Orders > 0 || s.clock.BlockTime < slot.From {
		return
	}
	if _, pages := get[held](s, heldKey(slot.Product)); pages { // whose trades may have their places here: look again in a later block
		s.put(s.slotDue(at, slot), &mark{})
		return
	}
	s.putSlot(at, nil)
	s.remove(s.slotDue(at, slot))
}

// claimsPerUnit is the number of places of a slot that take one unit of work to read, write and hash.
const claimsPerUnit = 6

// putSlot writes a slot, or removes it when next is nil. The block encodes and hashes it once, however often it changes.
func (s *State) putSlot(at [32]byte, next *types.Slot) {
	e := s.look(slotKey(at))
	if before, known := e.before.(*types.Slot); known && !e.written {
		s.slotWork += uint64(len(before.Claims)) / claimsPerUnit
	}
	if next == nil {
		s.write(e, nil) // not a nil pointer in an interface
		return
	}
	s.write(e, next)
}

// SlotWork returns the work that the slots changed by this block add to it, which can't be derived from a transaction alone. A
// proposer subtracts it from the remaining work, see [State.WorkLeft].
func (s *State) SlotWork() uint64 { return s.slotWork }

// slotOf looks up the slot by which a trade is settled; nil for one that has no meter.
func (x *execution) slotOf(t *types.Trade) *types.Slot {
	if t.Agreement.Goods.Flow.IsZero() {
		return nil
	}
	return x.mustSlot(t)
}

// mustSlot looks up the slot of a trade on metered goods, which stays in the state as long as the trade does.
func (s *State) mustSlot(trade *types.Trade) *types.Slot {
	goods := &trade.Agreement.Goods
	slot, ok := get[types.Slot](s, slotKey(slotID(goods.Flow, goods.From)))
	if !ok {
		panic(fmt.Sprintf("ledger: trade %s is in the state, but its slot is not", trade.ID()))
	}
	return slot
}
