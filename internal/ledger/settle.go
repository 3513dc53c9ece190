package ledger

import (
	"slices"

	"lockstep/types"
)

// settleTrade ends a trade under meter terms by what was read (protocol section 4). With k of N instalments released and q of
// Q allotted, the producer has max(floor(price*k/N), floor(price*q/Q)) of the price in all, floor(bond*q/Q), and the return
// too if q >= Q: then the consumer has withheld the secret without cause. The consumer has all the rest.
func (x *execution) settleTrade(a *types.Settle) error {
	trade, err := x.findTrade(a.Trade)
	if err != nil {
		return err
	}
	agreement := &trade.Agreement
	if _, meter := agreement.Fallback.(*types.Meter); !meter {
		return types.Refuse(types.CodePhase, "trade %s has %s terms, nothing settles it", a.Trade, types.FallbackKind(agreement.Fallback))
	}
	if err := x.checkConfirmed(trade, "settled"); err != nil {
		return err
	}
	slot := x.mustSlot(trade)
	next := change(trade)
	next.Phase, next.Allotted = types.PhaseSettled, Allot(slot, a.Trade)
	x.recordSettlement(next)
	toProducer := ProducerShare(agreement, trade.Released, next.Allotted)
	return x.divide(a.Trade, next, types.StepSettled, types.EventSettled, toProducer, trade.LockedSum()-toProducer)
}

// ProducerShare is what a settlement gives the producer of what is locked, with k instalments released before and q of the
// goods' quantity allotted.
func ProducerShare(agreement *types.Agreement, k uint16, q uint64) types.Amount {
	quantity := agreement.Goods.Quantity
	q = min(q, quantity)
	paid := agreement.InstalmentsDue(k)
	share := max(paid, agreement.Price.Share(q, quantity)) - paid // what was cut out of the payment is the producer's already
	share += agreement.Bond.Share(q, quantity)
	if q == quantity {
		share += agreement.Deposit
	}
	return share
}

// Allot returns how much of what was read in a slot is a trade's. The claims stand in the order in which their agreements
// were recorded, each served in full before the next; those of the same block share what is left for them pro rata, by
// largest remainder, ties by trade ID. A reading counts for a claim if it was posted by its reading-by; for claims of the
// same block, by the earliest of theirs.
//
// So no later act dilutes an earlier trade, and the shares never add up to more than was read.
func Allot(slot *types.Slot, trade types.TradeID) uint64 {
	at := slices.IndexFunc(slot.Claims, func(c types.Claim) bool { return c.Trade == trade })
	if at < 0 {
		return 0
	}
	var before uint64 // what is claimed ahead of this block
	var peers []types.Claim
	for _, claim := range slot.Claims {
		switch {
		case claim.Height < slot.Claims[at].Height:
			before += claim.Quantity // at most MaxClaims * MaxQuantity, which fits
		case claim.Height == slot.Claims[at].Height:
			peers = append(peers, claim)
		}
	}
	there := readInTime(slot, peers)
	return proRata(peers, there-min(before, there), trade)
}

// readInTime is the quantity that was read in time for all of the claims.
func readInTime(slot *types.Slot, claims []types.Claim) uint64 {
	by := types.MaxTime
	for _, claim := range claims {
		by = min(by, claim.ReadingBy)
	}
	var total uint64
	for _, reading := range slot.Readings {
		if reading.At <= by {
			total += reading.Quantity // at most MaxReadings * MaxQuantity, which fits
		}
	}
	return total
}

// proRata divides what there is among claims, in full if it suffices, else in proportion: each gets its floor, and the
// units left over go to the largest remainders, among equal ones to the smaller trade ID.
func proRata(claims []types.Claim, available uint64, trade types.TradeID) uint64 {
	var claimed uint64
	for _, claim := range claims {
		claimed += claim.Quantity
	}
	available = min(available, claimed)
	left := available
	type share struct {
		trade     types.TradeID
		floor     uint64
		remainder uint64
	}
	shares := make([]share, len(claims))
	for i, claim := range claims {
		floor, remainder := mulDiv(claim.Quantity, available, claimed)
		shares[i] = share{claim.Trade, floor, remainder}
		left -= floor
	}
	slices.SortStableFunc(shares, func(a, b share) int { // claims are in order of trade IDs
		switch {
		case a.remainder > b.remainder:
			return -1
		case a.remainder < b.remainder:
			return 1
		}
		return 0
	})
	for i := range shares {
		if uint64(i) < left {
			shares[i].floor++
		}
		if shares[i].trade == trade {
			return shares[i].floor
		}
	}
	return 0
}
