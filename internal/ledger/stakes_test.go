package ledger

import (
	"slices"
	"testing"

	"lockstep/types"
)

// TestStakesOfHeldPage: a page of an auction takes off the money that its orders use and adds the money that its matches lock, by the price of each match's round; an
// order that uses nothing has no stake. A reader may stop after any of them.
func TestStakesOfHeldPage(t *testing.T) {
	t.Parallel()
	asset := types.AssetID{9}
	idle, buyer, seller, other := types.PublicKey{1}, types.PublicKey{2}, types.PublicKey{3}, types.PublicKey{4}
	page := &heldPage{
		Orders: []heldOrder{{Owner: idle}, {Owner: buyer, Used: 46}, {Owner: seller, Used: 1}},
		Round:  3, Rounds: []types.Round{{Price: 7}, {Price: 9}},
		Matches: []heldMatch{{Consumer: buyer, Producer: seller, Round: 3, Lots: 2}, {Consumer: buyer, Producer: other, Round: 4, Lots: 3}},
		Asset:   asset, Deposit: 1, Bond: 2,
	}
	less := func(amount types.Amount) types.Amount { return -amount }
	want := []Stake{
		{buyer, asset, less(46)}, {seller, asset, less(1)},
		{buyer, asset, 2 * (7 + 1)}, {seller, asset, 2 * 2}, {buyer, asset, 3 * (9 + 1)}, {other, asset, 3 * 2},
	}
	if got := slices.Collect(Stakes(page)); !slices.Equal(got, want) {
		t.Errorf("the stakes are %v, want %v", got, want)
	}
	for most := range want {
		var got []Stake
		for stake := range Stakes(page) { // it panics if it goes on after its end
			if got = append(got, stake); len(got) > most {
				break
			}
		}
		if !slices.Equal(got, want[:most+1]) {
			t.Errorf("the first %d stakes are %v", most+1, got)
		}
	}
}
