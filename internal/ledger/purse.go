package ledger

import "lockstep/types"

// A purse holds, in one entry, the sums of an asset that came to a key beyond the coins which it may have, and those that the ledger
// itself pays: the cuts of releases, the shares of splits, settlements and awards. So nobody can make a key's list of coins long. Its
// owner draws any part of it, so that sums which come meanwhile spoil no transaction that the owner has signed.

// receive makes an explicit output: a coin, or if the receiver has as many as it may or the sum is small, a part of its purse.
func (x *execution) receive(at types.Outpoint, output *types.Output) error {
	to := output.Lock.Key
	small, kind, coins := false, types.PurseMerged, x.coinsOf(to)
	var err error
	if x.signedBy(to) { // a key takes any asset by its own signature
		err = x.checkChange(coins, output)
	} else {
		small, kind, err = x.checkGift(to, output)
	}
	if err != nil {
		return err
	}
	if !small && x.hasRoomForCoin(coins) {
		coins.delta++
		x.add(outputKey(at), output)
		return nil
	}
	return x.deposit(to, output.Asset, output.Amount, kind)
}

// checkChange lets a signing stranger to a members' ledger receive no more outputs than it has spent, unless it issues the asset.
func (x *execution) checkChange(coins *coinCount, output *types.Output) error {
	if !x.ofMembers() || coins.delta < coins.parts {
		return nil
	}
	if asset, known := get[types.AssetState](x.State, assetKey(output.Asset)); known && asset.Asset.Issuer == coins.key {
		return nil
	}
	return x.checkEntrant(coins.key)
}

// checkGift checks an output whose receiver does not sign. On a members' ledger it must go to a member, and the receiver must want
// the asset: the ledger recognises it, or the receiver issues it or has accepted it. It returns whether the sum is
// too small for a coin, and the kind of purse that it would open.
func (x *execution) checkGift(to types.PublicKey, output *types.Output) (small bool, kind types.PurseKind, err error) {
	asset, known := get[types.AssetState](x.State, assetKey(output.Asset))
	if known && asset.Asset.Issuer == to {
		return false, types.PurseMerged, nil
	}
	if err := x.checkEntrant(to); err != nil {
		return false, 0, err
	}
	purse, open := get[types.Purse](x.State, purseKey(to, output.Asset))
	switch {
	case known && asset.Recognised != 0:
		small = output.Amount < asset.Least
		if small && !open {
			return false, 0, types.Refuse(types.CodeDust, "%s of %s is below its smallest output of %s", output.Amount, asset.Asset.Code, asset.Least)
		}
		return small, types.PurseMerged, nil
	case open && purse.Kind == types.PurseAccepted:
		return false, types.PurseAccepted, nil
	case x.params.Entries.Unasked == 0:
		return false, 0, types.Refuse(types.CodeUnaccepted, "%s has not accepted asset %s, which this ledger does not recognise", to, output.Asset)
	}
	return false, types.PurseUnasked, nil
}

// deposit puts a sum into a purse, which opens if need be as one of a kind.
func (s *State) deposit(to types.PublicKey, asset types.AssetID, amount types.Amount, kind types.PurseKind) error {
	next := types.Purse{Kind: kind}
	if purse, open := get[types.Purse](s, purseKey(to, asset)); open {
		next = *purse
	} else if kind == types.PurseUnasked {
		if have, most := s.usage(to).Unasked, s.params.Entries.Unasked; have >= uint64(most) {
			return types.Refuse(types.CodeUnaccepted, "%s has %d assets that it did not ask for and has not accepted asset %s", to, have, asset)
		}
		s.editUsage(to, func(u *types.Usage) { u.Unasked++ })
	}
	if err := accumulate(&next.Amount, amount); err != nil {
		return err
	}
	s.put(purseKey(to, asset), &next)
	return nil
}

// payOut gives a party a sum on behalf of an action; the sum comes from a trade. It can be refused: outputs of the same transaction that
// nothing covers may have filled the purse, since the balance is checked last.
func (x *execution) payOut(to types.PublicKey, asset types.AssetID, amount types.Amount) error {
	return x.deposit(to, asset, amount, types.PurseMerged)
}

// draw takes a sum out of a purse. It sees the sums that outputs and earlier actions of the transaction have put in.
func (x *execution) draw(a *types.Draw) error {
	if a.Amount == 0 {
		return types.Refuse(types.CodeAmountZero, "a draw of nothing")
	}
	purse, open := get[types.Purse](x.State, purseKey(a.Key, a.Asset))
	if !open || a.Amount > purse.Amount {
		in := types.Amount(0)
		if open {
			in = purse.Amount
		}
		return types.Refuse(types.CodePurse, "%s is to be drawn from the purse of %s in asset %s, which holds %s", a.Amount, a.Key, a.Asset, in)
	}
	x.need(a.Key)
	x.putPurse(a.Key, a.Asset, types.Purse{Amount: purse.Amount - a.Amount, Kind: purse.Kind})
	return x.credit(a.Asset, a.Amount)
}

// putPurse writes a purse back, or removes it when nothing is in it and its owner has not accepted the asset.
func (s *State) putPurse(owner types.PublicKey, asset types.AssetID, purse types.Purse) {
	if purse.Amount > 0 || purse.Kind == types.PurseAccepted {
		s.put(purseKey(owner, asset), &purse)
		return
	}
	s.remove(purseKey(owner, asset))
	if purse.Kind == types.PurseUnasked {
		s.editUsage(owner, func(u *types.Usage) { u.Unasked-- })
	}
}

// accept opts a key in to an asset. It may come before the asset is issued.
func (x *execution) accept(a *types.Accept) error {
	x.need(a.Key)
	if err := x.checkEntrant(a.Key); err != nil {
		return err
	}
	next := types.Purse{Kind: types.PurseAccepted}
	if purse, open := get[types.Purse](x.State, purseKey(a.Key, a.Asset)); open {
		if purse.Kind == types.PurseAccepted {
			return types.Refuse(types.CodeReplay, "%s has accepted asset %s", a.Key, a.Asset)
		}
		next.Amount = purse.Amount
		if purse.Kind == types.PurseUnasked {
			x.editUsage(a.Key, func(u *types.Usage) { u.Unasked-- })
		}
	}
	if err := checkRoom(a.Key, x.usage(a.Key).Accepted, x.params.Entries.Accepted, "accepted assets"); err != nil {
		return err
	}
	x.editUsage(a.Key, func(u *types.Usage) { u.Accepted++ })
	x.put(purseKey(a.Key, a.Asset), &next)
	return nil
}

// decline takes an acceptance back. The money in the purse stays its owner's.
func (x *execution) decline(a *types.Decline) error {
	x.need(a.Key)
	purse, open := get[types.Purse](x.State, purseKey(a.Key, a.Asset))
	if !open || purse.Kind != types.PurseAccepted {
		return types.Refuse(types.CodeUnaccepted, "%s has not accepted asset %s", a.Key, a.Asset)
	}
	x.editUsage(a.Key, func(u *types.Usage) { u.Accepted-- })
	x.putPurse(a.Key, a.Asset, types.Purse{Amount: purse.Amount, Kind: types.PurseMerged})
	return nil
}
