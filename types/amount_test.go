package types_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

const most = types.MaxAmount

func wide(a types.Amount) *big.Int { return new(big.Int).SetUint64(uint64(a)) }

// fits reports whether a sum computed without bounds is an amount, and which.
func fits(n *big.Int) (types.Amount, bool) { return types.Amount(n.Uint64()), n.IsUint64() }

func TestAmountEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b, sum, difference   types.Amount
		sumFits, differenceFits bool
	}{
		{0, 0, 0, 0, true, true},
		{most, 0, most, most, true, true},
		{most, 1, 0, most - 1, false, true},
		{most, most, 0, 0, false, true},
		{0, 1, 1, 0, true, false},
		{most - 1, 1, most, most - 2, true, true},
		{1 << 63, 1 << 63, 0, 0, false, true},
	} {
		if sum, ok := c.a.Add(c.b); ok != c.sumFits || ok && sum != c.sum {
			t.Errorf("%s+%s = %s, %t", c.a, c.b, sum, ok)
		}
		if difference, ok := c.a.Sub(c.b); ok != c.differenceFits || ok && difference != c.difference {
			t.Errorf("%s-%s = %s, %t", c.a, c.b, difference, ok)
		}
	}
	for _, c := range []struct {
		a           types.Amount
		part, whole uint64
		want        types.Amount
	}{{most, 1, 1, most}, {most, uint64(most), uint64(most), most}, {most, 1, 2, most / 2}, {7, 2, 3, 4}, {0, 1, 1, 0}, {most, 0, 1, 0}, {1, 1023, 1024, 0}} {
		if got := c.a.Share(c.part, c.whole); got != c.want {
			t.Errorf("%s*%d/%d = %s, want %s", c.a, c.part, c.whole, got, c.want)
		}
	}
}

func TestAmountAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := amounts(t, "a"), amounts(t, "b")
		if want, wantOK := fits(new(big.Int).Add(wide(a), wide(b))); true {
			if got, ok := a.Add(b); ok != wantOK || ok && got != want {
				t.Fatalf("%s+%s = %s, %t", a, b, got, ok)
			}
		}
		if want, wantOK := fits(new(big.Int).Sub(wide(a), wide(b))); true {
			if got, ok := a.Sub(b); ok != wantOK || ok && got != want {
				t.Fatalf("%s-%s = %s, %t", a, b, got, ok)
			}
		}
		whole := rapid.Uint64Min(1).Draw(t, "whole")
		part := rapid.Uint64Max(whole).Draw(t, "part")
		product := new(big.Int).Mul(wide(a), new(big.Int).SetUint64(part))
		if got := a.Share(part, whole); wide(got).Cmp(product.Div(product, new(big.Int).SetUint64(whole))) != 0 {
			t.Fatalf("%s*%d/%d = %s, want %s", a, part, whole, got, product)
		}
	})
}

func TestSumAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) types.Amount { return amounts(t, "amount") }), 0, 6).Draw(t, "amounts")
		total := new(big.Int)
		for _, a := range list {
			total.Add(total, wide(a))
		}
		want, wantOK := fits(total)
		if got, ok := types.Sum(list...); ok != wantOK || ok && got != want {
			t.Fatalf("sum of %v = %s, %t", list, got, ok)
		}
	})
}

// A share of more than the whole is a mistake in the program, not in its input.
func TestShareOfNoFraction(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]uint64{{1, 0}, {0, 0}, {3, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("share %d/%d did not panic", c[0], c[1])
				}
			}()
			types.Amount(1).Share(c[0], c[1])
		}()
	}
}

func TestAmountText(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", " 1", "+1", "-1", "01", "1.0", "1e3", "0x10", "1_000", "18446744073709551616", "٣"} {
		var amount types.Amount
		if err := amount.UnmarshalText([]byte(bad)); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v, want malformed; read as %s", bad, err, amount)
		}
	}
	for _, c := range []struct {
		text     string
		decimals uint8
		want     types.Amount
		code     types.Code
	}{
		{"12.05", 2, 1205, types.CodeOK},
		{"12.0500", 2, 1205, types.CodeOK},
		{"12", 2, 1200, types.CodeOK},
		{"0", 18, 0, types.CodeOK},
		{"18.446744073709551615", 18, most, types.CodeOK},
		{"12.055", 2, 0, types.CodeMalformed},
		{"18.446744073709551616", 18, 0, types.CodeMalformed},
		{"19", 18, 0, types.CodeOverflow},
		{"1,5", 2, 0, types.CodeMalformed},
		{"", 2, 0, types.CodeMalformed},
	} {
		got, err := types.ParseAmount(c.text, c.decimals)
		if types.CodeOf(err) != c.code || got != c.want {
			t.Errorf("%q with %d decimals: %s, %v; want %s, %s", c.text, c.decimals, got, err, c.want, c.code)
		}
	}
}
