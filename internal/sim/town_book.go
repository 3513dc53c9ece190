package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/agent"
	"lockstep/internal/page"
	"lockstep/trade"
	"lockstep/types"
)

// townBook is the memory of a town for its page: the trades under way, the money of each household, and the events.
type townBook struct {
	begun   bool
	slot    int // the present one
	answers bool
	houses  []townMoney
	open    map[types.TradeID]*townTrade
	prices  map[int]page.TownPrice // by slot
	events  []page.TownEvent       // newest first
	slots   []int                  // of each event, the last slot of it

	cloudUntil int // the slot from which on the sun shines again
	killedAt   time.Time
	blockTime  types.Time // the last one that was seen
	gates      types.Time // the block time up to which gates count that orders may have missed; zero: there was no outage
	ordered    []map[int]bool
}

// townMoney is the money of a household.
type townMoney struct {
	spendable, locked types.Amount
	saved             int64
}

// townTrade is a trade that is not over.
type townTrade struct {
	slot, seller, buyer int
	quantity            uint64
	sum                 types.Amount // locked in it
}

func newTownBook(houses int) townBook {
	return townBook{
		houses: make([]townMoney, houses), open: map[types.TradeID]*townTrade{}, prices: map[int]page.TownPrice{}, answers: true,
	}
}

// Bounds of the book of a town that lives for days.
const (
	mostEvents = 200
	leastLimit = 2 * lotDeposit // a wallet refuses a deposit of more than half of the price
	cloudSlots = 4
)

// clockAt is the time of day at which a slot begins.
func (t *Town) clockAt(n int) string { return t.options.Profile.clock(t.quarter(n)) }

// endOf is the time of day at which a slot ends.
func (t *Town) endOf(n int) string {
	_, until := t.options.Profile.Slot(t.quarter(n))
	return until.Std().In(t.options.Profile.Start.Location()).Format("15:04")
}

// dayOf is the day of a slot, from 1 on.
func (t *Town) dayOf(n int) int { return n/len(t.played) + 1 }

// tell puts an event of the present slot first.
func (t *Town) tell(e page.TownEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(t.book.slot, e)
}

// note puts an event first. The caller holds the lock.
func (t *Town) note(slot int, e page.TownEvent) {
	b := &t.book
	e.Day, e.From = t.dayOf(slot), t.clockAt(slot)
	b.events, b.slots = slices.Insert(b.events, 0, e), slices.Insert(b.slots, 0, slot)
	if len(b.events) > mostEvents {
		b.events, b.slots = b.events[:mostEvents], b.slots[:mostEvents]
	}
}

// watch enters the state of the ledger into the book. It reports whether a new day has begun.
func (t *Town) watch(ctx context.Context, status *wire.Status, views []*agent.View) (morning bool, err error) {
	gone, err := t.watchTrades(ctx, views)
	if err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range gone {
		t.enterEnded(&one)
	}
	b := &t.book
	for i, v := range views {
		if v != nil {
			b.houses[i].spendable, b.houses[i].locked = v.Money.Spendable, v.Money.Locked.Saturate(v.Money.InOrders)
		}
	}
	t.countMissed(status.BlockTime)
	b.begun, b.blockTime = status.BlockTime >= t.begin, status.BlockTime
	now := t.slotsUntil(status.BlockTime)
	for n := b.slot + 1; n <= now; n++ {
		b.slot = n
		if n%len(t.played) == 0 {
			morning = true
			t.note(n, page.TownEvent{Kind: page.TownMorning, House: page.WholeTown})
		}
		t.tellPlan(n)
	}
	for n := range b.prices { // in any order: each goes by its own number
		if n < now-len(t.played)-1 {
			delete(b.prices, n)
		}
	}
	return morning, nil
}

// tellPlan tells the events that the plan of the day has for a slot.
func (t *Town) tellPlan(n int) {
	for place, m := range t.members {
		steering := t.steered(m)
		if steering.defaultsFrom == n {
			t.note(n, page.TownEvent{Kind: page.TownCheats, House: place})
		}
		if steering.withholdsFrom == n {
			t.note(n, page.TownEvent{Kind: page.TownWithholds, House: place})
		}
		if steering.cloud.From == n && steering.cloud.To > n && n >= t.book.cloudUntil {
			t.note(n, page.TownEvent{Kind: page.TownShade, House: place})
		}
	}
	if t.book.cloudUntil == n {
		t.note(n, page.TownEvent{Kind: page.TownCloudPasses, House: page.WholeTown})
	}
}

