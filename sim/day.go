package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"lockstep/api/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// playSlot plays one quarter-hour: offer, take and pay, deliver, release, look back. All that is done in a moment is on the
// ledger before the next begins.
func (c *community) playSlot(ctx context.Context, slot int, turns []int, tally *tally) error {
	for moment := Offering; moment <= Looking; moment++ {
		sights, err := c.look(ctx, slot, moment)
		if err != nil {
			return err
		}
		plans := c.decide(sights, turns)
		if err := together(ctx, plans, func(ctx context.Context, p plan) error { return c.carryOut(ctx, slot, p, tally) }); err != nil {
			return fmt.Errorf("quarter-hour %d: %w", slot, err)
		}
	}
	return nil
}

// turns is the order in which households choose in a slot: drawn by lot, the same for the same seed.
func turns(seed uint64, slot, households int) []int {
	return rand.New(rand.NewPCG(seed, uint64(slot)+1)).Perm(households)
}

// balance is what the household makes more than it uses in a slot, or uses more than it makes, in Wh.
func (m *member) balance(slot int) (surplus, need uint64) {
	sun, load := m.sun[slot], m.load[slot]
	return sun - min(sun, load), load - min(sun, load)
}

// idle reports whether nobody has a surplus in the slot, so that nothing can happen.
func (c *community) idle(slot int) bool {
	for _, m := range c.members {
		if surplus, _ := m.balance(slot); surplus > 0 {
			return false
		}
	}
	return true
}

// sight is what a household sees, and what its wallet needs for acting on it.
type sight struct {
	View
	known wallet.Context
}

// look asks the ledger for what every household sees in a moment. Who has nothing to decide in it has no sight.
func (c *community) look(ctx context.Context, slot int, moment Moment) ([]*sight, error) {
	var quotes []Quote
	if moment == Taking {
		var err error
		if quotes, err = c.quotes(ctx, slot); err != nil {
			return nil, err
		}
	}
	places := make([]int, len(c.members))
	for place := range places {
		places[place] = place
	}
	sights := make([]*sight, len(c.members))
	err := together(ctx, places, func(ctx context.Context, place int) error {
		m := c.members[place]
		s := &sight{View: View{Slot: slot, Moment: moment, Me: place, Quotes: quotes}}
		s.Surplus, s.Need = m.balance(slot)
		idle := moment == Offering && s.Surplus == 0 || moment == Taking && s.Need == 0 || moment == Delivering && s.Surplus == 0
		if idle {
			return nil
		}
		var err error
		if moment >= Delivering {
			if s.Deals, err = c.deals(ctx, slot, m.account.Key()); err != nil || len(s.Deals) == 0 {
				return err
			}
		}
		if sights[place] = s; moment == Looking {
			return nil
		}
		s.known, err = c.context(ctx, m.account)
		s.Purse = c.spendable(s.known.Holdings)
		return err
	})
	return sights, err
}

// quotes are the offers that stand for a slot, by the seller's place: the ledger lists them by their hash.
func (c *community) quotes(ctx context.Context, slot int) ([]Quote, error) {
	from, _ := c.profile.Slot(slot)
	bySeller := make([][]Quote, len(c.members))
	for offer, err := range c.node.AllOffers(ctx) {
		if err != nil {
			return nil, err
		}
		if seller, ours := c.places[offer.Offer.Producer]; ours && offer.Offer.Goods.From == from {
			bySeller[seller] = append(bySeller[seller], Quote{ID: offer.ID, Seller: seller, Terms: offer.Offer, Left: offer.Remaining})
		}
	}
	var quotes []Quote
	for _, own := range bySeller {
		quotes = append(quotes, own...)
	}
	return quotes, nil
}

// dealsPage holds all trades of a household in a slot: at most one with each other household and each offer.
const dealsPage = 200

// deals are the trades of a household in a slot.
func (c *community) deals(ctx context.Context, slot int, key types.PublicKey) ([]Deal, error) {
	page, err := c.node.Trades(ctx, key, true, "", dealsPage)
	if err != nil {
		return nil, err
	}
	from, _ := c.profile.Slot(slot)
	var deals []Deal
	for _, trade := range page.Trades {
		agreement := &trade.Trade.Agreement
		if agreement.Goods.From == from {
			deals = append(deals, Deal{
				ID: trade.ID, Phase: trade.Phase, Trade: trade.Trade,
				Seller: c.places[agreement.Producer], Buyer: c.places[agreement.Consumer],
			})
		}
	}
	return deals, nil
}

// plan is what a household wants done.
type plan struct {
	member  *member
	view    View
	known   wallet.Context
	effects []Effect
}

