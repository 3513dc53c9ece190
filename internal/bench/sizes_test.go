package bench

import (
	"testing"

	"lockstep/types"
)

// TestSizes bounds the bytes of orders and trades: 100,000 orders of a product must stay small.
func TestSizes(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	rules := cityRules(leastHouseholds)
	o.rules = &rules
	c := newCity(&o, leastHouseholds)
	s, err := c.sizes(c.households[0], c.households[1], types.Time(1_800_000_000_000))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s)
	for name, size := range map[string][2]int{
		"bid": {s.BidTx, 700}, "offer": {s.OfferTx, 700}, "placed bid": {s.Bid, 460}, "placed offer": {s.Offer, 460}, "trade": {s.Trade, 560}, "claim": {s.Claim, 60},
	} {
		if size[0] == 0 || size[0] > size[1] {
			t.Errorf("a %s has %d bytes, more than %d", name, size[0], size[1])
		}
	}
	for depth := range s.ReleaseTxs {
		const hash = 2 + 32 // with its length
		// From 256 bytes on, the length of the body takes one more.
		if more := s.ReleaseTxs[depth] - s.ReleaseTxs[0]; len(s.ReleaseTxs) != types.MaxDigestDepth+1 || more < hash*depth || more > hash*depth+1 {
			t.Errorf("a release of a tree %d deep has %d bytes more than one without a path", depth, more)
		}
	}
}