// countMissed enters the wishes for slots whose gate closed during an outage and that had no order. The caller holds the lock.
func (t *Town) countMissed(now types.Time) {
	b := &t.book
	if b.gates == 0 || now <= b.gates {
		return
	}
	missed := 0
	for n := t.slotsUntil(b.gates); ; n++ {
		product := types.Product{From: t.slotBegin(n)}
		gate := product.Gate(&t.params)
		if gate > now {
			break
		}
		for place, m := range t.members {
			surplus, need := m.foreseen(t.quarter(n))
			if gate > b.gates && surplus+need > 0 && !b.ordered[place][n] && !t.steered(m).byHand {
				missed++
			}
		}
	}
	for i := range b.events {
		if b.events[i].Kind == page.TownBack {
			b.events[i].Missed = missed
			break
		}
	}
	b.gates = 0
}

// ordered lists the slots for which each household has an order.
func (t *Town) ordered(views []*agent.View) []map[int]bool {
	all := make([]map[int]bool, len(views))
	for place, v := range views {
		all[place] = map[int]bool{}
		for i := 0; v != nil && i < len(v.Orders); i++ {
			if from := v.Orders[i].Order.Product.From; from >= t.begin {
				all[place][t.slotAt(from)] = true
			}
		}
	}
	return all
}

