package ledger

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"

	"lockstep/types"
)

// A slot keeps one kWh from being sold twice: every trade that was delivered on a gauge has its place there, and what was
// read is allotted in the order of the places (see Allot). It is kept until the slot has begun and all its trades are over.

// checkMeters lets only the owner name a meter, and only while it is in use.
func (s *State) checkMeters(producer types.PublicKey, gauges []types.Gauge) error {
	for _, gauge := range gauges {
		meter, ok := get[types.RegisteredMeter](s, meterKey(gauge.Meter))
		if !ok || meter.Owner != producer || meter.RetiredAt != 0 {
			return types.Refuse(types.CodeMeterUnknown, "meter %s is not registered to %s, or is retired", gauge.Meter, producer)
		}
	}
	return nil
}

// claimSlot gives a trade its place at delivery: that of its agreement. Delivery must come before the slot begins, in block
// time, so that all places are known when it does.
func (x *execution) claimSlot(id types.TradeID, trade *types.Trade) error {
	goods := &trade.Agreement.Goods
	if len(goods.Meters) == 0 {
		return nil
	}
	if x.clock.BlockTime >= goods.From {
		return types.Refuse(types.CodeTooLate, "the slot has begun at %s", goods.From)
	}
	at := slotID(goods.Meters[0], goods.From)
	next := types.Slot{Gauge: goods.Meters[0], From: goods.From, Until: goods.Until}
	if slot, known := get[types.Slot](x.State, slotKey(at)); known {
		next = *slot
	}
	if len(next.Claims) == types.MaxClaims {
		return types.Refuse(types.CodeSlot, "the slot has its %d trades", types.MaxClaims)
	}
	claim := types.Claim{Height: trade.Height, Trade: id, Quantity: goods.Quantity, ReadingBy: trade.Agreement.Deadlines.ReadingBy}
	place, _ := slices.BinarySearchFunc(next.Claims, claim, compareClaims)
	next.Claims = slices.Insert(slices.Clone(next.Claims), place, claim)
	next.Open++
	x.put(slotKey(at), &next)
	x.put(queueKey(goods.Until, queueSlot, at), &mark{})
	return nil
}

func compareClaims(a, b types.Claim) int {
	switch {
	case a.Height < b.Height:
		return -1
	case a.Height > b.Height:
		return 1
	}
	return bytes.Compare(a.Trade[:], b.Trade[:])
}

// leaveSlot notes that a delivered trade is over. Its claim keeps its place.
func (x *execution) leaveSlot(trade *types.Trade) {
	if _, delivered := trade.Step(types.StepDelivered); !delivered || len(trade.Agreement.Goods.Meters) == 0 {
		return
	}
	next := *x.mustSlot(trade)
	next.Open--
	at := slotID(next.Gauge, next.From)
	x.put(slotKey(at), &next)
	x.forgetSlot(at)
}

// forgetSlot removes a slot that nothing can come to any more: all its trades are over, and it has begun.
func (s *State) forgetSlot(at [32]byte) {
	slot, ok := get[types.Slot](s, slotKey(at))
	if ok && slot.Open == 0 && s.clock.BlockTime >= slot.From {
		s.remove(slotKey(at))
		s.remove(queueKey(slot.Until, queueSlot, at))
	}
}

// mustSlot looks up the slot of a delivered trade.
func (s *State) mustSlot(trade *types.Trade) *types.Slot {
	goods := &trade.Agreement.Goods
	slot, ok := get[types.Slot](s, slotKey(slotID(goods.Meters[0], goods.From)))
	if !ok {
		panic(fmt.Sprintf("ledger: trade %s was delivered, but its slot is not in the state", trade.ID()))
	}
	return slot
}

// mulDiv returns a*b divided by c, in 128 bits; b <= c. Nothing divided by nothing is nothing.
func mulDiv(a, b, c uint64) (quotient, remainder uint64) {
	if c == 0 {
		return 0, 0
	}
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
