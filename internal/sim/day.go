package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// playDay plays the slots. Several are under way at once, as on a real market: while one slot runs, the gates of the next ones
// have closed and their energy is paid for, and the books of later ones are open. So it goes in turns, not in slots: in
// each, every household looks at the ledger and does all that it has to do. It ends when the last trade is over, and returns
// the ledger clock of that moment.
func (c *community) playDay(ctx context.Context, progress *progress) (types.Time, error) {
	for {
		status, sights, err := c.look(ctx)
		if err != nil {
			return 0, err
		}
		c.countTrades(sights)
		ended := c.slotsUntil(status.BlockTime)
		progress.show(ended, c)
		if ended == c.slots && c.allOver(sights) {
			return status.Clock, nil
		}
		plans := c.decide(sights)
		if err := together(ctx, plans, c.carryOut); err != nil {
			return 0, err
		}
		if len(plans) == 0 {
			if err := wait(ctx, pause); err != nil {
				return 0, err
			}
		}
	}
}

// pause is how long the households wait when there is nothing to do.
const pause = 20 * time.Millisecond

// quarter is the quarter-hour of the day that a slot stands for. After the last one the day begins again.
func (c *community) quarter(n int) int { return c.played[n%len(c.played)] }

// product is the product of a slot. Its time is real and short; it stands for a quarter-hour of the day.
func (c *community) product(n int) types.Product {
	from := c.begin.Add(types.Duration(n) * c.params.Slot)
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: zone, From: from, Until: from.Add(c.params.Slot), Asset: c.money.ID(),
	}
}

const zone = "community"

// slotsUntil counts the slots that have ended.
func (c *community) slotsUntil(blockTime types.Time) int {
	return min(int(blockTime.Since(c.begin)/c.params.Slot), c.slots)
}

// slotOf is the slot that the goods of an agreement are of.
func (c *community) slotOf(agreement *types.Agreement) int {
	return min(int(agreement.Goods.From.Since(c.begin)/c.params.Slot), c.slots-1)
}

// foreseen is the household's expected surplus or need in a quarter-hour, in Wh.
func (m *member) foreseen(quarter int) (surplus, need uint64) {
	sun, load := m.sun[quarter], m.load[quarter]
	return sun - min(sun, load), load - min(sun, load)
}

// metered is the energy that a member feeds out in a slot, as its gateway measures it.
func (c *community) metered(m *member, n int) uint64 {
	surplus, _ := m.foreseen(c.quarter(n))
	if c.steered(m).cloud.has(n) {
		return surplus * CloudPercent / 100
	}
	return surplus
}

// sight is a household's view, and the context that its wallet needs to act.
type sight struct {
	View
	known wallet.Context
}

// look asks the ledger for the view of every household.
func (c *community) look(ctx context.Context) (wire.Status, []*sight, error) {
	status, err := c.node.Status(ctx)
	if err != nil {
		return status, nil, err
	}
	sights := make([]*sight, len(c.members))
	err = together(ctx, c.members, func(ctx context.Context, m *member) error {
		s := &sight{View: View{Me: m.place, Open: c.open(m, status.BlockTime)}}
		// Coins first: a refund among them is then seen as one, before it is spent and its trade forgotten.
		coins, err := c.coins(ctx, m.account.Key())
		if err != nil {
			return err
		}
		if s.known, err = m.account.Context(ctx); err != nil {
			return err
		}
		s.known.Coins = coins
		for _, coin := range coins {
			s.Purse += coin.Amount
		}
		s.Deals, err = c.deals(ctx, m.account.Key(), &status)
		sights[m.place] = s
		return err
	})
	return status, sights, err
}

// open lists the auctions that take orders now and have none of the household yet, of slots in which it has a wish.
func (c *community) open(m *member, blockTime types.Time) []Outlook {
	var open []Outlook
	for n := m.next; n < c.slots; n++ {
		product, outlook := c.product(n), Outlook{Slot: n}
		outlook.Surplus, outlook.Need = m.foreseen(c.quarter(n))
		switch {
		case blockTime < product.Opens(&c.params):
			return open
		case outlook.Surplus == 0 && outlook.Need == 0:
		case blockTime.Add(c.guard()) > product.Gate(&c.params):
			m.next = n + 1
			c.done.missed.Add(1)
		default:
			open = append(open, outlook)
		}
	}
	return open
}

// guard is the time before a deadline in which a household no longer tries to meet it: a transaction could be too late.
func (c *community) guard() types.Duration { return c.window / 10 }

// deals are the trades of a household that are not over.
func (c *community) deals(ctx context.Context, key types.PublicKey, status *wire.Status) ([]Deal, error) {
	var deals []Deal
	for t, err := range c.node.AllTrades(ctx, key, true) {
		if err != nil {
			return nil, err
		}
		agreement := &t.Trade.Agreement
		deal := Deal{
			ID: t.ID, Phase: t.Phase, Trade: t.Trade, Slot: c.slotOf(agreement),
			Seller: c.places[agreement.Producer], Buyer: c.places[agreement.Consumer],
			Ended:   status.BlockTime >= agreement.Goods.Until,
			Overdue: trade.Passed(agreement.Deadlines.ReadingBy, status.Clock), Expired: trade.Passed(agreement.Deadlines.ConfirmBy, status.Clock),
		}
		var reading reading
		reading, deal.Read = c.members[deal.Seller].readings[deal.Slot]
		deal.Short = reading.short[deal.ID]
		deal.Kept = deal.Slot < c.steered(c.members[deal.Seller]).defaultsFrom
		if c.members[deal.Buyer].account.Key() == key {
			deal.Kept = deal.Slot < c.steered(c.members[deal.Buyer]).withholdsFrom
		}
		deals = append(deals, deal)
	}
	return deals, nil
}

