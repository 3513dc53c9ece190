package trade_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/trade"
	"lockstep/types"
)

// The instalments of a price never lose a unit: the last one brings the whole.
func TestDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		agreement := types.Agreement{Price: types.Amount(rapid.Uint64Min(types.MaxInstalments).Draw(t, "price"))}
		agreement.Instalments = rapid.Uint16Range(1, types.MaxInstalments).Draw(t, "N")
		last := types.Amount(0)
		for k := uint16(1); k <= agreement.Instalments; k++ {
			due := trade.Due(&agreement, k)
			if due <= last {
				t.Fatalf("instalment %d of %d of %s brings nothing", k, agreement.Instalments, agreement.Price)
			}
			last = due
		}
		if last != agreement.Price {
			t.Fatalf("all instalments bring %s of %s", last, agreement.Price)
		}
	})
}
