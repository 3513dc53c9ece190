package sim

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/internal/table"
	"lockstep/types"
)

// WriteText writes the report for people: the auctions, each household's account, the effects of broken promises and of a cloud, and the books.
func (r *Report) WriteText(to io.Writer) error {
	w := table.New(to)
	r.writeHead(w)
	r.writeAuctions(w)
	r.writeTable(w)
	r.writeDefault(w)
	r.writeWithholding(w)
	r.writeShortfall(w)
	r.writeBooks(w)
	return w.Flush()
}

func (r *Report) writeHead(w *table.Writer) {
	date := r.Date
	if day, err := time.Parse(time.DateOnly, r.Date); err == nil {
		date = day.Format("Monday, 2 January 2006")
	}
	w.Line("%s: %d quarter-hours of %d households on a ledger of their own\n", date, r.Slots, len(r.Households))
	w.Line("Energy  %s.", r.Source)
	w.Line("        What the households do not trade, the grid takes and gives: that is outside of this ledger.")
	w.Line("Market  an auction for every quarter-hour: bids up to what the utility charges, offers from what the grid pays,")
	w.Line("        one price for all. An order locks its money; a match is paid and delivered. Terms: meter.")
	w.Line("        Deposit %.2f ct and bond %.2f ct a kWh, as much as the highest price that a bid may have.\n", kilowattHour(lotDeposit), kilowattHour(lotBond))
}

// writeAuctions writes a line for each hour, with a bar of the energy used: from their own roofs, from each other, from
// the grid.
func (r *Report) writeAuctions(w *table.Writer) {
	w.Gap, w.Columns = 2, slices.Concat([]table.Column{{Width: 6}}, slices.Repeat([]table.Column{{Right: true, Width: 7}}, 3),
		[]table.Column{{Right: true}, {Right: true, Width: 14}, {Right: true}})
	w.Row("", "asked", "offered", "matched", "", "price", "self-", "own roof "+ownBar+"  each other "+gotBar+"  grid "+gridBar)
	w.Row("hour", "kWh", "kWh", "kWh", "trades", "ct/kWh", "suff.", "")
	w.Rule()
	for from := 0; from < len(r.Auctions); {
		to := from + 1
		for to < len(r.Auctions) && r.Auctions[to].Clock[:2] == r.Auctions[from].Clock[:2] {
			to++
		}
		writeHour(w, r.Auctions[from:to])
		from = to
	}
	w.Rule()
	w.Line("Self-sufficiency of the whole day: %s: %s from their own roofs, %s from each other, of %s kWh.\n",
		percent(r.Own+r.Got, r.Load), percent(r.Own, r.Load), percent(r.Got, r.Load), kilowattHours(r.Load))
}

func writeHour(w *table.Writer, slots []Cleared) {
	var all Cleared
	var prices []float64
	for _, a := range slots {
		all.Asked, all.Offered, all.Volume, all.Trades = all.Asked+a.Asked, all.Offered+a.Offered, all.Volume+a.Volume, all.Trades+a.Trades
		all.Load, all.Own, all.Got = all.Load+a.Load, all.Own+a.Own, all.Got+a.Got
		if a.Price != "" {
			prices = append(prices, cents(a.Price))
		}
	}
	price := "-"
	if len(prices) > 0 {
		price = fmt.Sprintf("%.2f", slices.Min(prices))
		if slices.Max(prices) > slices.Min(prices) {
			price += fmt.Sprintf(" to %.2f", slices.Max(prices))
		}
	}
	const width = 24
	own, got := int(all.Own*width/all.Load), int((all.Own+all.Got)*width/all.Load)
	bar := strings.Repeat(ownBar, own) + strings.Repeat(gotBar, got-own) + strings.Repeat(gridBar, width-got)
	w.Row(slots[0].Clock, figure(all.Asked), figure(all.Offered), figure(all.Volume), countOf(all.Trades),
		price, percent(all.Own+all.Got, all.Load), bar)
}

// The parts of a bar.
const (
	ownBar  = "█"
	gotBar  = "▒"
	gridBar = "·"
)

func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return strconv.FormatUint((100*part+whole/2)/whole, 10) + " %"
}

func (r *Report) writeTable(w *table.Writer) {
	w.Gap, w.Columns = 1, slices.Concat([]table.Column{{Width: 13}}, slices.Repeat([]table.Column{{Right: true, Width: 8}}, 4),
		slices.Repeat([]table.Column{{Right: true, Width: 11}}, 4))
	w.Row("", "to spare", "sold", "in need", "bought", "in", "out", "has", "saved")
	w.Row("household", "kWh", "kWh", "kWh", "kWh", moneyCode, moneyCode, moneyCode, moneyCode)
	w.Rule()
	all := Account{Name: "all"}
	for i := range r.Households {
		a := &r.Households[i]
		a.write(w)
		all.Spare, all.Sold, all.Need, all.Bought = all.Spare+a.Spare, all.Sold+a.Sold, all.Need+a.Need, all.Bought+a.Bought
		all.In, all.Out, all.Saved, all.Held = all.In+a.In, all.Out+a.Out, all.Saved+a.Saved, all.Held+a.Held
	}
	w.Rule()
	all.write(w)
	w.Line("Saved is against buying all from the utility and selling all to the grid.")
	w.Line("\n%s: %d delivered and released, %d settled by what the meter read.", count(r.Trades, "trade"), r.Released, r.Settled)
	w.Line("Of the %s earned, %s were released payments, which the sellers' next transactions collected.",
		money(all.In), money(r.Respent))
}

