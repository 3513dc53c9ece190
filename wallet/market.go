package wallet

import (
	"slices"

	"lockstep/types"
)

// Place puts an order of the account into the auction of its product and locks its stake. It replaces the account's order of the same
// number, if one is given as a node shows it: then that one's stake is free for the new one. The others are the account's further orders for
// the product: shortly before the gate none may be taken out, not even by one that would meet it. Place fills in fields that are zero: chain,
// owner, a smallest fill of one lot, the begin of the slot as expiry, and the terms of the product's grid. A bid gets the account's tree of
// digests.
func (d *Draft) Place(order types.Order, replaces *types.Order, others ...*types.Order) (types.OrderID, error) {
	params := &d.ctx.Params
	if err := d.complete(&order, replaces); err != nil {
		return types.OrderID{}, err
	}
	if err := order.Check(params); err != nil {
		return types.OrderID{}, err
	}
	if replaces != nil {
		if err := checkReplaced(&order, replaces); err != nil {
			return types.OrderID{}, err
		}
	}
	if err := order.CheckLate(params, d.ctx.BlockTime, func(number uint8) *types.Order {
		for _, own := range slices.Concat(others, []*types.Order{replaces}) {
			if own != nil && own.Owner == order.Owner && own.Number == number && own.Product.ID() == order.Product.ID() {
				return own
			}
		}
		return nil
	}); err != nil {
		return types.OrderID{}, err
	}
	worst, err := AtLimit(params, &order)
	if err != nil {
		return types.OrderID{}, err
	}
	if err := d.account.limits.check(&worst, order.Side == types.Bid); err != nil {
		return types.OrderID{}, err
	}
	if err := d.restake(&order, replaces); err != nil {
		return types.OrderID{}, err
	}
	d.act(&types.Place{Order: order})
	return order.ID(), nil
}

func (d *Draft) complete(order, replaces *types.Order) error {
	if order.ChainID == "" {
		order.ChainID = d.ctx.Params.ChainID
	}
	if order.Owner == (types.PublicKey{}) {
		order.Owner = d.account.key
	}
	if order.Owner != d.account.key {
		return refuse(ReasonNotOurs, "the order is that of %s, this account is %s", order.Owner, d.account.key)
	}
	grid, ok := d.ctx.Params.Grid(&order.Product)
	if !ok {
		return order.Check(&d.ctx.Params) // it says so
	}
	if order.Lot == 0 && order.Fallback == nil {
		order.Lot, order.Deposit, order.Bond, order.Fallback = grid.Lot, grid.Deposit, grid.Bond, grid.Fallback
	}
	if order.MinFill == 0 {
		order.MinFill = grid.Lot
	}
	if order.Expires == 0 {
		order.Expires = order.Product.From
	}
	order.Root, order.Depth = types.Hash{}, 0
	if order.Side == types.Bid && order.Lot > 0 {
		order.Depth = depthOf(order.Lots())
		if replaces != nil { // a tree never shrinks: that would make the bid worse for others
			order.Depth = max(order.Depth, min(replaces.Depth, types.MaxDigestDepth))
		}
		at := &place{order.ChainID, order.Product.ID(), order.Owner, order.Number}
		order.Root = d.account.seed.bidTree(at, order.Depth).Root()
	}
	return nil
}

// checkReplaced refuses to replace an order that is not of the same place.
func checkReplaced(order, old *types.Order) error {
	if old.Owner != order.Owner || old.Number != order.Number || old.Product.ID() != order.Product.ID() {
		return refuse(ReasonMismatch, "an order replaces the one of the same owner, product and number, and no other")
	}
	return nil
}

// restake counts the stake of an order, and that of the one that it replaces.
func (d *Draft) restake(order, replaces *types.Order) error {
	asset := order.Product.Asset
	stake, ok := order.Stake()
	if !ok {
		return types.Refuse(types.CodeOverflow, "%d lots at %s", order.Lots(), order.Limit)
	}
	if replaces != nil {
		if err := d.unstake(replaces); err != nil {
			return err
		}
	}
	if err := d.out.add(asset, stake); err != nil {
		if replaces != nil {
			back, _ := replaces.Stake()
			d.in[asset] -= back
		}
		return err
	}
	return nil
}

// unstake counts in the stake of an order that leaves its book.
func (d *Draft) unstake(order *types.Order) error {
	stake, ok := order.Stake()
	if !ok {
		return refuse(ReasonMismatch, "what the node shows as an order locks more than can be counted: don't trust that node")
	}
	return d.in.add(order.Product.Asset, stake)
}

// Withdraw takes an order of the account out of its book again, as a node shows it. Its stake becomes the account's.
func (d *Draft) Withdraw(order *types.Order) error {
	if order.Owner != d.account.key {
		return refuse(ReasonNotOurs, "the order is that of %s, this account is %s", order.Owner, d.account.key)
	}
	if last := order.Product.Withdrawable(&d.ctx.Params); d.ctx.BlockTime > last {
		return types.Refuse(types.CodeBookClosed, "the order could be withdrawn until %s: until the gate closes at %s it can only be improved",
			d.ctx.moment(last), d.ctx.moment(order.Product.Gate(&d.ctx.Params)))
	}
	if err := d.unstake(order); err != nil {
		return err
	}
	d.act(&types.Withdraw{Product: order.Product.ID(), Owner: order.Owner, Number: order.Number})
	return nil
}
