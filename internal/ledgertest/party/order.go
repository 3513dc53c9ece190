package party

import "lockstep/types"

// HoldGrids gives all products lots of one unit and ticks of one, with a deposit and a bond of one for each lot, under hold terms: a test of
// auctions needs no meter.
func HoldGrids() []types.Grid {
	return []types.Grid{{Lot: 1, Tick: 1, Ceiling: 1 << 40, Deposit: 1, Bond: 1, Fallback: &types.Hold{}}}
}

// Order returns an order of the named party whose other parts follow from those given: chain, lot, deposit, bond and terms from the product's
// grid, a smallest fill of a lot, no end, and for a bid the tree of [Tree].
func Order(params *types.Params, name string, order types.Order) types.Order {
	grid, ok := params.Grid(&order.Product)
	if !ok {
		panic("party: no grid fits the product " + order.Product.Commodity)
	}
	order.ChainID, order.Owner, order.Lot, order.Deposit, order.Bond, order.Fallback = params.ChainID, Key(name), grid.Lot, grid.Deposit, grid.Bond, grid.Fallback
	if order.MinFill == 0 {
		order.MinFill = grid.Lot
	}
	if order.Expires == 0 {
		order.Expires = types.MaxTime
	}
	if order.Side == types.Bid {
		order.Root, order.Depth = Tree(name).Root(), TreeDepth
	}
	return order
}

// Release returns the release of a trade that an auction made of a bid of the named party.
func Release(name string, t *types.Trade) types.Release {
	_, leaf, _ := t.Agreement.Match()
	return types.Release{Trade: t.ID(), Instalment: 1, Preimage: LeafSecret(name, leaf), Path: Tree(name).Path(leaf)}
}

// Place returns the actions that issue the stake of an order in euros and place the order. They need the signatures of "issuer" and the owner.
func Place(order types.Order) []types.Action {
	stake, _ := order.Stake()
	return []types.Action{&types.Issue{Asset: Euro(), Amount: stake}, &types.Place{Order: order}}
}
