package ledger_test

import (
	"math"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestAFullPurseRefusesAStake: outputs that nothing covers fill the producer's purse, since the balance is checked last. The stake of an
// offer that ends in the same transaction has no room there then: the transaction is refused.
func TestAFullPurseRefusesAStake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.params.Entries.Coins = 2
	coins := w.mint(5000, "peter")
	offer := w.offer()
	offer.Bond = types.Rate{Mantissa: 2}
	body := w.body(&types.Post{Offer: offer, Stake: 2000})
	body.Inputs, body.Outputs = coins, []types.Output{party.Output("peter", 1), party.Output("peter", 2999)}
	w.must(party.Sign(body, "peter"))
	cancel := w.body(&types.Cancel{Offer: offer.ID()})
	cancel.Outputs = []types.Output{party.Output("peter", math.MaxUint64)}
	w.want(types.CodeOverflow, party.Sign(cancel, "peter"))
	w.must(party.Sign(w.body(&types.Cancel{Offer: offer.ID()}), "peter"))
	if got := w.has("peter"); got != 5000 {
		t.Errorf("peter has %s", got)
	}
}
