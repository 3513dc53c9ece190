package sim

import (
	"context"
	"time"

	"lockstep/api/wire"
	"lockstep/ledger"
	"lockstep/store"
	"lockstep/types"
)

// Report is what became of the day. Sums of money are plain numbers of its smallest unit: those of a demonstration fit
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
	Refunded int     `json:"refunded"`
	Withheld int     `json:"withheld"` // delivered, and the secret not shown
	Missed   int64   `json:"missed"`   // transactions that a busy machine sent after a deadline
	Unit     string  `json:"unit"`
	Books
	Respent     uint64    `json:"respent"` // payments that sellers had spent on by the evening
	Households  []Account `json:"households"`
	Default     *Breach   `json:"default"`     // a seller took payments and delivered nothing; null if none did
	Withholding *Breach   `json:"withholding"` // a buyer took deliveries and showed no secret
	Shunned     *Breach   `json:"shunned"`     // of that buyer: what it paid for later, and sellers kept from it

	money types.AssetID
	api   ledger.Sum // of the money, by asking for what each key has
}

// Account is what a household did and has. Start + In - Out = Held + Locked, to the unit.
type Account struct {
	Name   string          `json:"name"`
	Key    types.PublicKey `json:"key"`
	Roof   Roof            `json:"roof"`
	Spare  uint64          `json:"spare_wh"`  // made and not used
	Need   uint64          `json:"need_wh"`   // used and not made
	Sold   uint64          `json:"sold_wh"`   // delivered and paid for
	Given  uint64          `json:"given_wh"`  // delivered and not paid for
	Bought uint64          `json:"bought_wh"` // received
	Start  uint64          `json:"start"`
	In     uint64          `json:"in"`     // prices that became its own
	Out    uint64          `json:"out"`    // prices that became others'
	Held   uint64          `json:"held"`   // what it can spend now
	Locked uint64          `json:"locked"` // what it put into trades that are nobody's yet
}

// Breach is a broken word and what it cost, by the ledger's records.
type Breach struct {
	Who     string `json:"who"`
	Place   int    `json:"-"`
	Since   string `json:"since"` // time of day
	Trades  int    `json:"trades"`
	Energy  uint64 `json:"energy_wh"`
	Price   uint64 `json:"price"`
	Deposit uint64 `json:"deposit"`
	Bond    uint64 `json:"bond"`
	Others  int    `json:"others"` // households on the other side
	// LongestWait is how long the payer of one of them could not spend its money, in seconds of the ledger clock.
	LongestWait float64 `json:"longest_wait"`

	others map[int]bool
}

// report asks the node what became of the day. What is on its disk is still to be compared: see [Report.close].
func (c *community) report(ctx context.Context, options Options, done *tally, evening types.Time) (*Report, error) {
	trades, err := c.allTrades(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Source: c.profile.Source, Date: c.profile.Start.Format(time.DateOnly), Slots: options.To - options.From,
		Missed: done.missed.Load(), Unit: "0.000001 " + moneyCode, money: c.money.ID(),
	}
	if r.api, err = c.askSums(ctx); err != nil {
		return nil, err
	}
	for _, m := range c.members {
		holdings, err := c.node.Holdings(ctx, m.account.Key())
		if err != nil {
			return nil, err
		}
		r.Households = append(r.Households, c.openAccount(m, options, c.spendable(holdings)))
	}
	for i := range trades {
		c.enter(r, &trades[i], evening)
	}
	return r, nil
}

// close compares the report with what the node left on its disk.
func (r *Report) close(disk store.Report) {
	r.Blocks, r.Txs = disk.Blocks, disk.Txs
	r.Books = balance(disk.Sums[r.money], r.api, r.Households)
}

func (c *community) openAccount(m *member, options Options, held types.Amount) Account {
	account := Account{Name: m.Name, Key: m.account.Key(), Roof: m.Roof, Start: uint64(m.Purse), Held: uint64(held)}
	if m.Roof != NoRoof && c.profile.measured {
		account.Roof = SomeRoof
	}
	for slot := options.From; slot < options.To; slot++ {
		surplus, need := m.balance(slot)
		account.Spare += surplus
		account.Need += need
	}
	return account
}

// enter enters a trade into the accounts of its parties.
func (c *community) enter(r *Report, trade *wire.Trade, evening types.Time) {
	agreement := &trade.Trade.Agreement
	seller, buyer := c.places[agreement.Producer], c.places[agreement.Consumer]
	from, to := &r.Households[seller], &r.Households[buyer]
	r.Trades++
	switch trade.Phase {
	case types.PhaseReleased:
		r.Released++
		from.Sold += agreement.Goods.Quantity
		to.Bought += agreement.Goods.Quantity
		from.In += uint64(agreement.Price)
		to.Out += uint64(agreement.Price)
		if collected, ok := trade.Trade.Step(types.StepCollected); ok && collected.At <= evening {
			r.Respent += uint64(agreement.Price)
		}
	case types.PhaseDelivered:
		r.Withheld++
		from.Given += agreement.Goods.Quantity
		to.Bought += agreement.Goods.Quantity
		from.Locked += uint64(agreement.Bond)
		to.Locked += uint64(agreement.Price + agreement.Deposit)
		c.note(&r.Withholding, buyer, c.members[buyer].ReleasesUntil, seller, trade)
	case types.PhaseRefunded:
		r.Refunded++
		slot := c.slotOf(agreement)
		switch {
		case slot >= c.members[seller].DeliversUntil:
			c.note(&r.Default, seller, c.members[seller].DeliversUntil, buyer, trade)
		case slot >= c.members[buyer].ReleasesUntil:
			c.note(&r.Shunned, buyer, c.members[buyer].ReleasesUntil, seller, trade)
		}
	}
}

// note adds a trade to the breach of one party.
func (c *community) note(breach **Breach, who, since, other int, trade *wire.Trade) {
	if *breach == nil {
		from, _ := c.profile.Slot(since)
		*breach = &Breach{
			Who: c.members[who].Name, Place: who, Since: from.Std().In(c.profile.Start.Location()).Format("15:04"), others: map[int]bool{},
		}
	}
	b, agreement := *breach, &trade.Trade.Agreement
	b.others[other] = true
	b.Others = len(b.others)
	b.Trades++
	b.Energy += agreement.Goods.Quantity
	b.Price += uint64(agreement.Price)
	b.Deposit += uint64(agreement.Deposit)
	b.Bond += uint64(agreement.Bond)
	if paid, ok := trade.Trade.Step(types.StepPaid); ok {
		b.LongestWait = max(b.LongestWait, agreement.Deadlines.DeliverBy.Since(paid.At).Std().Seconds())
	}
}

func (c *community) slotOf(agreement *types.Agreement) int {
	return int(agreement.Goods.From.Std().Sub(c.profile.Start) / slotLength)
}
