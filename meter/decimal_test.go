package meter

import (
	"encoding/json"
	"math/big"
	"testing"
)

func mustDecimal(t testing.TB, text string) Decimal {
	t.Helper()
	d, err := ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "00000000.000": "0", "0e40": "0",
		"62500.1270": "62500.127", "2935.600": "2935.6", "000123.450": "123.45",
		"1.606848e7": "16068480", "1.6086276E+7": "16086276", "5e-3": "0.005", "-12.5e-1": "-1.25",
		"0.0000000000000000000000000000000000000001": "0.0000000000000000000000000000000000000001",
		"100": "100", "1e2": "100", "-100": "-100",
	} {
		if d := mustDecimal(t, text); d.String() != want {
			t.Errorf("%s is read as %v", text, d)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", "--1", "1e", "1e+", "1e1.5", "1e41", "1e-41", "1e99999999999999999999", "1,5", " 1", "1 ",
		"0x10", "NaN", "Inf", "1_000", "1e5e5", "１", "1234567890123456789012345678901234567890123456789012345678901",
	} {
		if d, err := ParseDecimal(text); err == nil {
			t.Errorf("%q is read as %v", text, d)
		}
	}
}

func TestDecimalArithmetic(t *testing.T) {
	texts := []string{"0", "1", "-1", "10", "0.1", "0.10", "62500.1271", "1e7", "99999999.999", "-0.003", "1e-40", "1e40"}
	rat := func(text string) *big.Rat { r, _ := new(big.Rat).SetString(text); return r }
	same := func(d Decimal, r *big.Rat) bool { return rat(d.String()).Cmp(r) == 0 }
	for _, a := range texts {
		for _, b := range texts {
			da, db, ra, rb := mustDecimal(t, a), mustDecimal(t, b), rat(a), rat(b)
			if !same(da.Add(db), new(big.Rat).Add(ra, rb)) || !same(da.Sub(db), new(big.Rat).Sub(ra, rb)) || da.Cmp(db) != ra.Cmp(rb) {
				t.Errorf("%s and %s: sum %v, difference %v, order %d", a, b, da.Add(db), da.Sub(db), da.Cmp(db))
			}
			if !same(da, ra) || da.Sign() != ra.Sign() {
				t.Errorf("%s changed or has sign %d", a, da.Sign())
			}
		}
		if d := mustDecimal(t, a); !same(d.Shift(3), new(big.Rat).Mul(rat(a), big.NewRat(1000, 1))) || d.Shift(3).Shift(-3).Cmp(d) != 0 {
			t.Errorf("%s shifted is %v", a, d.Shift(3))
		}
	}
}

func TestDecimalWhole(t *testing.T) {
	tests := []struct {
		text  string
		whole uint64
		ok    bool
	}{
		{"0", 0, true}, {"12.3", 12, true}, {"0.999", 0, true}, {"1e19", 1e19, true},
		{"18446744073709551615.9", 1<<64 - 1, true}, {"18446744073709551616", 0, false}, {"-0.1", 0, false},
	}
	for _, test := range tests {
		if whole, ok := mustDecimal(t, test.text).Whole(); ok != test.ok || ok && whole != test.whole {
			t.Errorf("%s: %d, %t", test.text, whole, ok)
		}
	}
}

func TestDecimalJSON(t *testing.T) {
	if b, err := json.Marshal(mustDecimal(t, "12.30")); err != nil || string(b) != `"12.3"` {
		t.Errorf("%s, %v", b, err)
	}
}

// A number that is accepted has the value that math/big gives it.
func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-1.5e-3", "00012.50", "1e40", "1."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		got, _ := new(big.Rat).SetString(d.String())
		if !ok || got.Cmp(want) != 0 {
			t.Errorf("%q is read as %v", text, d)
		}
		if again := mustDecimal(t, d.Shift(0).String()); again.Cmp(d) != 0 {
			t.Errorf("%v is written and read as %v", d, again)
		}
	})
}
