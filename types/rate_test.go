package types_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

func TestRateCostAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := types.Rate{Mantissa: rapid.Uint64().Draw(t, "mantissa"), Exponent: rapid.Uint8Max(types.MaxExponent).Draw(t, "exponent")}
		quantity := rapid.Uint64().Draw(t, "quantity")
		cost, scale := new(big.Int), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(rate.Exponent)), nil)
		cost.Mul(new(big.Int).SetUint64(rate.Mantissa), new(big.Int).SetUint64(quantity))
		cost.Add(cost, scale).Sub(cost, big.NewInt(1)).Div(cost, scale) // rounded up
		want, wantOK := fits(cost)
		if got, ok := rate.Cost(quantity); ok != wantOK || ok && got != want {
			t.Fatalf("%d times %s = %s, %t; want %s", quantity, rate, got, ok, cost)
		}
	})
}

func TestRateCostEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate     types.Rate
		quantity uint64
		want     types.Amount
		ok       bool
	}{
		{types.Rate{Mantissa: 3, Exponent: 2}, 0, 0, true},
		{types.Rate{Mantissa: 3, Exponent: 2}, 1, 1, true},
		{types.Rate{Mantissa: 3, Exponent: 2}, 100, 3, true},
		{types.Rate{Mantissa: 3, Exponent: 2}, 101, 4, true},
		{types.Rate{Mantissa: 1, Exponent: 18}, uint64(most), 19, true},
		{types.Rate{Mantissa: uint64(most)}, 1, most, true},
		{types.Rate{Mantissa: uint64(most)}, 2, 0, false},
		{types.Rate{Mantissa: uint64(most), Exponent: 1}, 10, most, true},
		{types.Rate{Mantissa: uint64(most), Exponent: 18}, uint64(most), 0, false},
		{types.Rate{Mantissa: 1, Exponent: 19}, 1, 0, false},
	} {
		if got, ok := c.rate.Cost(c.quantity); ok != c.ok || ok && got != c.want {
			t.Errorf("%d times %s = %s, %t; want %s, %t", c.quantity, c.rate, got, ok, c.want, c.ok)
		}
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]types.Rate{
		"12": {Mantissa: 12}, "0.03": {Mantissa: 3, Exponent: 2}, "1.50": {Mantissa: 15, Exponent: 1}, "0.00": {}, "10.0": {Mantissa: 10},
		"0.000000000000000001": {Mantissa: 1, Exponent: 18},
	} {
		if got, err := types.ParseRate(text); err != nil || got != want || !got.Canonical() {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e3", "1_0", "0.0000000000000000001", "18446744073709551616", "٣", "1 "} {
		if got, err := types.ParseRate(bad); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v, want malformed; read as %s", bad, err, got)
		}
	}
	for _, long := range []types.Rate{{Mantissa: 10, Exponent: 1}, {Exponent: 1}, {Mantissa: 1, Exponent: 19}} {
		if long.Canonical() {
			t.Errorf("%+v passes for the shortest form", long)
		}
	}
}
