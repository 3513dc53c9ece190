package market

import (
	"cmp"
	"math/big"
	"math/bits"
	"strings"

	"lockstep/types"
)

// ComparePrices orders two rates by value, exactly.
func ComparePrices(a, b types.Rate) int {
	if a.Exponent == b.Exponent {
		return cmp.Compare(a.Mantissa, b.Mantissa)
	}
	if a.Exponent > b.Exponent {
		return -ComparePrices(b, a)
	}
	hi, lo := bits.Mul64(a.Mantissa, pow10(b.Exponent-a.Exponent))
	if hi != 0 {
		return 1
	}
	return cmp.Compare(lo, b.Mantissa)
}

func pow10(exponent uint8) uint64 {
	power := uint64(1)
	for range exponent {
		power *= 10
	}
	return power
}

// Decimal writes an exact number that has finitely many decimal places, at most one more than a rate.
func Decimal(r *big.Rat) string {
	text := r.FloatString(types.MaxExponent + 1)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
