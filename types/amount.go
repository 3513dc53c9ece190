package types

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Amount is a sum of one asset, in the asset's smallest unit. Sums never wrap: use [Amount.Add] and [Amount.Sub].
// In JSON and text it is a decimal string, since JSON numbers lose precision beyond 2^53.
type Amount uint64

// MaxAmount is the largest amount that can be written, and so the most that can ever be issued of one asset.
const MaxAmount = Amount(math.MaxUint64)

// Add returns a+b, or false when the sum does not fit.
func (a Amount) Add(b Amount) (Amount, bool) {
	sum, carry := bits.Add64(uint64(a), uint64(b), 0)
	return Amount(sum), carry == 0
}

// Sub returns a-b, or false when b is larger than a.
func (a Amount) Sub(b Amount) (Amount, bool) {
	return a - b, b <= a
}

// Share returns floor(a*part/whole), computed in 128 bits. It requires part <= whole and whole > 0, so it always fits.
func (a Amount) Share(part, whole uint64) Amount {
	if whole == 0 || part > whole {
		panic(fmt.Sprintf("types: share %d/%d is not a fraction", part, whole))
	}
	hi, lo := bits.Mul64(uint64(a), part)
	quotient, _ := bits.Div64(hi, lo, whole)
	return Amount(quotient)
}

// Sum adds up amounts, or returns false when the sum does not fit.
func Sum(amounts ...Amount) (Amount, bool) {
	var total Amount
	for _, a := range amounts {
		var ok bool
		if total, ok = total.Add(a); !ok {
			return 0, false
		}
	}
	return total, true
}

// String is the plain decimal number of smallest units.
func (a Amount) String() string { return strconv.FormatUint(uint64(a), 10) }

// MarshalText writes the amount as a decimal number of smallest units.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a decimal number of smallest units: digits only, no sign, no leading zero.
func (a *Amount) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || Amount(n).String() != string(text) {
		return Refuse(CodeMalformed, "%q is not an amount: write a whole number of smallest units, up to %d", clip(text), uint64(MaxAmount))
	}
	*a = Amount(n)
	return nil
}

// MaxDecimals is the most decimal places an asset can have; a whole unit of 10^18 still fits an Amount.
const MaxDecimals = 18

// Format writes the amount with the asset's decimal places, such as "12.05" for 1205 with 2.
func (a Amount) Format(decimals uint8) string {
	digits := a.String()
	if decimals == 0 {
		return digits
	}
	for len(digits) <= int(decimals) {
		digits = "0" + digits
	}
	point := len(digits) - int(decimals)
	return digits[:point] + "." + digits[point:]
}

// ParseAmount reads the text of [Amount.Format]; fewer decimal places than the asset has are filled with zeros,
// more are refused rather than rounded.
func ParseAmount(text string, decimals uint8) (Amount, error) {
	rate, err := ParseRate(text)
	if err != nil {
		return 0, Refuse(CodeMalformed, "%q is not an amount: write a number such as 12.05, with up to %d decimal places, of at most %d smallest units", clip(text), decimals, uint64(MaxAmount))
	}
	if rate.Exponent > decimals {
		return 0, Refuse(CodeMalformed, "%q has more than the %d decimal places of the asset", clip(text), decimals)
	}
	for range decimals - rate.Exponent {
		hi, lo := bits.Mul64(rate.Mantissa, 10)
		if hi != 0 {
			return 0, Refuse(CodeOverflow, "%q is more than the ledger can count", clip(text))
		}
		rate.Mantissa = lo
	}
	return Amount(rate.Mantissa), nil
}
