package ledger

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// Place is where a trade stands in a slot: since its delivery, or once it is delivered. Earlier places are served first.
type Place struct {
	types.Claim
	Delivered bool
}

// SlotPlaces are the places of one flow in one slot, in order, with the quantity read so far.
type SlotPlaces struct {
	From, Until types.Time
	Places      []Place
	Read        uint64 // Wh
}

// Places returns where trades of a flow stand, slot by slot. The trades are those of the point's owner that are in the state, in
// any order; from is the beginning of the one slot that is asked for, or zero for all in which one of these trades stands.
func (r Reader) Places(flow types.Flow, from types.Time, trades iter.Seq2[types.TradeID, *types.Trade]) []SlotPlaces {
	clock := r.Clock()
	var slots []SlotPlaces
	find := func(from, until types.Time) *SlotPlaces {
		i, found := slices.BinarySearchFunc(slots, from, func(s SlotPlaces, at types.Time) int { return cmp.Compare(s.From, at) })
		if !found {
			slots = slices.Insert(slots, i, r.slotPlaces(flow, from, until))
		}
		return &slots[i]
	}
	if slot, known := r.Slot(flow, from); known && len(slot.Claims) > 0 {
		find(slot.From, slot.Until)
	}
	for id, t := range trades {
		goods := &t.Agreement.Goods
		if goods.Flow != flow || from != 0 && goods.From != from {
			continue
		}
		if _, delivered := t.Step(types.StepDelivered); delivered {
			find(goods.From, goods.Until)
		} else if trade.Deliverable(t, clock.Now(), clock.BlockTime) {
			slot := find(goods.From, goods.Until)
			slot.Places = append(slot.Places, Place{Claim: claimOf(id, t)})
		}
	}
	for i := range slots {
		slices.SortFunc(slots[i].Places, func(a, b Place) int { return compareClaims(a.Claim, b.Claim) })
	}
	return slots
}

// slotPlaces are those of the trades that were delivered.
func (r Reader) slotPlaces(flow types.Flow, from, until types.Time) SlotPlaces {
	places := SlotPlaces{From: from, Until: until}
	slot, known := r.Slot(flow, from)
	if !known {
		return places
	}
	for _, claim := range slot.Claims {
		places.Places = append(places.Places, Place{Claim: claim, Delivered: true})
	}
	for _, reading := range slot.Readings {
		places.Read += reading.Quantity // at most MaxReadings * MaxQuantity, which fits
	}
	return places
}

// claimOf is the place that a trade has from its delivery on: that of its agreement.
func claimOf(id types.TradeID, trade *types.Trade) types.Claim {
	agreement := &trade.Agreement
	return types.Claim{Height: trade.Height, Trade: id, Quantity: agreement.Goods.Quantity, ReadingBy: agreement.Deadlines.ReadingBy}
}

func compareClaims(a, b types.Claim) int {
	return cmp.Or(cmp.Compare(a.Height, b.Height), bytes.Compare(a.Trade[:], b.Trade[:]))
}
