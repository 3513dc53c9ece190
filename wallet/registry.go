package wallet

import "lockstep/types"

// Admit makes a key a member. The account must be one of the ledger's operators, as for [Draft.Enrol] and [Draft.Retire].
func (d *Draft) Admit(member types.Member) {
	d.act(&types.Admit{Operator: d.account.key, Member: member}, d.account.key)
}

// Enrol registers a meter to a member.
func (d *Draft) Enrol(meter types.RegisteredMeter) {
	d.act(&types.Enrol{Operator: d.account.key, Meter: meter}, d.account.key)
}

// Retire keeps a meter out of new agreements.
func (d *Draft) Retire(meter types.MeterID) {
	d.act(&types.Retire{Operator: d.account.key, Meter: meter}, d.account.key)
}

// Read records what one of the account's meters signed.
func (d *Draft) Read(gauge types.Gauge, records ...types.HexBytes) {
	d.act(&types.Reading{Gauge: gauge, Records: records}, d.account.key)
}

// Award divides all that a trade has locked, as its arbiter, once confirm-by has passed.
func (d *Draft) Award(id types.TradeID, trade *types.Trade, toProducer, toConsumer types.Amount) error {
	if err := checkTrade(id, trade); err != nil {
		return err
	}
	if arbiter, ok := trade.Agreement.Fallback.(*types.Arbiter); !ok || arbiter.Key != d.account.key {
		return refuse(ReasonNotOurs, "this account, %s, is not the arbiter of trade %s", d.account.key, id)
	}
	if err := checkShares(trade, toProducer, toConsumer); err != nil {
		return err
	}
	d.act(&types.Award{Trade: id, ToProducer: toProducer, ToConsumer: toConsumer}, d.account.key)
	return nil
}