func (a *Account) write(w *table.Writer) {
	name := a.Name
	if a.Roof != NoRoof {
		name += ", " + string(a.Roof)
	}
	w.Row(name, figure(a.Spare), figure(a.Sold), figure(a.Need), figure(a.Bought),
		sum(a.In), sum(a.Out), sum(a.Held), signed(a.Saved))
}

// kilowattHours writes energy for a person: in kWh with two decimals, rounded.
func kilowattHours(wh uint64) string {
	hundredths := (wh + 5) / 10
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// figure and sum leave zeros out, so that a table shows only events.
func figure(wh uint64) string {
	if wh == 0 {
		return "-"
	}
	return kilowattHours(wh)
}

func countOf(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func sum(amount uint64) string {
	if amount == 0 {
		return "-"
	}
	return euros(amount)
}

// signed writes a gain or a loss.
func signed(amount int64) string {
	if amount < 0 {
		return "-" + euros(uint64(-amount))
	}
	return sum(uint64(amount))
}

func (r *Report) writeDefault(w *table.Writer) {
	b := r.Default
	if b == nil {
		return
	}
	w.Line("\n%s stops delivering at %s", b.Who, b.Since)
	say(w, "It goes on offering and sells %s kWh in %s, for %s. It feeds nothing in.", kilowattHours(b.Energy), count(b.Trades, "trade"), money(b.Price))
	say(w, "It costs it all its bonds, %s: %.1f times the price. The meter showed nothing, so at confirm-by", money(b.Lost), ratio(b.Lost, b.Price))
	say(w, "price, deposit and bond were the buyers'. Nobody asked, nobody decided.")
	say(w, "It hits %s. They gain the bonds, and wait up to %s of the ledger clock.", count(b.Others, "buyer"), waited(b.LongestWait))
	b.writeRecord(w, "bids", "offered")
}

func (r *Report) writeWithholding(w *table.Writer) {
	b := r.Withholding
	if b == nil {
		return
	}
	w.Line("\n%s stops releasing at %s", b.Who, b.Since)
	say(w, "It gets %s kWh in %s and keeps the secrets.", kilowattHours(b.Energy), count(b.Trades, "trade"))
	say(w, "It gains nothing: the meters had read all of it, so at confirm-by the price was the sellers' all the same,")
	say(w, "%s. It costs it its deposits too, %s: it pays %.0f %%.", money(b.Price), money(b.Lost), 100+100*ratio(b.Lost, b.Price))
	say(w, "It hits %s. They lose nothing, but wait up to %s.", count(b.Others, "seller"), waited(b.LongestWait))
	b.writeRecord(w, "offers", "asked")
}

// writeRecord describes the fate of orders whose owner's record fell below the demanded one.
func (b *Breach) writeRecord(w *table.Writer, others, did string) {
	if b.Passed == 0 {
		return
	}
	say(w, "Its record fell to %d %%. Those it had failed twice demand %d %%: where such %s stood, it %s %s kWh",
		b.Record, DemandedRecord, others, did, kilowattHours(b.Passed))
	say(w, "and was matched with %s kWh.", kilowattHours(b.Reached))
}

func (r *Report) writeShortfall(w *table.Writer) {
	b := r.Shortfall
	if b == nil {
		return
	}
	w.Line("\nA cloud over %s at %s", b.Who, b.Since)
	say(w, "Of %s kWh that it had sold in %s the meter saw %s kWh. Nobody releases what did not come.", kilowattHours(b.Energy), count(b.Trades, "trade"), kilowattHours(b.Read))
	say(w, "At confirm-by the meter decides: it is paid for what was read, and the same part of its bonds is its own again.")
	say(w, "The rest, %s of bonds, is the buyers': so much it costs to sell energy that does not come.", money(b.Lost))
}

// waited writes a wait of some seconds in whole minutes, rounded up.
func waited(seconds float64) string {
	minutes := int(math.Ceil(seconds / 60))
	return fmt.Sprintf("%d:%02d h", minutes/60, minutes%60)
}

// kilowattHour is a sum for a Wh, in ct/kWh.
func kilowattHour(lot types.Amount) float64 { return float64(lot) / 10 }

// money is a sum with all its places and its code.
func money(amount uint64) string { return euros(amount) + " " + moneyCode }

// say writes a line of a story.
func say(w *table.Writer, format string, args ...any) { w.Line("  "+format, args...) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (r *Report) writeBooks(w *table.Writer) {
	w.Line("\nThe books, to the last millionth")
	w.Gap, w.Columns = 3, []table.Column{{}, {Right: true, Width: 15}}
	w.Row("  issued", money(r.Issued), "once, in the morning")
	w.Row("  held", money(r.Held), "what the keys can spend now, asked of the API key by key")
	w.Row("  locked", money(r.Locked), "what is in trades and nobody's yet, counted in the whole state")
	if r.InOrders > 0 {
		w.Row("  in orders", money(r.InOrders), "what orders and standing offers have staked")
	}
	if r.Conserved {
		say(w, "issued = held + locked. State, API, trades and each household's account agree.")
	}
	for _, fault := range r.Faults {
		say(w, "DOES NOT ADD UP: %s", fault)
	}
	w.Line("\n%d transactions in %d blocks.", r.Txs, r.Blocks)
}
