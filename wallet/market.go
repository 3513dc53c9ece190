package wallet

import (
	"lockstep/types"
)

// Place puts an order of the account into the auction of its product. It fills in fields that are zero: chain,
// owner, a smallest fill of 1, the begin of the slot as expiry, and for deposit and bond the account's limits.
func (d *Draft) Place(order types.Order) (types.OrderID, error) {
	d.complete(&order)
	if order.Owner != d.account.key {
		return types.OrderID{}, refuse(ReasonNotOurs, "the order is that of %s, this account is %s", order.Owner, d.account.key)
	}
	if err := order.Check(&d.ctx.Params); err != nil {
		return types.OrderID{}, err
	}
	for _, terms := range order.Accepts {
		worst, err := order.Agreement(&d.ctx.Params, terms)
		if err != nil {
			return types.OrderID{}, err
		}
		if err := d.account.limits.check(&worst, order.Side == types.Bid); err != nil {
			return types.OrderID{}, err
		}
	}
	d.act(&types.Place{Order: order})
	return order.ID(), nil
}

func (d *Draft) complete(order *types.Order) {
	if order.ChainID == "" {
		order.ChainID = d.ctx.Params.ChainID
	}
	if order.Owner == (types.PublicKey{}) {
		order.Owner = d.account.key
	}
	if order.MinFill == 0 {
		order.MinFill = 1
	}
	if order.Expires == 0 {
		order.Expires = order.Product.From
	}
	if order.Deposit == (types.Range{}) {
		order.Deposit = types.Range{Most: types.WholePrice}
		if order.Side == types.Bid {
			order.Deposit.Most = uint16(min(d.account.limits.MaxDeposit, types.WholePrice))
		}
	}
	if order.Bond == (types.Range{}) {
		order.Bond = types.Range{Most: types.WholePrice}
		if order.Side == types.Bid {
			order.Bond.Least = uint16(min(d.account.limits.MinBond, types.WholePrice))
		}
	}
}

// Withdraw takes an order of the account out of its book again.
func (d *Draft) Withdraw(product types.ProductID, number uint8) {
	d.act(&types.Withdraw{Product: product, Owner: d.account.key, Number: number})
}