// decide asks one household after the other; who comes later sees what the earlier ones have left of the offers.
func (c *community) decide(sights []*sight, turns []int) []plan {
	taken := map[types.OfferID]uint64{}
	var plans []plan
	for _, place := range turns {
		s := sights[place]
		if s == nil {
			continue
		}
		quotes := make([]Quote, len(s.Quotes))
		for i, quote := range s.Quotes {
			quote.Left -= taken[quote.ID]
			quotes[i] = quote
		}
		s.Quotes = quotes
		p := plan{member: c.members[place], view: s.View, known: s.known}
		p.member.memory, p.effects = p.member.Step(p.member.memory, s.View)
		for _, effect := range p.effects {
			if buy, ok := effect.(Buy); ok {
				taken[buy.Quote.ID] += buy.Quantity
			}
		}
		if len(p.effects) > 0 {
			plans = append(plans, p)
		}
	}
	return plans
}

// carryOut does what a household wants. What comes too late for the ledger is counted and is no error: then the machine is
// too slow for the deadlines, and the household goes without.
func (c *community) carryOut(ctx context.Context, slot int, p plan, tally *tally) error {
	err := c.transact(ctx, slot, p)
	switch {
	case tooLate(err):
		tally.missed.Add(1)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", p.member.Name, err)
	}
	tally.count(p)
	return nil
}

// transact does all of a plan in one transaction that the household signs once; only a release is one of its own, without a
// signature. The inputs are all the coins that the household has, so what it earned a moment ago is spent again.
func (c *community) transact(ctx context.Context, slot int, p plan) error {
	draft := p.member.account.Draft(p.known)
	for _, effect := range p.effects {
		var err error
		switch e := effect.(type) {
		case Sell:
			_, err = draft.Post(c.offer(slot, p.known.Clock, e))
		case Buy:
			_, err = draft.Take(e.Quote.ID, &e.Quote.Terms, e.Quantity)
		case HandOver:
			err = draft.Deliver(e.Deal.ID, &e.Deal.Trade)
		case Confirm:
			err = c.release(ctx, p, e.Deal)
		}
		if err != nil {
			return err
		}
	}
	switch p.view.Moment {
	case Releasing:
		return nil
	case Taking, Delivering:
		if err := draft.Consolidate(); err != nil {
			return err
		}
	}
	return c.sign(ctx, p.member.account, draft)
}

func (c *community) release(ctx context.Context, p plan, deal Deal) error {
	tx, err := p.member.account.Release(p.known, deal.ID, &deal.Trade, deal.Trade.Agreement.Instalments)
	if err != nil {
		return err
	}
	_, err = c.node.Submit(ctx, tx)
	return err
}

// offer is an offer of the slot. Its slot is a time of the day that is played, its deadlines are real.
func (c *community) offer(slot int, clock types.Time, sell Sell) types.Offer {
	from, until := c.profile.Slot(slot)
	payBy := clock.Add(c.window)
	deliverBy := payBy.Add(c.window)
	readingBy := deliverBy.Add(c.window)
	return types.Offer{
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: sell.Quantity, From: from, Until: until,
		},
		Asset:       c.money.ID(),
		Price:       types.Rate{Mantissa: sell.Price},
		Deposit:     percentOf(sell.Price, depositPercent),
		Bond:        percentOf(sell.Price, bondPercent),
		MinFill:     1,
		Instalments: 1,
		Deadlines:   types.Deadlines{PayBy: payBy, DeliverBy: deliverBy, ReadingBy: readingBy, ConfirmBy: readingBy.Add(c.window)},
		Fallback:    &types.Hold{},
	}
}

// tooLate reports whether the ledger's clock was quicker than the machine.
func tooLate(err error) bool {
	switch types.CodeOf(err) {
	case types.CodeTooLate, types.CodeOfferUnknown:
		return true
	}
	return false
}

// awaitRefunds waits until no trade is paid and undelivered any more: the ledger clock gives each back by itself. It returns
// what the clock shows then.
func (c *community) awaitRefunds(ctx context.Context) (types.Time, error) {
	var latest types.Time
	for _, m := range c.members {
		for trade, err := range c.node.AllTrades(ctx, m.account.Key(), true) {
			if err != nil {
				return 0, err
			}
			if trade.Phase == types.PhasePaid {
				latest = max(latest, trade.Trade.Agreement.Deadlines.DeliverBy)
			}
		}
	}
	for {
		status, err := c.node.Status(ctx)
		if err != nil || status.Clock > latest {
			return status.Clock, err
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
	}
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
		if m.Roof == NoRoof {
			continue
		}
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
