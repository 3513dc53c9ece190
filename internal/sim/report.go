package sim

import (
	"context"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/types"
)

// Report is the result of the day. Sums of money are plain numbers of its smallest unit: those of a demonstration fit
// the numbers of any program, so a reader can add them up as they stand.
type Report struct {
	Source   string  `json:"source"`
	Date     string  `json:"date"`
	Slots    int     `json:"slots"`
	Seconds  float64 `json:"seconds"`
	Blocks   uint64  `json:"blocks"`
	Txs      int     `json:"transactions"`
	Trades   int     `json:"trades"`
	Released int     `json:"released"`
	Settled  int     `json:"settled"` // by readings: energy was missing, or the secret was not shown
	Missed   int64   `json:"missed"`  // too late on a busy machine: transactions, orders, auctions
	Unit     string  `json:"unit"`
	Books
	Respent     uint64    `json:"respent"` // payments that sellers had spent on by the evening
	Households  []Account `json:"households"`
	Default     *Breach   `json:"default"`     // a seller fed nothing in of all that it had sold; null if none did
	Withholding *Breach   `json:"withholding"` // a buyer took deliveries and showed no secret
	Shortfall   *Breach   `json:"shortfall"`   // a seller delivered less than it had sold
	Auctions    []Cleared `json:"auctions"`    // of the slots in which somebody had a surplus
	Load        uint64    `json:"load_wh"`     // used by the households in all slots
	Own         uint64    `json:"own_wh"`      // of it, from their own roofs
	Got         uint64    `json:"got_wh"`      // and from each other

	money    types.AssetID
	api      ledger.Sum // of the money, by the balance of each key
	products []types.Product
	names    map[types.PublicKey]string
}

// Account is a household's trades and money. Start + In - Out = Held + Locked, to the unit.
type Account struct {
	Name   string          `json:"name"`
	Key    types.PublicKey `json:"key"`
	Roof   Roof            `json:"roof"`
	Tariff uint64          `json:"tariff"`    // the utility's price of a Wh
	FeedIn uint64          `json:"feed_in"`   // the grid's price of a Wh
	Spare  uint64          `json:"spare_wh"`  // made and not used
	Need   uint64          `json:"need_wh"`   // used and not made
	Sold   uint64          `json:"sold_wh"`   // delivered, and so paid for
	Bought uint64          `json:"bought_wh"` // received
	Start  uint64          `json:"start"`
	In     uint64          `json:"in"`     // prices that became its own, and others' deposits and bonds
	Out    uint64          `json:"out"`    // prices that became others', and its deposits and bonds
	Saved  int64           `json:"saved"`  // against the utility alone: purchases at its tariff, sales at its feed-in price
	Held   uint64          `json:"held"`   // spendable now
	Locked uint64          `json:"locked"` // its money in trades that are not over
}

// Breach is a broken promise and its cost, by the ledger's records.
type Breach struct {
	Who    string `json:"who"`
	Place  int    `json:"-"`
	Since  string `json:"since"` // time of day
	Trades int    `json:"trades"`
	Energy uint64 `json:"energy_wh"` // of these trades
	Read   uint64 `json:"read_wh"`   // of it, as metered
	Price  uint64 `json:"price"`
	Lost   uint64 `json:"lost"`   // lost to the others: deposits or bonds
	Others int    `json:"others"` // households on the other side
	// LongestWait is how long the other side could not spend its money, in seconds of the ledger clock.
	LongestWait float64 `json:"longest_wait"`
	// Passed is the energy that it asked or offered since then, in Wh, in auctions in which another order demanded a record that it had
	// not; Reached is the matched part of it.
	Passed  uint64 `json:"passed_wh"`
	Reached uint64 `json:"reached_wh"`
	Record  uint8  `json:"record"` // at its last auction in which one was demanded, in hundredths

	others map[int]bool
}

