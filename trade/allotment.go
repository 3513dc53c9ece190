package trade

import (
	"cmp"
	"math/bits"
	"slices"

	"lockstep/types"
)

// Allot returns a trade's part of the quantity that was read in a slot. The claims are in the order in which their agreements
// were recorded, and each is served in full before the next. Claims of the same block share the remaining quantity pro rata, by
// largest remainder, ties by trade ID. A reading counts for a claim if it was posted by its reading-by; for claims of the same
// block, by the earliest reading-by of theirs.
//
// So no later act dilutes an earlier trade, and the shares never add up to more than the quantity read.
func Allot(slot *types.Slot, trade types.TradeID) uint64 {
	at := slices.IndexFunc(slot.Claims, func(c types.Claim) bool { return c.Trade == trade })
	if at < 0 {
		return 0
	}
	var before uint64 // claimed in earlier blocks
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

// AwaitsReading reports whether a reading counts for a trade of a slot at a moment of the ledger clock: up to its reading-by.
func AwaitsReading(slot *types.Slot, clock types.Time) bool {
	return slices.ContainsFunc(slot.Claims, func(c types.Claim) bool { return !Passed(c.ReadingBy, clock) })
}

// readInTime returns the quantity that was read in time for all of the claims.
func readInTime(slot *types.Slot, claims []types.Claim) uint64 {
	by := types.MaxTime
	for _, claim := range claims {
		by = min(by, claim.ReadingBy)
	}
	var total uint64
	for _, reading := range slot.Readings {
		if !Passed(by, reading.At) {
			total += reading.Quantity // at most MaxReadings * MaxQuantity, which fits
		}
	}
	return total
}

// proRata divides the available quantity among claims, in full if it suffices, else in proportion: each gets its floor, and the
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
	// The order is stable and the claims are in order of trade IDs, so equal remainders keep that order.
	slices.SortStableFunc(shares, func(a, b share) int { return cmp.Compare(b.remainder, a.remainder) })
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

// mulDiv returns a*b divided by c, in 128 bits; b <= c. Zero divided by zero is zero.
func mulDiv(a, b, c uint64) (quotient, remainder uint64) {
	if c == 0 {
		return 0, 0
	}
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
