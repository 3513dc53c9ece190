package wallet

import (
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// Post puts up an offer of the account. A zero producer, chain or nonce is filled in. A staked offer locks the bond of the whole quantity at
// once: takers see that the offer is meant, and the bond of the rest comes back. Else each take's bond is locked at its delivery.
func (d *Draft) Post(offer types.Offer, staked bool) (types.OfferID, error) {
	if offer.Producer == (types.PublicKey{}) {
		offer.Producer = d.account.key
	}
	if err := d.fill(&offer.ChainID, &offer.Nonce); err != nil {
		return types.OfferID{}, err
	}
	if offer.Producer != d.account.key {
		return types.OfferID{}, refuse(ReasonNotOurs, "the offer is that of %s, this account is %s", offer.Producer, d.account.key)
	}
	if err := offer.Check(&d.ctx.Params); err != nil {
		return types.OfferID{}, err
	}
	if err := checkAhead(&d.ctx, &offer.Goods); err != nil {
		return types.OfferID{}, err
	}
	whole, err := offer.Agreement(offer.Goods.Quantity, types.PublicKey{}, 0)
	if err != nil {
		return types.OfferID{}, err
	}
	if err := d.account.limits.check(whole, false); err != nil {
		return types.OfferID{}, err
	}
	post := &types.Post{Offer: offer}
	if staked {
		post.Stake = whole.Bond
		if err := checkStake(&offer, whole.Bond); err != nil {
			return types.OfferID{}, err
		}
		if err := d.out.add(offer.Asset, post.Stake); err != nil {
			return types.OfferID{}, err
		}
	}
	d.act(post)
	return offer.ID(), nil
}

// checkStake refuses to stake an offer that has no bond, or one that is not in whole units for each unit of goods.
func checkStake(offer *types.Offer, bond types.Amount) error {
	if bond == 0 {
		return types.Refuse(types.CodeTerms, "the offer has no bond that could be locked with it: give it one")
	}
	return offer.CheckStake(bond)
}

// fill sets the fields that a caller may leave to the draft.
func (d *Draft) fill(chainID *string, nonce *uint64) (err error) {
	if *chainID == "" {
		*chainID = d.ctx.Params.ChainID
	}
	if *nonce == 0 {
		*nonce, err = d.account.nonce()
	}
	return err
}

// Cancel withdraws the rest of an offer of the account.
func (d *Draft) Cancel(id types.OfferID, offer *types.Offer) error {
	if err := checkOffer(id, offer); err != nil {
		return err
	}
	if offer.Producer != d.account.key {
		return refuse(ReasonNotOurs, "only %s can cancel this offer, this account is %s", offer.Producer, d.account.key)
	}
	d.act(&types.Cancel{Offer: id})
	return nil
}

func checkOffer(id types.OfferID, offer *types.Offer) error {
	if offer.ID() != id {
		return refuse(ReasonMismatch, "what the node shows as offer %s is not that offer: don't trust that node", id)
	}
	return nil
}

// Take agrees to a quantity of a standing offer and pays for it (E1). The trade that comes of it is named by the
// agreement returned.
func (d *Draft) Take(id types.OfferID, offer *types.Offer, quantity uint64) (*types.Agreement, error) {
	nonce, err := d.account.nonce()
	if err != nil {
		return nil, err
	}
	return d.TakeAs(id, offer, quantity, nonce)
}

// TakeAs is [Draft.Take] with a nonce of the caller's own, below [types.MatchNonce].
func (d *Draft) TakeAs(id types.OfferID, offer *types.Offer, quantity, nonce uint64) (*types.Agreement, error) {
	if err := checkOffer(id, offer); err != nil {
		return nil, err
	}
	agreement, err := offer.Agreement(quantity, d.account.key, nonce)
	if err != nil {
		return nil, err
	}
	if err := checkAhead(&d.ctx, &agreement.Goods); err != nil {
		return nil, err
	}
	if err := d.pay(agreement, (*types.Agreement).Check); err != nil {
		return nil, err
	}
	trade := agreement.ID()
	d.act(&types.Take{
		Offer: id, Consumer: d.account.key, Quantity: quantity, Nonce: nonce,
		Digest: d.account.Digest(trade, agreement.Instalments),
	})
	return agreement, nil
}

// pay counts price and deposit of an agreement of which the account is the consumer, if the limits allow it.
func (d *Draft) pay(agreement *types.Agreement, check func(*types.Agreement, *types.Params) error) error {
	if agreement.Consumer != d.account.key {
		return refuse(ReasonNotOurs, "only the consumer %s pays for this trade, this account is %s", agreement.Consumer, d.account.key)
	}
	if err := check(agreement, &d.ctx.Params); err != nil {
		return err
	}
	if err := d.account.limits.check(agreement, true); err != nil {
		return err
	}
	return d.out.add(agreement.Asset, agreement.Price, agreement.Deposit)
}

// checkAhead refuses to agree on goods whose slot has begun: nobody can hand all of them over any more.
func checkAhead(ctx *Context, goods *types.Goods) error {
	if goods.From != 0 && goods.From < ctx.BlockTime {
		return types.Refuse(types.CodeTooLate, "the slot has begun at %s, and it is %s: choose goods of a later slot", goods.From, ctx.BlockTime)
	}
	return nil
}

// checkAgreement checks the conditions under which the account signs an agreement.
func (a *Account) checkAgreement(ctx *Context, agreement *types.Agreement) error {
	if !a.has(agreement) {
		return refuse(ReasonNotOurs, "the agreement is between %s and %s, this account is %s", agreement.Producer, agreement.Consumer, a.key)
	}
	if err := agreement.Check(&ctx.Params); err != nil {
		return err
	}
	return a.limits.check(agreement, agreement.Consumer == a.key)
}

// Pay locks price and deposit of an agreed trade (E1).
func (d *Draft) Pay(id types.TradeID, t *types.Trade) error {
	if err := checkTrade(id, t); err != nil {
		return err
	}
	if err := trade.May(t, trade.MovePay, d.ctx.Clock); err != nil {
		return err
	}
	if err := d.pay(&t.Agreement, (*types.Agreement).CheckRecorded); err != nil {
		return err
	}
	d.act(&types.Pay{Trade: id, Digest: d.account.Digest(id, t.Agreement.Instalments)})
	return nil
}

// Deliver begins the delivery of a paid trade (E2): the deposit becomes the return, and the account's bond is locked.
func (d *Draft) Deliver(id types.TradeID, t *types.Trade) error {
	if err := checkTrade(id, t); err != nil {
		return err
	}
	agreement := &t.Agreement
	if agreement.Producer != d.account.key {
		return refuse(ReasonNotOurs, "only the producer %s delivers in this trade, this account is %s", agreement.Producer, d.account.key)
	}
	if err := trade.May(t, trade.MoveDeliver, d.ctx.Clock); err != nil {
		return err
	}
	if err := agreement.CheckRecorded(&d.ctx.Params); err != nil {
		return err
	}
	if err := d.account.limits.check(agreement, false); err != nil {
		return err
	}
	staked, _ := t.Find(types.PartBond) // locked already
	if err := d.out.add(agreement.Asset, agreement.Bond-min(staked.Amount, agreement.Bond)); err != nil {
		return err
	}
	d.act(&types.Deliver{Trade: id})
	return nil
}

// checkSplit checks the conditions under which the account proposes a split.
func (a *Account) checkSplit(ctx *Context, split *splitFields, trade *types.Trade) error {
	if !a.has(&trade.Agreement) {
		return refuse(ReasonNotOurs, "trade %s is between others, not of %s", split.Trade, a.key)
	}
	return checkSplit(ctx, split, trade)
}

// checkSplit refuses a split that the ledger would not take now.
func checkSplit(ctx *Context, split *splitFields, t *types.Trade) error {
	if err := checkTrade(split.Trade, t); err != nil {
		return err
	}
	if err := trade.May(t, trade.MoveSplit, ctx.Clock); err != nil {
		return err
	}
	if !slices.Equal(t.Locked, trade.Locks(t)) { // so a node can't make a bad split look good
		return refuse(ReasonMismatch, "trade %s can't have locked what the node shows in this phase: don't trust that node", split.Trade)
	}
	return trade.Check(t, split.action(), ctx.Clock)
}

// Collect spends all parts of a trade that the account owns to its own key: the producer's payment and bond (E4), the consumer's
// return, or its refund. It is never urgent: such coins can also be spent directly.
func (d *Draft) Collect(id types.TradeID, t *types.Trade) error {
	if err := checkTrade(id, t); err != nil {
		return err
	}
	var coins []types.Coin
	for _, locked := range t.Locked {
		if owner, owned := trade.Owner(t, locked.Part, d.ctx.Clock); owned && owner == d.account.key {
			coins = append(coins, types.Coin{
				Outpoint: id.Outpoint(locked.Part), Asset: t.Agreement.Asset, Amount: locked.Amount, Trade: &id, Part: &locked.Part,
			})
		}
	}
	coins = slices.DeleteFunc(coins, func(coin types.Coin) bool { return d.account.reserve.has(coin.Outpoint, d.ctx.BlockTime) })
	if len(coins) == 0 {
		return refuse(ReasonFunds, "nothing of trade %s is this account's to spend now", id)
	}
	d.spent = append(d.spent, coins...)
	return nil
}

// Release makes the transaction that shows the preimage of instalment k (E3): the payment up to it becomes the
// producer's, and with the last one the return the account's. It needs no coins and no signature, and it can't be taken
// back: call it only when the goods are there.
func (a *Account) Release(ctx Context, id types.TradeID, t *types.Trade, k uint16) (*types.Tx, error) {
	if err := checkTrade(id, t); err != nil {
		return nil, err
	}
	agreement := &t.Agreement
	if !ctx.Params.Names(agreement.ChainID) { // the secret would open nothing here, and much on the other ledger
		return nil, types.Refuse(types.CodeChain, "the trade is on chain %q, the node is on %q", agreement.ChainID, ctx.Params.ChainID)
	}
	if agreement.Consumer != a.key {
		return nil, refuse(ReasonNotOurs, "only the consumer %s can release this trade, this account is %s", agreement.Consumer, a.key)
	}
	if err := trade.May(t, trade.MoveRelease, ctx.Clock); err != nil {
		return nil, err
	}
	if err := trade.CheckInstalment(t, k); err != nil {
		return nil, err
	}
	preimage, path, err := a.opening(id, t, k)
	if err != nil {
		return nil, err
	}
	if !trade.Opens(t, k, preimage, path) {
		return nil, notOurLock()
	}
	return types.NewRelease(ctx.Params.ChainID, types.Release{Trade: id, Instalment: k, Preimage: preimage, Path: path}), nil
}

// checkTrade refuses a trade whose agreement is not the one that the ID names: then nothing else shown of it counts.
func checkTrade(id types.TradeID, trade *types.Trade) error {
	if trade.ID() != id {
		return refuse(ReasonMismatch, "what the node shows as trade %s is not that trade: don't trust that node", id)
	}
	return nil
}
