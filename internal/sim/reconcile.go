package sim

import (
	"fmt"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// Books are the sums of the community's money, taken in two ways that know nothing of each other: by reading the whole state
// that the node left on its disk, and by asking the API, while it ran, for the balance of each key. Issued = Held + Locked + InOrders,
// and Held = Spendable.
type Books struct {
	Issued    uint64   `json:"issued"`
	Held      uint64   `json:"held"`      // spendable by all keys, each asked of the API
	Spendable uint64   `json:"spendable"` // spendable by any key, counted in the state
	Locked    uint64   `json:"locked"`    // in trades that give it to nobody yet
	InOrders  uint64   `json:"in_orders"` // staked by orders and standing offers
	Fees      uint64   `json:"fees"`
	Conserved bool     `json:"conserved"` // all of it adds up, to the unit
	Faults    []string `json:"faults"`    // sums that do not
}

// balance compares the sums of the state, of the API and of the accounts.
func balance(state, api ledger.Sum, accounts []Account) Books {
	books := Books{
		Issued: uint64(state.Issued), Spendable: uint64(state.Spendable), Locked: uint64(state.Locked), InOrders: uint64(state.InOrders),
		Fees: uint64(state.Fees),
		Held: uint64(api.Spendable), Faults: []string{},
	}
	equal := func(what string, a, b uint64) {
		if a != b {
			books.Faults = append(books.Faults, fmt.Sprintf("%s: %s is not %s", what, euros(a), euros(b)))
		}
	}
	var started, locked uint64
	for i := range accounts {
		a := &accounts[i]
		started, locked = started+a.Start, locked+a.Locked
		equal(a.Name+": start + in - out = held + locked", a.Start+a.In-a.Out, a.Held+a.Locked)
	}
	equal("issued = held + locked + in orders", books.Issued, books.Held+books.Locked+books.InOrders)
	equal("issued = spendable + locked + in orders + fees, in the state", books.Issued, books.Spendable+books.Locked+books.InOrders+books.Fees)
	equal("spendable in the state = held by the API", books.Spendable, books.Held)
	equal("locked in the state = locked by the API", books.Locked, uint64(api.Locked))
	equal("locked in the state = locked by the trades", books.Locked, locked)
	equal("in orders in the state = in orders by the API", books.InOrders, uint64(api.InOrders))
	equal("issued in the state = issued by the API", books.Issued, uint64(api.Issued))
	equal("issued = the purses of the morning", books.Issued, started)
	books.Conserved = len(books.Faults) == 0
	return books
}

// euros writes a sum with all its places.
func euros(sum uint64) string { return types.Amount(sum).Format(moneyDecimals) }