// countTrades counts the trades that were not seen before. None is over before a household sees it.
func (c *community) countTrades(sights []*sight) {
	for place, s := range sights {
		for _, deal := range s.Deals {
			if deal.Seller == place && !c.seen[deal.ID] {
				c.seen[deal.ID] = true
				c.done.trades.Add(1)
			}
		}
	}
}

// allOver tells whether no trade waits for anything any more.
func (c *community) allOver(sights []*sight) bool {
	for _, s := range sights {
		for _, deal := range s.Deals {
			if trade.Running(deal.Phase) {
				return false
			}
		}
	}
	return true
}

// plan is the list of a household's next actions.
type plan struct {
	member  *member
	view    View
	known   wallet.Context
	effects []Effect
}

// decide asks every household.
func (c *community) decide(sights []*sight) []plan {
	var plans []plan
	for place, s := range sights {
		p := plan{member: c.members[place], view: s.View, known: s.known}
		steering := c.steered(p.member)
		house := p.member.Household
		house.Tariff, house.FeedIn = steering.bid, steering.ask
		p.member.memory, p.effects = house.Step(p.member.memory, s.View)
		if steering.byHand { // the meter goes on by itself
			p.effects = slices.DeleteFunc(p.effects, func(e Effect) bool { _, reads := e.(Meter); return !reads })
		}
		if len(p.effects) > 0 {
			plans = append(plans, p)
		}
	}
	return plans
}

// carryOut performs a household's plan. An action that is too late for the ledger is counted and is no error: then the machine is
// too slow for the deadlines, and the household goes without.
func (c *community) carryOut(ctx context.Context, p plan) error {
	err := c.transact(ctx, p)
	switch {
	case tooLate(err):
		c.done.missed.Add(1)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", p.member.Name, err)
	}
	return nil
}

// tooLate reports whether the ledger's clock was quicker than the machine.
func tooLate(err error) bool {
	switch types.CodeOf(err) {
	case types.CodeTooLate, types.CodeBookClosed:
		return true
	}
	return false
}

// transact submits a whole plan at the same time: actions that need a signature in one transaction, signed once;
// releases and settlements, which need none, in one each. The inputs are all the coins that the household has, so money that it
// earned a moment ago is spent again.
func (c *community) transact(ctx context.Context, p plan) error {
	draft := p.member.account.Wallet().Draft(p.known)
	var txs []*types.Tx
	signs, spends := false, false
	for _, effect := range p.effects {
		tx, err := c.draft(draft, p, effect)
		if err != nil {
			return err
		}
		if tx != nil {
			txs = append(txs, tx)
			continue
		}
		signs = true
		if _, order := effect.(Order); order {
			spends = true
		}
	}
	if spends {
		if err := draft.Consolidate(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return together(ctx, txs, func(ctx context.Context, tx *types.Tx) error {
			_, err := c.node.Submit(ctx, tx)
			return err
		})
	})
	if signs {
		group.Go(func() error {
			_, err := p.member.account.Submit(ctx, draft)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	c.remember(p)
	return nil
}

// draft adds an effect to a draft, or returns the transaction of its own that it needs.
func (c *community) draft(draft *wallet.Draft, p plan, effect Effect) (tx *types.Tx, err error) {
	switch e := effect.(type) {
	case Order:
		_, err = draft.Place(c.order(p.member, e), nil)
	case Meter:
		err = c.post(draft, p.member, e.Slot)
	case Confirm:
		return p.member.account.Wallet().Release(p.known, e.Deal.ID, &e.Deal.Trade, e.Deal.Trade.Agreement.Instalments)
	case Close:
		return types.NewSettle(c.params.ChainID, e.Deal.ID), nil
	}
	return nil, err
}

// remember records the actions that are on the ledger now.
func (c *community) remember(p plan) {
	for _, effect := range p.effects {
		switch e := effect.(type) {
		case Order:
			p.member.next = e.Slot + 1
		case Meter:
			p.member.readings[e.Slot] = c.reading(p.member, p.view, e.Slot)
		case Confirm, Close:
		}
	}
}

// order is an order as the ledger takes it. The wallet adds the lot and the stakes of the product.
func (c *community) order(m *member, e Order) types.Order {
	order := types.Order{
		Product: c.product(e.Slot), Side: e.Side, Quantity: e.Quantity, Limit: types.Amount(e.Limit), MinRecord: e.MinRecord,
	}
	if e.Side == types.Sell {
		order.Flow = m.gateway.flow
	}
	return order
}

func wait(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// allTrades are the trades of the day, each once, by the seller's list.
func (c *community) allTrades(ctx context.Context) ([]wire.Trade, error) {
	var trades []wire.Trade
	for _, m := range c.members {
		for trade, err := range c.node.AllTrades(ctx, m.account.Key(), false) {
			if err != nil {
				return nil, err
			}
			if trade.Trade.Agreement.Producer == m.account.Key() {
				trades = append(trades, trade)
			}
		}
	}
	return trades, nil
}
