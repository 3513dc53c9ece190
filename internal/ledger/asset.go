package ledger

import "lockstep/types"

// An asset stands in the state while any of it is out, the ledger recognises it, or an offer, a book or a record names it.

// putAsset writes an asset back, or removes it when nothing keeps it in the state.
func (s *State) putAsset(id types.AssetID, asset types.AssetState) {
	if asset.Issued > 0 || asset.Recognised != 0 || asset.Uses > 0 {
		s.put(assetKey(id), &asset)
		return
	}
	s.remove(assetKey(id))
	s.editUsage(asset.Asset.Issuer, func(u *types.Usage) { u.Assets-- })
}

// useAsset counts an offer, a book or a record that names an asset. It is false when the asset has left the state.
func (s *State) useAsset(id types.AssetID) bool {
	asset, known := get[types.AssetState](s, assetKey(id))
	if known {
		next := *asset
		next.Uses++
		s.put(assetKey(id), &next)
	}
	return known
}

// leaveAsset counts an offer or a book that is over. Until then it kept the asset in the state.
func (s *State) leaveAsset(id types.AssetID) {
	asset, known := get[types.AssetState](s, assetKey(id))
	if !known {
		panic("ledger: asset " + id.String() + " is in use and not in the state")
	}
	next := *asset
	next.Uses--
	s.putAsset(id, next)
}

// newAsset lets an issuer make an asset known that the ledger does not recognise: a few for each.
func (x *execution) newAsset(asset *types.Asset) error {
	if err := x.checkEntrant(asset.Issuer); err != nil {
		return err
	}
	if err := checkRoom(asset.Issuer, x.usage(asset.Issuer).Assets, x.params.Entries.Assets, "unrecognised assets"); err != nil {
		return err
	}
	x.editUsage(asset.Issuer, func(u *types.Usage) { u.Assets++ })
	return nil
}

// recognise makes an asset one that the ledger recognises, on an operator's word.
func (x *execution) recognise(a *types.Recognise) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := a.Asset.Check(); err != nil {
		return err
	}
	id := a.Asset.ID()
	next := types.AssetState{Asset: a.Asset}
	if asset, known := get[types.AssetState](x.State, assetKey(id)); known {
		next = *asset
		if next.Recognised == 0 {
			x.editUsage(a.Asset.Issuer, func(u *types.Usage) { u.Assets-- })
		}
	}
	if next.Recognised == 0 {
		next.Recognised = x.now
	}
	next.Least = a.Least
	x.put(assetKey(id), &next)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, a.Asset.Issuer)
	return nil
}

// unrecognise takes a recognition back. The asset counts among its issuer's again, be they more than it may have or not.
func (x *execution) unrecognise(a *types.Unrecognise) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	asset, known := get[types.AssetState](x.State, assetKey(a.Asset))
	if !known || asset.Recognised == 0 {
		return types.Refuse(types.CodeAssetUnknown, "asset %s is not recognised", a.Asset)
	}
	next := *asset
	next.Recognised, next.Least = 0, 0
	x.editUsage(next.Asset.Issuer, func(u *types.Usage) { u.Assets++ })
	x.putAsset(a.Asset, next)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, next.Asset.Issuer)
	return nil
}

// issueGenesis makes the assets of genesis known, in the first block. Their first supply is in their issuers' purses.
func (s *State) issueGenesis() {
	for _, genesis := range s.params.Genesis {
		id := genesis.Asset.ID()
		s.put(assetKey(id), &types.AssetState{Asset: genesis.Asset, Issued: genesis.Supply, Recognised: max(s.now, 1), Least: genesis.Least})
		if genesis.Supply > 0 {
			s.put(purseKey(genesis.Asset.Issuer, id), &types.Purse{Amount: genesis.Supply, Kind: types.PurseMerged})
		}
	}
}
