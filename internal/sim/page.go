package sim

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/internal/page"
	"lockstep/types"
)

//go:embed page.html
var pageText string

// dayPage holds the data of the template.
type dayPage struct {
	*Report
	Lang string
	Day  string
	Slot *Cleared
	View []roundView

	Sheet    template.CSS
	Breaches []breachView

	Prices, Volumes, Money, Lock template.HTML
	Low, High                    string // of the prices of the day, in ct/kWh
	Matched                      uint64
	AllSaved                     int64
}

// roundView is a round of the chosen slot, spelled out.
type roundView struct {
	*Round
	Number int
	Curves template.HTML
	Lines  []sumLine
	Points []priceRow
	CSV    string
}

type sumLine struct {
	Line
	Sum uint64
}

// priceRow is the volume that would be traded at a limit, or between two.
type priceRow struct {
	Low, High              uint64 // the same for a limit
	Demand, Supply, Traded uint64
	Imbalance              uint64
	Best                   bool
}

// WritePage writes the report as one HTML file that needs nothing else, in English ("en") or Chinese ("zh"). It spells out the
// auction of a slot by its begin, such as "12:15"; empty: the one with the largest volume.
func (r *Report) WritePage(to io.Writer, lang, clock string) error {
	chosen, err := r.choose(clock)
	if err != nil {
		return err
	}
	sheet, err := page.Sheet()
	if err != nil {
		return err
	}
	w := wordsIn(lang)
	p := &dayPage{
		Report: r, Lang: lang, Day: r.Date, Slot: chosen, Sheet: template.CSS(sheet), //nolint:gosec // our own
		Prices: drawn(func(s *size) template.HTML { return r.prices(w, s) }), Volumes: drawn(func(s *size) template.HTML { return r.volumes(w, s) }),
		Money: drawn(func(s *size) template.HTML { return r.savings(w, s) }), Lock: drawn(func(s *size) template.HTML { return r.lock(w, s) }), Breaches: r.breaches(w),
	}
	if day, err := time.Parse(time.DateOnly, r.Date); err == nil && lang != "zh" {
		p.Day = day.Format("Monday, 2 January 2006")
	}
	for n := range chosen.Rounds {
		round := &chosen.Rounds[n]
		p.View = append(p.View, roundView{
			Round: round, Number: n + 1, Curves: drawn(func(s *size) template.HTML { return round.curves(w, s) }), Lines: round.lines(), Points: round.points(), CSV: round.csv(),
		})
	}
	var prices []float64
	for i := range r.Auctions {
		p.Matched += r.Auctions[i].Volume
		if r.Auctions[i].Price != "" {
			prices = append(prices, cents(r.Auctions[i].Price))
		}
	}
	if len(prices) > 0 {
		p.Low, p.High = fmt.Sprintf("%.2f", slices.Min(prices)), fmt.Sprintf("%.2f", slices.Max(prices))
	}
	for i := range r.Households {
		p.AllSaved += r.Households[i].Saved
	}
	text, err := template.New("page").Funcs(template.FuncMap{
		"t": w.say, "kWh": kilowattHours, "euros": euros, "signed": signed, "percent": percent, "ct": func(price string) string { return fmt.Sprintf("%.2f", cents(price)) },
		"ctOf":  func(units uint64) string { return fmt.Sprintf("%.2f", float64(units)/10) },
		"sumOf": func(a, b uint64) uint64 { return a + b },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return text.Execute(to, p)
}

// choose finds the slot to spell out.
func (r *Report) choose(clock string) (*Cleared, error) {
	var chosen *Cleared
	for i := range r.Auctions {
		a := &r.Auctions[i]
		if clock != "" && a.Clock == clock {
			return a, nil
		}
		if chosen == nil || a.Volume > chosen.Volume {
			chosen = a
		}
	}
	switch {
	case clock != "":
		return nil, noAuction(clock)
	case chosen == nil:
		chosen = &Cleared{}
	}
	return chosen, nil
}

// sorted are the sides of a round, each best limit first.
func (r *Round) sorted() (bids, offers []Line) {
	for _, line := range r.Orders {
		if line.Side == types.Bid.String() {
			bids = append(bids, line)
		} else {
			offers = append(offers, line)
		}
	}
	slices.SortStableFunc(bids, func(a, b Line) int { return int(b.Limit) - int(a.Limit) })
	slices.SortStableFunc(offers, func(a, b Line) int { return int(a.Limit) - int(b.Limit) })
	return bids, offers
}

// lines are both sides with their running sums.
func (r *Round) lines() []sumLine {
	bids, offers := r.sorted()
	var lines []sumLine
	for _, side := range [][]Line{bids, offers} {
		var sum uint64
		for _, line := range side {
			sum += line.Quantity
			lines = append(lines, sumLine{line, sum})
		}
	}
	return lines
}

// points are all limits and the intervals between them, with the volume traded there: the rule as a person applies it.
func (r *Round) points() []priceRow {
	var limits []uint64
	for _, line := range r.Orders {
		limits = append(limits, line.Limit)
	}
	slices.Sort(limits)
	limits = slices.Compact(limits)
	var rows []priceRow
	for i, limit := range limits {
		rows = append(rows, r.row(limit, limit))
		if i+1 < len(limits) {
			rows = append(rows, r.row(limit, limits[i+1]))
		}
	}
	best := slices.MaxFunc(rows, func(a, b priceRow) int {
		if a.Traded != b.Traded {
			return int(a.Traded) - int(b.Traded)
		}
		return int(b.Imbalance) - int(a.Imbalance)
	})
	for i := range rows {
		rows[i].Best = rows[i].Traded == best.Traded && rows[i].Imbalance == best.Imbalance
	}
	return rows
}

func (r *Round) row(low, high uint64) priceRow {
	row := priceRow{Low: low, High: high}
	for _, line := range r.Orders {
		switch {
		case line.Side == types.Bid.String() && line.Limit >= high:
			row.Demand += line.Quantity
		case line.Side != types.Bid.String() && line.Limit <= low:
			row.Supply += line.Quantity
		}
	}
	row.Traded = min(row.Demand, row.Supply)
	row.Imbalance = max(row.Demand, row.Supply) - row.Traded
	return row
}

// csv is the round as "lockstep market clear" takes it.
func (r *Round) csv() string {
	var text strings.Builder
	lines := csv.NewWriter(&text)
	rows := [][]string{{"id", "side", "quantity", "price", "owner"}}
	for _, line := range r.lines() {
		rows = append(rows, []string{line.ID, line.Side, strconv.FormatUint(line.Quantity, 10), strconv.FormatUint(line.Limit, 10), line.Who})
	}
	if err := lines.WriteAll(rows); err != nil { // a strings.Builder takes all
		return err.Error()
	}
	return text.String()
}

// breachView is a breach as the page tells it: the event, and its consequences.
type breachView struct{ Head, Story string }

// breaches tells each breach with its consequences.
func (r *Report) breaches(w words) (told []breachView) {
	if b := r.Default; b != nil {
		told = append(told, breachView{
			w.format("%s stops delivering at %s", b.Who, b.Since),
			w.format("It goes on offering and sells %s kWh in %d trades, for %s. It feeds nothing in. It costs it all its bonds, %s: %.1f times the price. The meter showed nothing, so at confirm-by price, deposit and bond were the buyers', %d households. They gain the bonds, and wait up to %s of the ledger clock.",
				kilowattHours(b.Energy), b.Trades, money(b.Price), money(b.Lost), ratio(b.Lost, b.Price), b.Others, waited(b.LongestWait)) + b.passed(w),
		})
	}
	if b := r.Withholding; b != nil {
		told = append(told, breachView{
			w.format("%s stops releasing at %s", b.Who, b.Since),
			w.format("It gets %s kWh in %d trades and keeps the secrets. It gains nothing: the meters had read all of it, so at confirm-by the price was the sellers' all the same, %s. It costs it its deposits too, %s. It hits %d households: they lose nothing, but wait up to %s.",
				kilowattHours(b.Energy), b.Trades, money(b.Price), money(b.Lost), b.Others, waited(b.LongestWait)) + b.passed(w),
		})
	}
	if b := r.Shortfall; b != nil {
		told = append(told, breachView{
			w.format("A cloud over %s at %s", b.Who, b.Since),
			w.format("Of %s kWh that it had sold in %d trades the meter saw %s kWh. At confirm-by the meter decides: it is paid for what was read, and the same part of its bonds is its own again. The rest, %s of bonds, is the buyers'.",
				kilowattHours(b.Energy), b.Trades, kilowattHours(b.Read), money(b.Lost)),
		})
	}
	return told
}

// passed tells how others pass the orders of a household by whose record fell.
func (b *Breach) passed(w words) string {
	if b.Passed == 0 {
		return ""
	}
	return w.format(" Its record fell to %d %%; those it had failed twice demand %d %%. In auctions with such a demand it wanted to trade %s kWh, and was matched with %s kWh.",
		b.Record, DemandedRecord, kilowattHours(b.Passed), kilowattHours(b.Reached))
}

// WelfareEUR is the round's welfare in the money.
func (r *Round) WelfareEUR() string {
	welfare, ok := new(big.Rat).SetString(r.Welfare)
	if !ok {
		return r.Welfare
	}
	return welfare.Quo(welfare, big.NewRat(1_000_000, 1)).FloatString(moneyDecimals)
}

// cents is a price in ct/kWh, for people; ten of the smallest units for a Wh are one.
func cents(price string) float64 {
	value, err := strconv.ParseFloat(price, 64)
	if err != nil {
		return 0
	}
	return value / 10
}
