package trade_test

import (
	"testing"

	"lockstep/trade"
	"lockstep/types"
)

// FuzzTrade judges every trade that can be decoded: no form of it makes a rule panic.
func FuzzTrade(f *testing.F) {
	sample := sampleTrade()
	f.Add(types.Encode(&sample), uint64(noon))
	f.Fuzz(func(_ *testing.T, encoded []byte, clock uint64) {
		t := new(types.Trade)
		if types.Decode(encoded, t) != nil {
			return
		}
		trade.Moves(t, types.Time(clock))
		trade.Opens(t, t.Released+1, t.Preimage, []types.Hash{t.Digest})
		for part := types.PartPayment; part <= types.PartBond; part++ {
			trade.Owner(t, part, types.Time(clock))
			trade.Entitled(t, part)
		}
	})
}