// watchTrades notes new trades, and returns those that are over.
func (t *Town) watchTrades(ctx context.Context, views []*agent.View) (ended []wire.Trade, err error) {
	running := map[types.TradeID]bool{}
	t.mu.Lock()
	for place, v := range views {
		for i := 0; v != nil && i < len(v.Trades); i++ {
			one := &v.Trades[i]
			if t.places[one.Trade.Agreement.Producer] != place || !trade.Running(trade.PhaseAt(&one.Trade, v.Clock)) {
				continue
			}
			running[one.ID] = true
			if t.book.open[one.ID] == nil {
				t.enterNew(one, place)
			}
		}
	}
	var missing []types.TradeID
	for id := range t.book.open { // in any order: sorted below
		if !running[id] {
			missing = append(missing, id)
		}
	}
	t.mu.Unlock()
	slices.SortFunc(missing, func(a, b types.TradeID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range missing {
		one, err := t.node.Trade(ctx, id)
		if err != nil {
			return nil, err
		}
		if !trade.Running(one.Phase) {
			ended = append(ended, one)
		}
	}
	return ended, nil
}

// enterNew notes a trade that an auction has made. The caller holds the lock.
func (t *Town) enterNew(one *agent.Trade, seller int) {
	a := &one.Trade.Agreement
	if a.Goods.From < t.begin {
		return // agreed by hand, of no slot of the town
	}
	slot := t.slotAt(a.Goods.From)
	t.book.open[one.ID] = &townTrade{
		slot: slot, seller: seller, buyer: t.places[a.Consumer], quantity: a.Goods.Quantity, sum: a.Price.Saturate(a.Deposit).Saturate(a.Bond),
	}
	price := t.book.prices[slot]
	price.Clock, price.Volume = t.clockAt(slot), price.Volume+a.Goods.Quantity
	price.Price = a.Price / types.Amount(a.Goods.Quantity)
	t.book.prices[slot] = price
}

// enterEnded enters a trade that is over into the money of its parties and into the events. The caller holds the lock.
func (t *Town) enterEnded(one *wire.Trade) {
	known := t.book.open[one.ID]
	delete(t.book.open, one.ID)
	if known == nil {
		return
	}
	a := &one.Trade.Agreement
	switch one.Phase {
	case types.PhaseReleased:
		t.transfer(known, a.Goods.Quantity, a.Price, 0)
	case types.PhaseSettled:
		read := min(one.Trade.Allotted, a.Goods.Quantity)
		price := a.Price.Share(read, a.Goods.Quantity)
		bond := a.Bond - a.Bond.Share(read, a.Goods.Quantity)
		event := page.TownEvent{Kind: page.TownShort, House: known.seller, Others: []int{known.buyer}, Trades: 1, Energy: a.Goods.Quantity, Read: read, Price: a.Price, Lost: bond}
		switch {
		case read == a.Goods.Quantity:
			t.transfer(known, read, price.Saturate(a.Deposit), 0)
			event.Kind, event.House, event.Others, event.Lost = page.TownWithheld, known.buyer, []int{known.seller}, a.Deposit
		case read == 0:
			t.transfer(known, 0, 0, bond)
			event.Kind = page.TownUndelivered
		default:
			t.transfer(known, read, price, bond)
		}
		if paid, ok := one.Trade.Step(types.StepPaid); ok {
			if settled, ok := one.Trade.Step(types.StepSettled); ok {
				event.Seconds = int((settled.At.Since(paid.At).Std() + time.Second - 1) / time.Second)
			}
		}
		t.noteEnd(known.slot, &event)
	default: // no other end has an auction's trade, unless the owner of a household splits it by hand
	}
}

// transfer enters energy and money that changed hands. The caller holds the lock.
func (t *Town) transfer(known *townTrade, wh uint64, paid, back types.Amount) {
	seller, buyer := t.members[known.seller], t.members[known.buyer]
	t.book.houses[known.seller].saved += int64(paid) - int64(back) - int64(wh*seller.FeedIn)
	t.book.houses[known.buyer].saved += int64(wh*buyer.Tariff) + int64(back) - int64(paid)
}

// noteEnd adds a trade that ended otherwise to the event of its cause: one event for neighbouring slots. The caller holds the lock.
func (t *Town) noteEnd(slot int, e *page.TownEvent) {
	const near = 4 // slots
	b := &t.book
	for i := range b.events {
		old := &b.events[i]
		if old.Kind != e.Kind || old.House != e.House || slot > b.slots[i]+near || old.Day != t.dayOf(slot) {
			continue
		}
		if slot > b.slots[i] {
			b.slots[i], old.Until = slot, t.endOf(slot)
		}
		if !slices.Contains(old.Others, e.Others[0]) {
			old.Others = append(slices.Clone(old.Others), e.Others[0])
		}
		old.Trades, old.Energy, old.Read = old.Trades+1, old.Energy+e.Energy, old.Read+e.Read
		old.Price, old.Lost, old.Seconds = old.Price.Saturate(e.Price), old.Lost.Saturate(e.Lost), max(old.Seconds, e.Seconds)
		return
	}
	t.note(slot, *e)
	b.events[0].Until = t.endOf(slot)
}

// away notes whether the node answers.
func (t *Town) away(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.book.answers = !isAway(err)
}

// Scene implements [page.Town].
func (t *Town) Scene() page.TownScene {
	runs, failure := t.process.state()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.book
	n := b.slot
	s := page.TownScene{
		Day: t.dayOf(n), From: t.clockAt(n), Until: t.endOf(n), Begun: b.begun, Asset: t.money.ID(), Price: b.prices[n].Price, PriceDigits: 1,
		Node: page.TownNode{Running: runs, Answers: b.answers, Failure: failure}, Events: slices.Clone(b.events), Passphrase: t.secret,
	}
	if b.cloudUntil > n {
		s.Cloud = t.clockAt(b.cloudUntil)
	}
	for place, m := range t.members {
		steering, money, quarter := t.steered(m), b.houses[place], t.quarter(n)
		house := page.TownHouse{
			Place: place, Name: m.Name, Key: m.account.Key(), Roof: m.Roof != NoRoof, Sun: m.sun[quarter], Load: m.load[quarter],
			Spendable: money.spendable, Locked: money.locked, Saved: money.saved, Bid: types.Amount(steering.bid), Ask: types.Amount(steering.ask),
			ByHand: steering.byHand, NoDelivery: n >= steering.defaultsFrom, NoRelease: n >= steering.withholdsFrom,
		}
		s.Houses = append(s.Houses, house)
	}
	for _, one := range b.open { // in any order: sorted below
		if one.slot == n {
			s.Flows = append(s.Flows, page.TownFlow{From: one.seller, To: one.buyer, Quantity: one.quantity, Broken: s.Houses[one.seller].NoDelivery})
			s.Houses[one.seller].Sells += one.quantity
			s.Houses[one.buyer].Buys += one.quantity
		}
	}
	slices.SortFunc(s.Flows, func(a, b page.TownFlow) int {
		if a.From != b.From {
			return a.From - b.From
		}
		return a.To - b.To
	})
	for i := n - n%len(t.played); i <= n; i++ {
		price := b.prices[i]
		price.Clock = t.clockAt(i)
		s.Prices = append(s.Prices, price)
	}
	return s
}

// Steer implements [page.Town].
func (t *Town) Steer(house int, change page.TownSteer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.book.slot
	m := t.members[house]
	before := t.steered(m)
	t.steering.Lock()
	defer t.steering.Unlock()
	from, event := n, page.TownKind("")
	if change.On {
		from = never
	}
	switch change.Conduct {
	case page.ConductDelivers:
		m.defaultsFrom, event = from, page.TownCheats
		if change.On {
			event = page.TownReforms
		}
		if change.On == (n < before.defaultsFrom) {
			return nil // as it was
		}
	case page.ConductReleases:
		m.withholdsFrom, event = from, page.TownWithholds
		if change.On {
			event = page.TownReleases
		}
		if change.On == (n < before.withholdsFrom) {
			return nil
		}
	case page.ConductByHand:
		if change.On == before.byHand {
			return nil
		}
		if m.byHand, event = change.On, page.TownItself; change.On {
			event = page.TownHand
		}
	case page.ConductLimits:
		if m.Roof == NoRoof {
			change.Ask = types.Amount(m.ask)
		} else if change.Ask < leastLimit {
			change.Bid = 0
		}
		if change.Bid < leastLimit || max(change.Bid, change.Ask) > ceiling {
			return types.Refuse(types.CodeMalformed, "a limit below %s or above %s ct/kWh: the deposit of a trade is %s ct/kWh and may be half of the price at most, and no price of this ledger is higher",
				types.Amount(leastLimit).Format(1), types.Amount(ceiling).Format(1), types.Amount(lotDeposit).Format(1))
		}
		m.bid, m.ask = uint64(change.Bid), uint64(change.Ask)
		return nil
	}
	t.note(n, page.TownEvent{Kind: event, House: house})
	return nil
}

// SendCloud implements [page.Town].
func (t *Town) SendCloud(stand bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.book.slot
	if stand == (t.book.cloudUntil > n) {
		return
	}
	cloud, event := Slots{n, n + cloudSlots}, page.TownCloudComes
	if !stand {
		cloud, event = Slots{}, page.TownCloudPasses
	}
	t.book.cloudUntil = cloud.To
	t.steering.Lock()
	for _, m := range t.members {
		m.cloud = cloud
	}
	t.steering.Unlock()
	t.note(n, page.TownEvent{Kind: event, House: page.WholeTown})
}

// KillNode implements [page.Town].
func (t *Town) KillNode() error {
	if err := t.process.kill(); err != nil {
		return types.Refuse(types.CodeUnavailable, "%v", err)
	}
	ordered := t.ordered(t.views())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.book.killedAt, t.book.answers, t.book.gates, t.book.ordered = time.Now(), false, t.book.blockTime, ordered
	event := page.TownEvent{Kind: page.TownKilled, House: page.WholeTown, Spending: len(t.book.open)}
	for _, one := range t.book.open { // in any order: a sum
		event.Locked = event.Locked.Saturate(one.sum)
	}
	t.note(t.book.slot, event)
	return nil
}

// StartNode implements [page.Town].
func (t *Town) StartNode(ctx context.Context) error {
	if err := t.process.start(context.WithoutCancel(ctx)); err != nil {
		if errors.Is(err, errRuns) {
			return nil
		}
		return types.Refuse(types.CodeUnavailable, "%v", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	event := page.TownEvent{Kind: page.TownBack, House: page.WholeTown}
	if !t.book.killedAt.IsZero() {
		event.Seconds = int(time.Since(t.book.killedAt).Round(time.Second) / time.Second)
	}
	t.note(t.book.slot, event)
	return nil
}
