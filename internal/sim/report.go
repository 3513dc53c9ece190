package sim

import (
	"slices"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/types"
)

// Report is the result of the day. Sums of money are plain numbers of its smallest unit: those of a demonstration fit
// the numbers of any program, so a reader can add them up as they stand.
type Report struct {
	Source   string `json:"source"`
	Date     string `json:"date"`
	Slots    int    `json:"slots"`
	Blocks   uint64 `json:"blocks"`
	Txs      int    `json:"transactions"`
	Trades   int    `json:"trades"`
	Released int    `json:"released"`
	Settled  int    `json:"settled"` // by readings: energy was missing, or the secret was not shown
	Unit     string `json:"unit"`
	Books
	Respent     uint64    `json:"respent"` // released payments that sellers had collected by the evening
	Households  []Account `json:"households"`
	Default     *Breach   `json:"default"`     // a seller fed nothing in of all that it had sold; null if none did
	Withholding *Breach   `json:"withholding"` // a buyer took deliveries and showed no secret
	Shortfall   *Breach   `json:"shortfall"`   // a seller delivered less than it had sold
	Auctions    []Cleared `json:"auctions"`    // of the slots in which somebody had a surplus
	Load        uint64    `json:"load_wh"`     // used by the households in all slots
	Own         uint64    `json:"own_wh"`      // of it, from their own roofs
	Got         uint64    `json:"got_wh"`      // and from each other

	names map[types.PublicKey]string
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

// Evening is a day that has been played, with all that the ledger has of it.
type Evening struct {
	Profile    *Profile
	Households []Household
	Keys       []types.PublicKey // of the households
	Quarters   []int             // those with an auction
	Products   []types.Product   // of the quarters
	Auctions   []Auctioned       // of the products
	Trades     []wire.Trade      // each once
	Held       []types.Amount    // that each household can spend
	Clock      types.Time        // when the last trade was over
	API, State ledger.Sum        // of the money: by the balance of each key, and counted in the whole state
	Blocks     uint64
	Txs        int
}

// Quarters are the quarter-hours of a day in which a household has a surplus, so that an auction can match something.
func Quarters(profile *Profile, households []Household) []int {
	return traded(housesOf(profile, households), 0, SlotsPerDay)
}

// reporter enters the evening of a day into its report.
type reporter struct {
	*Evening
	*Report
	houses []house
	places map[types.PublicKey]int
}

// Report reports the day. The auctions are computed again from their orders, and the money is added up in three ways.
func (e *Evening) Report() *Report {
	r := &reporter{Evening: e, houses: housesOf(e.Profile, e.Households), places: map[types.PublicKey]int{}, Report: &Report{
		Source: e.Profile.Source, Date: e.Profile.Start.Format(time.DateOnly), Slots: SlotsPerDay, Blocks: e.Blocks, Txs: e.Txs,
		Unit: "0.000001 " + moneyCode, names: map[types.PublicKey]string{},
	}}
	for place, key := range e.Keys {
		r.places[key], r.names[key] = place, e.Households[place].Name
		r.Report.Households = append(r.Report.Households, r.openAccount(place))
	}
	for n := range e.Quarters {
		r.Report.Auctions = append(r.Report.Auctions, r.openAuction(n))
	}
	for quarter := range SlotsPerDay {
		load, own := r.use(quarter)
		r.Load, r.Own = r.Load+load, r.Own+own
	}
	for i := range e.Trades {
		r.enter(&e.Trades[i])
	}
	r.Books = balance(e.State, e.API, r.Report.Households)
	for i := range e.Auctions {
		if err := r.clear(&r.Report.Auctions[i], e.Auctions[i]); err != nil {
			r.Faults = append(r.Faults, err.Error())
			r.Conserved = false
		}
		r.notePassed(&r.Report.Auctions[i], e.Auctions[i])
	}
	return r.Report
}

func (r *Report) name(key types.PublicKey) string { return r.names[key] }

// notePassed records the fate of orders of households that had broken their word.
func (r *Report) notePassed(a *Cleared, from Auctioned) {
	for i := range from.Orders {
		order, result := &from.Orders[i], &from.Result.Results[i]
		for _, b := range []*Breach{r.Default, r.Withholding} {
			if b == nil || b.Who != r.name(order.Owner) || a.Clock < b.Since || result.Standing >= DemandedRecord || !demandsOf(from.Orders, order) {
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

func (r *reporter) openAccount(place int) Account {
	h := &r.houses[place]
	account := Account{
		Name: h.Name, Key: r.Keys[place], Roof: h.Roof, Tariff: h.Tariff, FeedIn: h.FeedIn, Start: uint64(h.Purse), Held: uint64(r.Evening.Held[place]),
	}
	if h.Roof != NoRoof && r.Profile.measured {
		account.Roof = SomeRoof
	}
	for quarter := range SlotsPerDay {
		surplus, need := h.foreseen(quarter)
		account.Spare += surplus
		account.Need += need
	}
	return account
}

func (r *reporter) openAuction(n int) Cleared {
	quarter := r.Quarters[n]
	cleared := Cleared{Slot: quarter, Clock: r.Profile.clock(quarter), Product: r.Products[n].ID(), Rounds: []Round{}}
	cleared.Load, cleared.Own = r.use(quarter)
	return cleared
}

// slotOf is the place of the auction that made a trade.
func (r *reporter) slotOf(a *types.Agreement) int {
	return slices.IndexFunc(r.Products, func(p types.Product) bool { return p.From == a.Goods.From })
}

// use returns the use of all households in a quarter-hour, and the part from their own roofs.
func (r *reporter) use(quarter int) (load, own uint64) {
	for i := range r.houses {
		h := &r.houses[i]
		load += h.load[quarter]
		own += min(h.load[quarter], h.sun[quarter])
	}
	return load, own
}

// enter enters a trade into the accounts of its parties and of its slot.
func (r *reporter) enter(trade *wire.Trade) {
	agreement := &trade.Trade.Agreement
	quarter := r.Quarters[r.slotOf(agreement)]
	seller, buyer := r.places[agreement.Producer], r.places[agreement.Consumer]
	r.Report.Trades++
	r.enterLocked(trade)
	switch trade.Phase {
	case types.PhaseReleased:
		r.Released++
		r.transfer(trade, agreement.Goods.Quantity, uint64(agreement.Price), 0)
		if collected, ok := trade.Trade.Step(types.StepCollected); ok && collected.At <= r.Clock {
			r.Respent += uint64(agreement.Price)
		}
	case types.PhaseSettled:
		r.Settled++
		read := min(trade.Trade.Allotted, agreement.Goods.Quantity)
		price := agreement.Price.Share(read, agreement.Goods.Quantity)
		if read == agreement.Goods.Quantity {
			r.transfer(trade, read, uint64(price+agreement.Deposit), 0)
			if quarter >= r.houses[buyer].ReleasesUntil {
				r.note(&r.Withholding, buyer, seller, trade, uint64(agreement.Deposit))
			}
			return
		}
		bond := agreement.Bond - agreement.Bond.Share(read, agreement.Goods.Quantity)
		r.transfer(trade, read, uint64(price), uint64(bond))
		breach := &r.Shortfall
		if quarter >= r.houses[seller].DeliversUntil {
			breach = &r.Default
		}
		r.note(breach, seller, buyer, trade, uint64(bond))
	default:
		r.Report.Households[seller].Locked += uint64(agreement.Bond)
		r.Report.Households[buyer].Locked += uint64(agreement.Price + agreement.Deposit)
	}
}

// transfer enters the energy that went through and the money that changed hands for it, one way and the other.
func (r *reporter) transfer(trade *wire.Trade, wh, paid, back uint64) {
	agreement := &trade.Trade.Agreement
	from, to := &r.Report.Households[r.places[agreement.Producer]], &r.Report.Households[r.places[agreement.Consumer]]
	from.Sold, to.Bought = from.Sold+wh, to.Bought+wh
	from.In, to.Out = from.In+paid, to.Out+paid
	from.Out, to.In = from.Out+back, to.In+back
	from.Saved += int64(paid) - int64(back) - int64(wh*from.FeedIn)
	to.Saved += int64(wh*to.Tariff) + int64(back) - int64(paid)
	r.Got += wh
	r.Report.Auctions[r.slotOf(agreement)].Got += wh
}

// enterLocked adds the money that a trade kept locked at the end of each slot.
func (r *reporter) enterLocked(trade *wire.Trade) {
	agreement := &trade.Trade.Agreement
	paid, _ := trade.Trade.Step(types.StepPaid)
	free := types.MaxTime
	for _, kind := range []types.StepKind{types.StepReleased, types.StepSettled} {
		if step, ended := trade.Trade.Step(kind); ended {
			free = step.At
		}
	}
	for i := range r.Report.Auctions {
		end := r.Products[i].Until
		if end < paid.At || end >= free {
			continue
		}
		r.Report.Auctions[i].Locked += uint64(agreement.Price + agreement.Deposit + agreement.Bond)
	}
}

// note adds a trade to the breach of one party.
func (r *reporter) note(breach **Breach, who, other int, trade *wire.Trade, lost uint64) {
	agreement := &trade.Trade.Agreement
	since := r.Profile.clock(r.Quarters[r.slotOf(agreement)])
	if *breach == nil {
		*breach = &Breach{Who: r.houses[who].Name, Place: who, Since: since, others: map[int]bool{}}
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
