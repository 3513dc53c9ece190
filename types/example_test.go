package types_test

import (
	"fmt"

	"lockstep/types"
)

// An amount counts smallest units; the asset says how many decimal places they have.
func ExampleAmount_Format() {
	euro := types.Asset{Code: "EUR", Decimals: 2}
	fmt.Println(types.Amount(12345).Format(euro.Decimals), euro.Code)
	_, fits := types.Sum(types.MaxAmount, 1)
	fmt.Println(fits) // sums are checked
	// Output:
	// 123.45 EUR
	// false
}

// A refusal has a code, which programs compare, and a sentence, which people read.
func ExampleCodeOf() {
	_, err := types.DecodeTx([]byte{1, 2, 3})
	fmt.Println(types.CodeOf(err))
	// Output: malformed
}
