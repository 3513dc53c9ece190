package wallet

import (
	"lockstep/trade"
	"lockstep/types"
)

// Admit makes a key a member. The account must be one of the ledger's operators, as for [Draft.Enrol] and [Draft.Retire].
func (d *Draft) Admit(member types.Member) {
	d.act(&types.Admit{Operator: d.account.key, Member: member})
}

// JoinRequest asks the operators of the ledger to admit the account under a name. Now is the wall time.
func (a *Account) JoinRequest(ctx Context, name string, now types.Time) (types.JoinRequest, error) {
	r := types.JoinRequest{ChainID: ctx.Params.ChainID, Member: types.Member{Key: a.key, Name: name}, ValidUntil: now.Add(types.JoinValidity)}
	if err := r.Member.Check(); err != nil {
		return r, err
	}
	r.Signature = a.signMessage(r.Message()).Bytes
	return r, nil
}

// JoinDecline refuses a request to join, for a reason that the newcomer reads. The account must be one of the ledger's operators.
func (a *Account) JoinDecline(ctx Context, request *types.JoinRequest, reason string) (types.JoinDecline, error) {
	d := types.JoinDecline{ChainID: ctx.Params.ChainID, Key: request.Member.Key, ValidUntil: request.ValidUntil, Reason: reason, Operator: a.key}
	d.Signature = a.signMessage(d.Message()).Bytes
	return d, d.Check(ctx.Params.ChainID, ctx.Params.Operators)
}

// Recognise makes an asset one that the ledger recognises, with its smallest output. The account must be one of the ledger's operators.
func (d *Draft) Recognise(asset types.Asset, least types.Amount) error {
	if err := asset.Check(); err != nil {
		return err
	}
	d.act(&types.Recognise{Operator: d.account.key, Asset: asset, Least: least})
	return nil
}

// Unrecognise takes the recognition of an asset back, likewise.
func (d *Draft) Unrecognise(asset types.AssetID) {
	d.act(&types.Unrecognise{Operator: d.account.key, Asset: asset})
}

// Accept opts the account in to an asset that the ledger does not recognise, so that others can pay it in it.
func (d *Draft) Accept(asset types.AssetID) {
	d.act(&types.Accept{Key: d.account.key, Asset: asset})
}

// Decline takes an acceptance back.
func (d *Draft) Decline(asset types.AssetID) {
	d.act(&types.Decline{Key: d.account.key, Asset: asset})
}

// Enrol registers a connection point with its first meter to a member; parent is zero but for a sub-meter.
func (d *Draft) Enrol(owner types.PublicKey, parent types.PointID, meter types.PointMeter) {
	d.act(&types.Enrol{Operator: d.account.key, Owner: owner, Parent: parent, Meter: meter})
}

// Exchange gives a point another meter from a slot in the future on.
func (d *Draft) Exchange(point types.PointID, meter types.PointMeter) {
	d.act(&types.Exchange{Operator: d.account.key, Point: point, Meter: meter})
}

// Retire keeps a point out of new agreements.
func (d *Draft) Retire(point types.PointID) {
	d.act(&types.Retire{Operator: d.account.key, Point: point})
}

// Read records the signed readings of the meter at one of the account's points, for the slot that begins at from.
func (d *Draft) Read(flow types.Flow, from types.Time, records ...types.HexBytes) {
	d.act(&types.Reading{Flow: flow, From: from, Records: records})
}

// Award divides all that a trade has locked, as its arbiter, once confirm-by has passed.
func (d *Draft) Award(id types.TradeID, t *types.Trade, toProducer, toConsumer types.Amount) error {
	if err := checkTrade(id, t); err != nil {
		return err
	}
	if arbiter, ok := t.Agreement.Fallback.(*types.Arbiter); !ok || arbiter.Key != d.account.key {
		return refuse(ReasonNotOurs, "this account, %s, is not the arbiter of trade %s", d.account.key, id)
	}
	award := &types.Award{Trade: id, ToProducer: toProducer, ToConsumer: toConsumer}
	if err := trade.Check(t, award, d.ctx.Clock); err != nil {
		return err
	}
	d.act(award)
	return nil
}
