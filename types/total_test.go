package types_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

func TestTotalsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := types.Total{Hi: rapid.Uint64Max(1<<62).Draw(t, "a"), Lo: rapid.Uint64().Draw(t, "a")}
		b := types.Total{Hi: rapid.Uint64Max(1<<62).Draw(t, "b"), Lo: rapid.Uint64().Draw(t, "b")}
		sum := a.Add(b)
		if want := new(big.Int).Add(a.Big(), b.Big()); sum.Big().Cmp(want) != 0 || sum.Sub(b) != a {
			t.Fatalf("%s + %s = %s", a, b, sum)
		}
		var back types.Total
		text, _ := a.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != a {
			t.Fatalf("%s came back as %s: %v", a, back, err)
		}
	})
	for _, bad := range []string{"", "-1", "01", "1.5", "x", "340282366920938463463374607431768211456"} {
		if err := new(types.Total).UnmarshalText([]byte(bad)); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
