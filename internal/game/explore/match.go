package explore

import (
	"fmt"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// A scene can begin with the matches of an auction: trades that are paid from the beginning, and under meter terms delivered, with the
// bond of the offer staked.

// gateBefore is how long before the slot the gate closes.
const gateBefore = 2 * board.Window

// matchDeadlines are those of the protocol's section 3, for the slot of the game.
func matchDeadlines() types.Deadlines {
	d := types.Deadlines{PayBy: board.SlotFrom - types.Time(gateBefore), DeliverBy: board.SlotFrom, ReadingBy: board.SlotUntil.Add(board.Window)}
	d.ConfirmBy = d.ReadingBy.Add(board.Window)
	return d
}

// market are the parameters of the scene's auction; without one the ledger holds none.
func (r *rules) market() types.MarketParams {
	if r.Lot == 0 {
		return types.MarketParams{}
	}
	deal := &r.Deals[0]
	lots := types.Amount(deal.TotalQuantity() / r.Lot)
	fallback := types.Fallback(&types.Hold{})
	if deal.Fallback == game.Metered {
		fallback = &types.Meter{}
	}
	return marketWith(types.Grid{
		Lot: r.Lot, Tick: 1, Ceiling: types.LeastTicks, Deposit: deal.Deposit / lots, Bond: deal.Bond / lots, Fallback: fallback,
	}, types.Duration(board.SlotFrom-board.Opening), gateBefore)
}

func marketWith(grid types.Grid, opens, gate types.Duration) types.MarketParams {
	return types.MarketParams{
		Opens: opens, Gate: gate, Reading: board.Window, Confirm: board.Window, MaxOrders: 8, KeyOrders: 2, MaxQuantity: 1 << 10,
		Entry: types.EntryAnyone, Grids: []types.Grid{grid},
	}
}

// matchOf returns the agreement of a deal, as an auction must make it.
func (r *rules) matchOf(i int) (types.Agreement, error) {
	deal, asset := &r.Deals[i], r.board.Money()
	r.product = types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, From: board.SlotFrom, Until: board.SlotUntil, Asset: asset.ID(),
	}
	agreement := deal.Agreement(r.board, buyer(i), deal.deadlines(), types.MatchNonce)
	if deal.TotalQuantity()%r.Lot != 0 || uint64(deal.Price)%(deal.TotalQuantity()/r.Lot) != 0 {
		return agreement, fmt.Errorf("%s is not of whole lots", r.title(i))
	}
	return agreement, nil
}

// otherLeaf is added to the number of a trade in its game: the secret of the leaf beside that of the trade.
const otherLeaf = 40

// matchTree is the tree of digests that a buyer's bid brings. The trade has the first leaf.
func matchTree(i int) types.DigestTree {
	return types.NewDigestTree([]types.Hash{board.Secret(i).Digest(1), board.Secret(otherLeaf + i).Digest(1)})
}

// path leads from the digest of a trade to its lock.
func (r *rules) path(i int) []types.Hash {
	if !r.Deals[i].Matched {
		return nil
	}
	return matchTree(i).Path(0)
}

// auction places the orders of the deals, all at the same limit, and lets the gate pass.
func (x *explorer) auction(at *board.Board, b book) (*board.Board, book, error) {
	var lots uint64
	for i := range x.Deals {
		deal := &x.Deals[i]
		each := deal.TotalQuantity() / x.Lot
		bid := orderOf(at, &x.product, types.Bid, buyer(i), 0, each, deal.Price/types.Amount(each))
		bid.Root, bid.Depth = matchTree(i).Root(), 1
		if err := x.lock(&at, &b, &bid, buyer(i)); err != nil {
			return nil, b, err
		}
		lots += each
	}
	first := &x.Deals[0]
	offer := orderOf(at, &x.product, types.Sell, board.Producer, 0, lots, first.Price/types.Amount(first.TotalQuantity()/x.Lot))
	if err := x.lock(&at, &b, &offer, board.Producer); err != nil {
		return nil, b, err
	}
	at = at.At(x.product.Gate(at.Params) + 1)
	x.onTime(&b, at)
	for i := range x.Deals {
		e, deal := &b.trades[i], &x.Deals[i]
		e.phase, e.rank = types.PhasePaid, 1
		e.locked[types.PartPayment], e.locked[types.PartDeposit], e.locked[types.PartBond] = deal.Price, deal.Deposit, deal.Bond
		if deal.Fallback == game.Metered {
			e.phase, e.placed = types.PhaseDelivered, true
			e.locked[types.PartDeposit], e.locked[types.PartReturn] = 0, deal.Deposit
		}
	}
	return at, b, nil
}

// lock places an order with its stake.
func (x *explorer) lock(at **board.Board, b *book, order *types.Order, by board.Party) error {
	stake, _ := order.Stake()
	m := &move{by: []board.Party{by}}
	var debits [board.Parties]types.Amount
	debits[by] = stake
	body := (*at).Body(&types.Place{Order: *order})
	if !m.fund(*at, &body, nil, debits) {
		return fmt.Errorf("%s can't pay the stake of %s", by, stake)
	}
	m.tx = (*at).Signed(body, m.by...)
	next, err := (*at).Must(m.tx)
	if err != nil {
		return err
	}
	*at, x.setUp = next, append(x.setUp, m.tx)
	b.coins[by] -= stake
	return nil
}

// orderOf returns an order of so many lots with the grid's stakes and terms. A bid brings one digest.
func orderOf(at *board.Board, product *types.Product, side types.Side, by board.Party, number uint8, lots uint64, limit types.Amount) types.Order {
	grid := &at.Params.Market.Grids[0]
	order := types.Order{
		ChainID: at.Params.ChainID, Owner: at.Keys[by], Product: *product, Side: side, Number: number, Quantity: lots * grid.Lot, Lot: grid.Lot,
		Limit: limit, MinFill: grid.Lot, Expires: product.From, Fallback: grid.Fallback, Deposit: grid.Deposit, Bond: grid.Bond,
	}
	switch {
	case side == types.Bid:
		order.Root = board.Secret(int(by)).Digest(1)
	case grid.Metered():
		order.Flow = at.Flow()
	}
	return order
}

// matchScenes are trades that an auction has made: one, and two of one offer.
func matchScenes() (scenes []Scene) {
	deal := func(fallback string, lots types.Amount) Deal {
		return Deal{Terms: game.Terms{
			Value: 11 * lots, Cost: 3 * lots, Price: 7 * lots, Deposit: lots, Bond: 3 * lots, Instalments: 1, Quantity: 3 * uint64(lots),
			Fallback: fallback, Matched: true,
		}}
	}
	for _, scene := range []Scene{
		{Name: "a match, meter", Deals: []Deal{deal(game.Metered, 2)}, Read: []uint64{4, 6}, Outages: 1},
		{Name: "a match, hold", Deals: []Deal{deal(game.Hold, 2)}, Outages: 1},
		{Name: "two matches of one offer, meter", Deals: []Deal{deal(game.Metered, 2), deal(game.Metered, 1)}, Read: []uint64{0, 5, 8, 9}},
		{Name: "two matches of one offer, hold", Deals: []Deal{deal(game.Hold, 2), deal(game.Hold, 1)}},
	} {
		scene.Lot = 3
		for _, honest := range []string{"", "consumer", "producer"} {
			with := scene
			with.Name, with.Honest = scene.Name+", everybody free", honest
			if honest != "" {
				with.Name = scene.Name + ", honest " + honest
			}
			scenes = append(scenes, with)
		}
	}
	return scenes
}
