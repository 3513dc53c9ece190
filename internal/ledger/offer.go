package ledger

import (
	"lockstep/trade"
	"lockstep/types"
)

// post puts up an offer. If it is staked, its bond is locked with it; else an offer that is not delivered on costs its takers time and
// nothing else.
func (x *execution) post(a *types.Post) error {
	offer := &a.Offer
	if err := offer.Check(&x.params); err != nil {
		return err
	}
	if err := offer.CheckStake(a.Stake); err != nil {
		return err
	}
	if err := x.checkDeadlines(&offer.Deadlines); err != nil {
		return err
	}
	if _, known := get[types.AssetState](x.State, assetKey(offer.Asset)); !known {
		return types.Refuse(types.CodeAssetUnknown, "asset %s", offer.Asset)
	}
	if err := x.checkFlow(offer.Producer, offer.Goods.Flow, offer.Goods.From); err != nil {
		return err
	}
	if err := x.checkEntrant(offer.Producer); err != nil {
		return err
	}
	if err := checkRoom(offer.Producer, x.usage(offer.Producer).Offers, x.params.Entries.Offers, "standing offers"); err != nil {
		return err
	}
	id := offer.ID()
	if _, stands := get[types.StandingOffer](x.State, offerKey(id)); stands {
		return types.Refuse(types.CodeOfferExists, "offer %s", id)
	}
	if a.Stake > 0 {
		if err := x.debit(offer.Asset, a.Stake); err != nil {
			return err
		}
	}
	x.need(offer.Producer)
	x.put(offerKey(id), &types.StandingOffer{Offer: *offer, Remaining: offer.Goods.Quantity, Stake: a.Stake})
	x.editUsage(offer.Producer, func(u *types.Usage) { u.Offers++ })
	x.useAsset(offer.Asset)
	x.put(queueKey(offer.Deadlines.PayBy, queueOffer, id), &mark{})
	x.emit(types.EventOffered, types.Event{Tx: x.tx.ID(), Offer: id}, offer.Producer)
	return nil
}

// cancel withdraws the rest of an offer. The trades made from it stay agreed.
func (x *execution) cancel(a *types.Cancel) error {
	standing, err := x.findOffer(a.Offer)
	if err != nil {
		return err
	}
	x.need(standing.Offer.Producer)
	return x.closeOffer(a.Offer, standing, x.tx.ID())
}

// take agrees to a quantity of an offer and pays for it in the same step (E1).
func (x *execution) take(a *types.Take) error {
	standing, err := x.findOffer(a.Offer)
	if err != nil {
		return err
	}
	if a.Quantity > standing.Remaining || a.Quantity < min(standing.Offer.MinFill, standing.Remaining) {
		return types.Refuse(types.CodeOfferQuantity, "%d of an offer with %d left and a smallest fill of %d",
			a.Quantity, standing.Remaining, standing.Offer.MinFill)
	}
	agreement, err := standing.Offer.Agreement(a.Quantity, a.Consumer, a.Nonce)
	if err != nil {
		return err
	}
	id, err := x.checkAgreement(agreement)
	if err != nil {
		return err
	}
	evidence := x.evidence()
	evidence.InPlace, evidence.Staked = true, standing.Stake > 0
	t, effect, err := trade.Apply(trade.Begin(agreement, x.clock.Height, evidence, x.now),
		&types.Pay{Trade: id, Digest: a.Digest}, evidence, x.now)
	if err != nil {
		return err
	}
	x.beginTrade(agreement)
	if err := x.carryOut(id, placesOf(t), t, &effect); err != nil {
		return err
	}
	rest := &types.StandingOffer{Offer: standing.Offer, Remaining: standing.Remaining - a.Quantity}
	if evidence.Staked {
		rest.Stake = standing.Stake - agreement.Bond // fits: the bond of a larger quantity
	}
	if rest.Remaining == 0 {
		return x.closeOffer(a.Offer, rest, x.tx.ID())
	}
	x.put(offerKey(a.Offer), rest)
	return nil
}

func (x *execution) findOffer(id types.OfferID) (*types.StandingOffer, error) {
	standing, ok := get[types.StandingOffer](x.State, offerKey(id))
	if !ok {
		return nil, types.Refuse(types.CodeOfferUnknown, "offer %s does not stand", id)
	}
	return standing, nil
}

// closeOffer removes an offer. The rest of its stake is the producer's. In a transaction that can be refused, as in payOut.
func (s *State) closeOffer(id types.OfferID, standing *types.StandingOffer, tx types.TxID) error {
	s.remove(offerKey(id))
	s.remove(queueKey(standing.Offer.Deadlines.PayBy, queueOffer, id))
	s.editUsage(standing.Offer.Producer, func(u *types.Usage) { u.Offers-- })
	s.leaveAsset(standing.Offer.Asset)
	if standing.Stake > 0 {
		if err := s.deposit(standing.Offer.Producer, standing.Offer.Asset, standing.Stake, types.PurseMerged); err != nil {
			return err
		}
	}
	s.emit(types.EventOfferClosed, types.Event{Tx: tx, Offer: id}, standing.Offer.Producer)
	return nil
}

func (s *State) expireOffer(id types.OfferID) {
	if standing, ok := get[types.StandingOffer](s, offerKey(id)); ok {
		if err := s.closeOffer(id, standing, types.TxID{}); err != nil {
			panic("ledger: offer " + id.String() + ": " + err.Error()) // all of an asset fits into a purse
		}
	}
}
