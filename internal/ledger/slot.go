package ledger

import (
	"fmt"
	"slices"

	"lockstep/types"
)

// A slot prevents one kWh from being sold twice: every trade that was delivered on a flow has its place in the slot, and the
// readings are allotted in the order of the places (see trade.Allot). The slot is kept until it has begun and all its trades are
// over.

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
	at := slotID(goods.Flow, goods.From)
	next := types.Slot{Flow: goods.Flow, From: goods.From, Until: goods.Until}
	if slot, known := get[types.Slot](x.State, slotKey(at)); known {
		next = *slot
	}
	if len(next.Claims) == types.MaxClaims {
		return types.Refuse(types.CodeSlot, "the slot has its %d trades", types.MaxClaims)
	}
	claim := claimOf(id, trade)
	place, _ := slices.BinarySearchFunc(next.Claims, claim, compareClaims)
	next.Claims = slices.Insert(slices.Clone(next.Claims), place, claim)
	next.Open++
	x.putSlot(at, &next)
	x.put(queueKey(goods.Until, queueSlot, at), &mark{})
	return nil
}

// leaveSlot notes that a delivered trade is over. Its claim keeps its place.
func (x *execution) leaveSlot(trade *types.Trade) {
	slot := x.slotOf(trade)
	if slot == nil {
		return
	}
	next := *slot
	next.Open--
	at := slotID(next.Flow, next.From)
	x.putSlot(at, &next)
	x.forgetSlot(at)
}

// forgetSlot removes a slot that nothing can come to any more: all its trades are over, and it has begun.
func (s *State) forgetSlot(at [32]byte) {
	slot, ok := get[types.Slot](s, slotKey(at))
	if ok && slot.Open == 0 && s.clock.BlockTime >= slot.From {
		s.putSlot(at, nil)
		s.remove(queueKey(slot.Until, queueSlot, at))
	}
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

// slotOf looks up the slot by which a trade is settled; nil for one that was not delivered or has no meter.
func (x *execution) slotOf(t *types.Trade) *types.Slot {
	if _, delivered := t.Step(types.StepDelivered); !delivered || t.Agreement.Goods.Flow.IsZero() {
		return nil
	}
	return x.mustSlot(t)
}

// mustSlot looks up the slot of a delivered trade.
func (s *State) mustSlot(trade *types.Trade) *types.Slot {
	goods := &trade.Agreement.Goods
	slot, ok := get[types.Slot](s, slotKey(slotID(goods.Flow, goods.From)))
	if !ok {
		panic(fmt.Sprintf("ledger: trade %s was delivered, but its slot is not in the state", trade.ID()))
	}
	return slot
}
