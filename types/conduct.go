package types

import "math/bits"

// Conduct counts how a key has performed the trades that auctions gave it, in one asset, weighed by price. It informs, and an order can
// demand a minimum; it can be forged by trades with oneself, so nothing of value depends on it alone.
type Conduct struct {
	_ struct{} `cbor:",toarray"`
	// Kept is the price of the trades that the key performed: paid, or delivered and released or read.
	Kept Amount `json:"kept"`
	// Failed is the price of the others: left unpaid, left undelivered, read short, or withheld a release without cause.
	Failed Amount `json:"failed"`

	Fills    uint64 `json:"fills"`    // trades that were released
	Refunds  uint64 `json:"refunds"`  // as producer: paid and not delivered
	Disputes uint64 `json:"disputes"` // settled or awarded, on either side; a split is none, since both wished it
	Excused  uint64 `json:"excused"`  // not counted as failed: the chain stood still meanwhile
}

// Percent is the part that was kept, in hundredths rounded down; without any record it is 0.
func (r *Conduct) Percent() uint8 {
	total := max(uint64(r.Kept), uint64(r.Failed))
	shift := 0
	if bits.LeadingZeros64(total) < 8 { // so that neither the sum nor a hundred times it can overflow
		shift = 8
	}
	kept, failed := uint64(r.Kept)>>shift, uint64(r.Failed)>>shift
	if kept+failed == 0 {
		return 0
	}
	hi, lo := bits.Mul64(kept, 100)
	percent, _ := bits.Div64(hi, lo, kept+failed)
	return uint8(percent)
}

// Saturate adds b and stops at [MaxAmount].
func (a Amount) Saturate(b Amount) Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	return MaxAmount
}
