package meter

import (
	"math/big"
	"strings"
)

// Bounds of a number as written. A register has some ten digits; the bounds only keep a hostile exponent from costing
// memory.
const (
	maxDigits   = 60
	maxExponent = 40
)

// A Decimal is an exact decimal number. The zero value is 0, and a Decimal never changes, so copies may share.
type Decimal struct {
	// The number is coef / 10^scale in lowest terms: scale is 0, or coef does not end in 0. A nil coef is 0.
	coef  *big.Int
	scale int
}

// ParseDecimal reads a number as JSON writes it, or with leading zeros as meters write strings ("00000123.450"). Its
// error has code [CodeReadings].
func ParseDecimal(text string) (Decimal, error) {
	digits, negative := strings.CutPrefix(text, "-")
	exponent := 0
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		var ok bool
		if exponent, ok = parseExponent(digits[i+1:]); !ok {
			return Decimal{}, refuse(CodeReadings, "%.80q has an exponent that is malformed or beyond ±%d", text, maxExponent)
		}
		digits = digits[:i]
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if !allDigits(whole) || point && !allDigits(fraction) {
		return Decimal{}, refuse(CodeReadings, "%.80q is not a decimal number", text)
	}
	if len(whole)+len(fraction) > maxDigits {
		return Decimal{}, refuse(CodeReadings, "%.80q has more than %d digits", text, maxDigits)
	}
	coef, _ := new(big.Int).SetString(whole+fraction, 10)
	if negative {
		coef.Neg(coef)
	}
	return newDecimal(coef, len(fraction)-exponent), nil
}

func parseExponent(text string) (int, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	if !allDigits(digits) {
		return 0, false
	}
	n := 0
	for _, d := range []byte(digits) {
		if n = 10*n + int(d-'0'); n > maxExponent {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// newDecimal takes coef over and brings it to lowest terms.
func newDecimal(coef *big.Int, scale int) Decimal {
	if coef.Sign() == 0 {
		return Decimal{}
	}
	if scale < 0 {
		return Decimal{coef: coef.Mul(coef, powerOfTen(-scale))}
	}
	ten, quotient, rest := big.NewInt(10), new(big.Int), new(big.Int)
	for scale > 0 {
		if quotient.QuoRem(coef, ten, rest); rest.Sign() != 0 {
			break
		}
		coef, quotient = quotient, coef
		scale--
	}
	return Decimal{coef: coef, scale: scale}
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// at is the coefficient of d at a scale that is at least its own.
func (d Decimal) at(scale int) *big.Int {
	if d.coef == nil {
		return new(big.Int)
	}
	return new(big.Int).Mul(d.coef, powerOfTen(scale-d.scale))
}

// Add returns d + e.
func (d Decimal) Add(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	sum := d.at(scale)
	return newDecimal(sum.Add(sum, e.at(scale)), scale)
}

// Sub returns d - e.
func (d Decimal) Sub(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	difference := d.at(scale)
	return newDecimal(difference.Sub(difference, e.at(scale)), scale)
}

// Mul returns d times e.
func (d Decimal) Mul(e Decimal) Decimal {
	product := d.at(d.scale)
	return newDecimal(product.Mul(product, e.at(e.scale)), d.scale+e.scale)
}

// Abs returns d without its sign.
func (d Decimal) Abs() Decimal {
	if d.Sign() < 0 {
		return Decimal{}.Sub(d)
	}
	return d
}

// Shift returns d times 10 to the n.
func (d Decimal) Shift(n int) Decimal { return newDecimal(d.at(d.scale), d.scale-n) }

// Cmp is -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	scale := max(d.scale, e.scale)
	return d.at(scale).Cmp(e.at(scale))
}

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	if d.coef == nil {
		return 0
	}
	return d.coef.Sign()
}

// Whole is d rounded down to a whole number; false if d is negative or beyond 64 bits.
func (d Decimal) Whole() (uint64, bool) {
	if d.Sign() < 0 {
		return 0, false
	}
	whole := d.at(d.scale)
	whole.Quo(whole, powerOfTen(d.scale))
	return whole.Uint64(), whole.IsUint64()
}

// String writes d in full: no exponent, no needless zeros.
func (d Decimal) String() string {
	if d.coef == nil {
		return "0"
	}
	digits, sign := d.coef.String(), ""
	if d.coef.Sign() < 0 {
		digits, sign = digits[1:], "-"
	}
	if d.scale == 0 {
		return sign + digits
	}
	if missing := d.scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - d.scale
	return sign + digits[:point] + "." + digits[point:]
}

// MarshalText writes a Decimal as a string in JSON, so that no reader rounds it.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// wattHours is n as a Decimal.
func wattHours(n uint64) Decimal { return newDecimal(new(big.Int).SetUint64(n), 0) }
