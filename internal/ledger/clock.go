package ledger

import (
	"lockstep/types"
	"lockstep/types/canon"
)

// Clock is the ledger's time (protocol section 3). Deadlines are kept by Now, which is block time less the outages of the chain, so that an
// outage doesn't make anybody miss one.
type Clock struct {
	Height    uint64         `json:"height"`
	BlockTime types.Time     `json:"block_time"`
	Skew      types.Duration `json:"skew"`    // how far Now is behind block time
	Dust      uint8          `json:"-"`       // hundredths of a millisecond of skew regained but not yet counted
	Stalled   types.Time     `json:"stalled"` // when the clock last went on after an outage, a gap beyond the cap; zero if never
}

// Fields is the stored form, see [canon.Value].
func (c *Clock) Fields(to *canon.Coder) {
	to.Array(5)
	canon.Number(to, "height", &c.Height)
	canon.Number(to, "block time", &c.BlockTime)
	canon.Number(to, "skew", &c.Skew)
	canon.Number(to, "dust", &c.Dust)
	canon.Number(to, "stalled", &c.Stalled)
}

// Now is the moment of the ledger clock. It never goes back.
func (c Clock) Now() types.Time { return c.BlockTime - types.Time(c.Skew) }

// next is the clock of the following block, at a block time. A gap beyond the cap counts as the cap; the lost time
// is regained at one hundredth of the time that passes.
func (c Clock) next(height uint64, blockTime types.Time, limit types.Duration) Clock {
	if c.Height == 0 {
		return Clock{Height: height, BlockTime: blockTime}
	}
	blockTime = max(blockTime, c.BlockTime)
	gap := blockTime.Since(c.BlockTime)
	next := Clock{Height: height, BlockTime: blockTime, Skew: c.Skew, Dust: c.Dust, Stalled: c.Stalled}
	if gap > limit {
		next.Skew += gap - limit
		next.Stalled = next.Now()
		return next
	}
	if next.Skew > 0 {
		credit := gap + types.Duration(next.Dust)
		regained := min(next.Skew, credit/100)
		next.Skew -= regained
		next.Dust = uint8(credit % 100)
	}
	if next.Skew == 0 {
		next.Dust = 0
	}
	return next
}