// report asks the node for the results of the day. [Report.close] adds those on its disk.
func (c *community) report(ctx context.Context, options *Options, evening types.Time) (*Report, error) {
	trades, err := c.allTrades(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Source: c.profile.Source, Date: c.profile.Start.Format(time.DateOnly), Slots: options.To - options.From,
		Missed: c.done.missed.Load(), Unit: "0.000001 " + moneyCode, money: c.money.ID(), names: map[types.PublicKey]string{},
	}
	if r.api, err = c.askSums(ctx); err != nil {
		return nil, err
	}
	for _, m := range c.members {
		balance, err := c.balance(ctx, m.account.Key())
		if err != nil {
			return nil, err
		}
		r.names[m.account.Key()] = m.Name
		r.Households = append(r.Households, c.openAccount(m, options, balance.Spendable))
	}
	for n := range c.played {
		r.products = append(r.products, c.product(n))
		r.Auctions = append(r.Auctions, c.openAuction(n))
	}
	for slot := options.From; slot < options.To; slot++ {
		load, own := c.use(slot)
		r.Load, r.Own = r.Load+load, r.Own+own
	}
	for i := range trades {
		c.enter(r, &trades[i], evening)
	}
	return r, nil
}

// close reads the node's disk: the auctions, and the sums to compare with the report's.
func (r *Report) close(h *host) error {
	disk, err := h.check()
	if err != nil {
		return err
	}
	auctions, err := h.auctions(r.products)
	if err != nil {
		return err
	}
	r.Blocks, r.Txs = disk.Blocks, disk.Txs
	r.Books = balance(disk.Sums[r.money], r.api, r.Households)
	for i := range auctions {
		if err := r.clear(&r.Auctions[i], auctions[i]); err != nil {
			r.Faults = append(r.Faults, err.Error())
			r.Conserved = false
		}
		if r.Auctions[i].Void != "" {
			r.Missed++
		}
		r.notePassed(&r.Auctions[i], auctions[i])
	}
	return nil
}

func (r *Report) name(key types.PublicKey) string { return r.names[key] }

// notePassed records the fate of orders of households that had broken their word.
func (r *Report) notePassed(a *Cleared, from auctioned) {
	for i := range from.orders {
		order, result := &from.orders[i], &from.result.Results[i]
		for _, b := range []*Breach{r.Default, r.Withholding} {
			if b == nil || b.Who != r.name(order.Owner) || a.Clock < b.Since || result.Standing >= demanded || !demandsOf(from.orders, order) {
				continue
			}
			b.Record = result.Standing
			b.Passed += order.Quantity
			b.Reached += result.Filled
		}
	}
}

// demandsOf tells whether an order of the other side demands more of a record than nothing.
func demandsOf(orders []types.Order, of *types.Order) bool {
	for i := range orders {
		if orders[i].Side != of.Side && orders[i].MinRecord > 0 {
			return true
		}
	}
	return false
}

func (c *community) openAccount(m *member, options *Options, held types.Amount) Account {
	account := Account{
		Name: m.Name, Key: m.account.Key(), Roof: m.Roof, Tariff: m.Tariff, FeedIn: m.FeedIn, Start: uint64(m.Purse), Held: uint64(held),
	}
	if m.Roof != NoRoof && c.profile.measured {
		account.Roof = SomeRoof
	}
	for slot := options.From; slot < options.To; slot++ {
		surplus, need := m.foreseen(slot)
		account.Spare += surplus
		account.Need += need
	}
	return account
}

func (c *community) openAuction(n int) Cleared {
	product := c.product(n)
	cleared := Cleared{Slot: c.quarter(n), Clock: c.clock(c.quarter(n)), Product: product.ID(), Rounds: []Round{}}
	cleared.Load, cleared.Own = c.use(cleared.Slot)
	return cleared
}

// clock is when a slot begins, by the time of the day that is played.
func (c *community) clock(slot int) string {
	from, _ := c.profile.Slot(slot)
	return from.Std().In(c.profile.Start.Location()).Format("15:04")
}

// use returns the use of all households in a slot, and the part from their own roofs.
func (c *community) use(slot int) (load, own uint64) {
	for _, m := range c.members {
		load += m.load[slot]
		own += min(m.load[slot], m.sun[slot])
	}
	return load, own
}

