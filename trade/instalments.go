package trade

import "lockstep/types"

// Due returns floor(price*k/N): the part of the price that the producer has once k of N instalments are released.
func Due(a *types.Agreement, k uint16) types.Amount {
	if k >= a.Instalments { // all of it; also for an agreement that no ledger would record
		return a.Price
	}
	return a.Price.Share(uint64(k), uint64(a.Instalments))
}

// CheckInstalment refuses an instalment that is released already or that the agreement does not have.
func CheckInstalment(t *types.Trade, k uint16) error {
	if k <= t.Released || k > t.Agreement.Instalments {
		return types.Refuse(types.CodeInstalment, "instalment %d of %d can't be released, %d are released already", k, t.Agreement.Instalments, t.Released)
	}
	return nil
}

// Opens reports whether a preimage opens instalment k of the trade. It costs one hash for each instalment since the last
// one released and for each hash of the path, so it is false at once when k or the length of the path is wrong.
func Opens(t *types.Trade, k uint16, preimage types.Secret, path []types.Hash) bool {
	if k <= t.Released || k > t.Agreement.Instalments || len(path) != int(t.Depth) {
		return false
	}
	if t.Released == 0 {
		_, leaf, _ := t.Agreement.Match()
		return types.RootOf(preimage.Digest(int(k)), leaf, path) == t.Digest
	}
	return preimage.Digest(int(k-t.Released)) == types.Hash(t.Preimage)
}

// Flowed returns the instalments whose goods came with a quantity of them: instalment k of N is due when k/N of the goods came. It rounds
// down, so a buyer never pays for goods that did not come, and the seller has at most one instalment of the goods unpaid.
func Flowed(a *types.Agreement, quantity uint64) uint16 {
	if a.Goods.Quantity == 0 || quantity >= a.Goods.Quantity {
		return a.Instalments
	}
	return uint16(types.Amount(a.Instalments).Share(quantity, a.Goods.Quantity)) //nolint:gosec // below the number of instalments
}
