package wallet_test

import (
	"fmt"
	"strings"

	"lockstep/types"
	"lockstep/wallet"
)

// A seed is 24 words, from which all keys and secrets are derived. With an account and the state of the ledger, a draft becomes a signed
// transaction.
func Example() {
	const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " +
		"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"
	seed, err := wallet.ParseWords(words, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	draft := account.Draft(wallet.Context{Params: types.DefaultParams("town"), BlockTime: 1_780_000_000_000, Clock: 1_780_000_000_000})
	if err := draft.Issue(types.Asset{Issuer: account.Key(), Code: "EUR", Decimals: 2}, 500); err != nil {
		fmt.Println(err)
		return
	}
	tx, err := draft.Sign()
	fmt.Println(len(strings.Fields(seed.Words())), "words;", len(tx.Signatures), "signature;", err)
	// Output: 24 words; 1 signature; <nil>
}