// enter enters a trade into the accounts of its parties and of its slot.
func (c *community) enter(r *Report, trade *wire.Trade, evening types.Time) {
	agreement := &trade.Trade.Agreement
	quarter := c.quarter(c.slotOf(agreement))
	seller, buyer := c.places[agreement.Producer], c.places[agreement.Consumer]
	r.Trades++
	c.enterLocked(r, trade)
	switch trade.Phase {
	case types.PhaseReleased:
		r.Released++
		c.transfer(r, trade, agreement.Goods.Quantity, uint64(agreement.Price), 0)
		if collected, ok := trade.Trade.Step(types.StepCollected); ok && collected.At <= evening {
			r.Respent += uint64(agreement.Price)
		}
	case types.PhaseSettled:
		r.Settled++
		read := min(trade.Trade.Allotted, agreement.Goods.Quantity)
		price := agreement.Price.Share(read, agreement.Goods.Quantity)
		if read == agreement.Goods.Quantity {
			c.transfer(r, trade, read, uint64(price+agreement.Deposit), 0)
			if quarter >= c.members[buyer].ReleasesUntil {
				c.note(&r.Withholding, buyer, seller, trade, uint64(agreement.Deposit))
			}
			return
		}
		bond := agreement.Bond - agreement.Bond.Share(read, agreement.Goods.Quantity)
		c.transfer(r, trade, read, uint64(price), uint64(bond))
		breach := &r.Shortfall
		if quarter >= c.members[seller].DeliversUntil {
			breach = &r.Default
		}
		c.note(breach, seller, buyer, trade, uint64(bond))
	default:
		r.Households[seller].Locked += uint64(agreement.Bond)
		r.Households[buyer].Locked += uint64(agreement.Price + agreement.Deposit)
	}
}

// transfer enters the energy that went through and the money that changed hands for it, one way and the other.
func (c *community) transfer(r *Report, trade *wire.Trade, wh, paid, back uint64) {
	agreement := &trade.Trade.Agreement
	from, to := &r.Households[c.places[agreement.Producer]], &r.Households[c.places[agreement.Consumer]]
	from.Sold, to.Bought = from.Sold+wh, to.Bought+wh
	from.In, to.Out = from.In+paid, to.Out+paid
	from.Out, to.In = from.Out+back, to.In+back
	from.Saved += int64(paid) - int64(back) - int64(wh*from.FeedIn)
	to.Saved += int64(wh*to.Tariff) + int64(back) - int64(paid)
	r.Got += wh
	r.Auctions[c.slotOf(agreement)].Got += wh
}

// enterLocked adds the money that a trade kept locked at the end of each slot.
func (c *community) enterLocked(r *Report, trade *wire.Trade) {
	agreement := &trade.Trade.Agreement
	paid, _ := trade.Trade.Step(types.StepPaid)
	free := types.MaxTime
	for _, kind := range []types.StepKind{types.StepReleased, types.StepSettled} {
		if step, ended := trade.Trade.Step(kind); ended {
			free = step.At
		}
	}
	for i := range r.Auctions {
		end := r.products[i].Until
		if end < paid.At || end >= free {
			continue
		}
		r.Auctions[i].Locked += uint64(agreement.Price + agreement.Deposit + agreement.Bond)
	}
}

// note adds a trade to the breach of one party.
func (c *community) note(breach **Breach, who, other int, trade *wire.Trade, lost uint64) {
	agreement := &trade.Trade.Agreement
	since := c.clock(c.quarter(c.slotOf(agreement)))
	if *breach == nil {
		*breach = &Breach{Who: c.members[who].Name, Place: who, Since: since, others: map[int]bool{}}
	}
	b := *breach
	b.Since = min(b.Since, since)
	b.others[other] = true
	b.Others = len(b.others)
	b.Trades++
	b.Energy += agreement.Goods.Quantity
	b.Read += min(trade.Trade.Allotted, agreement.Goods.Quantity)
	b.Price += uint64(agreement.Price)
	b.Lost += lost
	if paid, ok := trade.Trade.Step(types.StepPaid); ok {
		until := agreement.Deadlines.ConfirmBy
		if settled, ok := trade.Trade.Step(types.StepSettled); ok {
			until = settled.At
		}
		b.LongestWait = max(b.LongestWait, until.Since(paid.At).Std().Seconds())
	}
}
