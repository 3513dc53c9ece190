package sim

import (
	"testing"

	"lockstep/internal/ledger"
)

func TestBalanceFaults(t *testing.T) {
	t.Parallel()
	good := func() (state, api ledger.Sum, accounts []Account) {
		state = ledger.Sum{Issued: 100, Spendable: 80, Locked: 20}
		return state, state, []Account{
			{Name: "Alder", Start: 40, In: 10, Held: 45, Locked: 5},
			{Name: "Elm", Start: 60, Out: 10, Held: 35, Locked: 15},
		}
	}
	if books := balance(good()); !books.Conserved || len(books.Faults) > 0 {
		t.Errorf("good books: %+v", books)
	}
	for name, spoil := range map[string]func(state, api *ledger.Sum, accounts []Account){
		"a unit came":                           func(state, _ *ledger.Sum, _ []Account) { state.Spendable++ },
		"a unit went":                           func(state, _ *ledger.Sum, _ []Account) { state.Locked-- },
		"a stake is counted by the state alone": func(state, _ *ledger.Sum, _ []Account) { state.InOrders++ },
		"a stake is counted by the API alone":   func(_, api *ledger.Sum, _ []Account) { api.InOrders++ },
		"a fee":                                 func(state, _ *ledger.Sum, _ []Account) { state.Fees++ },
		"the API shows more":                    func(_, api *ledger.Sum, _ []Account) { api.Spendable++ },
		"the API locks less":                    func(_, api *ledger.Sum, _ []Account) { api.Locked-- },
		"the API issued more":                   func(_, api *ledger.Sum, _ []Account) { api.Issued++ },
		"more issued, all agree": func(state, api *ledger.Sum, _ []Account) {
			state.Issued++
			api.Issued++
			state.Spendable++
			api.Spendable++
		},
		"a household lost":   func(_, _ *ledger.Sum, accounts []Account) { accounts[0].Held-- },
		"between households": func(_, _ *ledger.Sum, accounts []Account) { accounts[0].In++; accounts[1].In-- },
	} {
		state, api, accounts := good()
		spoil(&state, &api, accounts)
		if books := balance(state, api, accounts); books.Conserved || len(books.Faults) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
}
