package types_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// TestOutpointOfATrade: an address tells the part of the trade that it is of, and no other address tells the same.
func TestOutpointOfATrade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := outpoints.Draw(t, "outpoint")
		id, part, ok := o.Trade()
		if ok != (o.Index >= 1<<31) {
			t.Fatalf("%s: of a trade: %t", o, ok)
		}
		if ok && part != 0 && id.Outpoint(part) != o {
			t.Fatalf("%s and %s are one part of one trade", o, id.Outpoint(part))
		}
		trade, part := draw[types.TradeID](t, "trade"), parts.Draw(t, "part")
		if of, back, ok := trade.Outpoint(part).Trade(); of != trade || back != part || !ok {
			t.Fatalf("the %s of %s has the address of the %s of %s", part, trade, back, of)
		}
	})
}
