package ledger

import "lockstep/types"

// issue creates a sum of an asset. The first issue of an asset makes it known to the ledger.
func (x *execution) issue(a *types.Issue) error {
	if err := a.Asset.Check(); err != nil {
		return err
	}
	if a.Amount == 0 {
		return types.Refuse(types.CodeAmountZero, "an issue of nothing")
	}
	id := a.Asset.ID()
	next := types.AssetState{Asset: a.Asset}
	if known, ok := get[types.AssetState](x.State, assetKey(id)); ok {
		next = *known
	} else if err := x.newAsset(&a.Asset); err != nil {
		return err
	}
	var fits bool
	if next.Issued, fits = next.Issued.Add(a.Amount); !fits {
		return types.Refuse(types.CodeSupply, "of %s, %s more would be beyond 2^64-1 in all", a.Asset.Code, a.Amount)
	}
	if err := x.credit(id, a.Amount); err != nil {
		return err
	}
	x.need(a.Asset.Issuer)
	x.put(assetKey(id), &next)
	x.emit(types.EventIssued, types.Event{Tx: x.tx.ID()}, a.Asset.Issuer)
	return nil
}

// redeem takes a sum out of the ledger. Fees can't be redeemed: no input holds them.
func (x *execution) redeem(a *types.Redeem) error {
	if a.Amount == 0 {
		return types.Refuse(types.CodeAmountZero, "a redemption of nothing")
	}
	known, ok := get[types.AssetState](x.State, assetKey(a.Asset))
	if !ok {
		return types.Refuse(types.CodeAssetUnknown, "asset %s", a.Asset)
	}
	next := *known
	if next.Issued, ok = next.Issued.Sub(a.Amount); !ok {
		return types.Refuse(types.CodeSupply, "of %s, only %s is out", known.Asset.Code, known.Issued)
	}
	if err := x.debit(a.Asset, a.Amount); err != nil {
		return err
	}
	x.need(known.Asset.Issuer)
	x.putAsset(a.Asset, next)
	x.emit(types.EventRedeemed, types.Event{Tx: x.tx.ID()}, known.Asset.Issuer)
	return nil
}
