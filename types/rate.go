package types

import (
	"math/bits"
	"strconv"
	"strings"
)

// Rate is an exact decimal price of one unit of goods, in smallest units of an asset: Mantissa / 10^Exponent.
// The canonical form has no trailing zero in the mantissa while the exponent is above zero.
type Rate struct {
	_        struct{} `cbor:",toarray"`
	Mantissa uint64
	Exponent uint8
}

// MaxExponent bounds the decimal places of a rate; 10^18 fits 64 bits.
const MaxExponent = 18

func pow10(exponent uint8) uint64 {
	power := uint64(1)
	for range exponent {
		power *= 10
	}
	return power
}

// Canonical reports whether the rate is in its one shortest form.
func (r Rate) Canonical() bool {
	if r.Exponent > MaxExponent {
		return false
	}
	return r.Exponent == 0 || r.Mantissa%10 != 0
}

// Cost returns the rate times quantity, rounded up to a whole smallest unit, or false when it does not fit.
// Rounding up is the protocol's rule for the price and the deposit of a take (section 3).
func (r Rate) Cost(quantity uint64) (Amount, bool) {
	if r.Exponent > MaxExponent {
		return 0, false
	}
	scale := pow10(r.Exponent)
	hi, lo := bits.Mul64(r.Mantissa, quantity)
	lo, carry := bits.Add64(lo, scale-1, 0)
	hi, carry = bits.Add64(hi, 0, carry)
	if carry != 0 || hi >= scale {
		return 0, false
	}
	quotient, _ := bits.Div64(hi, lo, scale)
	return Amount(quotient), true
}

// String writes the rate as a decimal number, such as "0.03".
func (r Rate) String() string {
	text := Amount(r.Mantissa).Format(r.Exponent)
	return text
}

// MarshalText writes the rate as a decimal number.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a decimal number; see [ParseRate].
func (r *Rate) UnmarshalText(text []byte) error {
	rate, err := ParseRate(string(text))
	if err == nil {
		*r = rate
	}
	return err
}

// ParseRate reads a decimal number such as "12", "0.03" or "1.50" (which is 1.5). No sign, no exponent.
func ParseRate(text string) (Rate, error) {
	bad := func() (Rate, error) {
		return Rate{}, Refuse(CodeMalformed, "%q is not a decimal number: write digits with at most one point, such as 0.03", clip(text))
	}
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || point && fraction == "" {
		return bad()
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > MaxExponent {
		return bad()
	}
	for _, digit := range whole + fraction {
		if digit < '0' || digit > '9' {
			return bad()
		}
	}
	mantissa, err := strconv.ParseUint(whole+fraction, 10, 64)
	if err != nil {
		return bad()
	}
	return Rate{Mantissa: mantissa, Exponent: uint8(len(fraction))}, nil
}
