package study

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lockstep/internal/table"
	"lockstep/types"
)

// kWh writes energy for a person: in kWh with two decimals, rounded.
func kWh(wh uint64) string {
	hundredths := (wh + 5) / 10
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// ct writes a price of hundredths of the smallest unit for a Wh, in ct/kWh with two decimals.
func ct(hundredths uint64) string {
	const each = 10 // hundredths of a smallest unit in a hundredth of a ct/kWh
	rounded := (hundredths + each/2) / each
	return fmt.Sprintf("%d.%02d", rounded/100, rounded%100)
}

// eur writes a sum for a person, in cents, rounded.
func eur(sum int64) string {
	const cent = 10_000
	sign := ""
	if sum < 0 {
		sign, sum = "-", -sum
	}
	cents := (sum + cent/2) / cent
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// exact writes a sum with all its places.
func exact(sum uint64) string { return types.Amount(sum).Format(moneyDecimals) }

func share(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return strconv.FormatUint((100*part+whole/2)/whole, 10) + " %"
}

// WriteText writes the result for people.
func (r *Result) WriteText(to io.Writer) error {
	w := table.New(to)
	w.Line("%s: %d households, %d quarter-hours, seed %d\n", r.Scenario, len(r.Households), r.Slots, r.Seed)
	w.Gap, w.Columns = 2, []table.Column{{}, {Right: true}, {}}
	w.Row("used", kWh(r.Use), "kWh")
	w.Row("made by roofs", kWh(r.Sun), "kWh, "+kWh(r.Own)+" kWh of it used in the same house")
	w.Row("matched by auction", kWh(r.Sold), "kWh in "+strconv.Itoa(r.Trades)+" trades, at "+ct(r.MeanPrice)+" ct/kWh on average")
	w.Row("traded", kWh(r.Traded), "kWh, as metered and paid")
	w.Row("self-sufficiency", share(r.Own+r.Traded, r.Use), "")
	w.Row("saved by all", eur(r.Saved), "EUR, against the utility alone")
	r.writeBreaches(w)
	r.writeRules(w)
	r.writeHouseholds(w)
	w.Line("\n%d transactions in %d blocks. Commitment to the state: %s", r.Txs, r.Blocks, r.Commitment)
	for _, c := range r.Refused {
		w.Line("refused %d times: %s", c.Times, c.What)
	}
	for _, c := range r.Unsigned {
		w.Line("not signed %d times: %s", c.Times, c.What)
	}
	w.Line("issued %s EUR = held %s + locked %s", exact(r.Books.Issued), exact(r.Books.Held), exact(r.Books.Locked))
	for _, fault := range r.Books.Faults {
		w.Line("DOES NOT ADD UP: %s", fault)
	}
	return w.Flush()
}

func (r *Result) writeBreaches(w *table.Writer) {
	if len(r.Breaches) == 0 {
		w.Line("\nEvery household kept its word.")
		return
	}
	const most = 20
	w.Line("\nBroken promises")
	w.Gap, w.Columns = 2, []table.Column{{}, {}, {Right: true}, {Right: true}, {Right: true}, {Right: true}, {Right: true}}
	w.Row("household", "cause", "trades", "sold kWh", "came kWh", "lost EUR", "others")
	w.Rule()
	for i, b := range r.Breaches {
		if i == most {
			w.Line("and %d more: see --csv or --report", len(r.Breaches)-most)
			break
		}
		w.Row(b.Household, b.Cause, strconv.Itoa(b.Trades), kWh(b.Energy), kWh(b.Read), eur(int64(b.Lost)), strconv.Itoa(b.Others))
	}
}

func (r *Result) writeRules(w *table.Writer) {
	if len(r.Rules) == 0 {
		return
	}
	w.Line("\nThe same days under each rule, if every household kept its word")
	w.Gap, w.Columns = 2, append([]table.Column{{}}, slices.Repeat([]table.Column{{Right: true}}, 6)...)
	w.Row("rule", "traded kWh", "self-suff.", "saved EUR", "least", "median", "most")
	w.Rule()
	for _, rule := range r.Rules {
		w.Row(rule.Name, kWh(rule.Traded), share(r.Own+rule.Traded, r.Use), eur(rule.Saved), eur(rule.Least), eur(rule.Median), eur(rule.Most))
	}
}

func (r *Result) writeHouseholds(w *table.Writer) {
	const most = 24
	w.Line("")
	w.Gap, w.Columns = 2, append([]table.Column{{}}, slices.Repeat([]table.Column{{Right: true}}, 5)...)
	w.Row("household", "to spare kWh", "sold kWh", "in need kWh", "bought kWh", "saved EUR")
	w.Rule()
	for i := range r.Households {
		if i == most {
			w.Line("and %d more: see --csv", len(r.Households)-most)
			break
		}
		h := &r.Households[i]
		name := h.Name
		if h.Roof {
			name += ", roof"
		}
		w.Row(name, kWh(h.Spare), kWh(h.Sold), kWh(h.Need), kWh(h.Bought), eur(h.Saved))
	}
}

// WriteText writes a sweep for people: the mean of each figure, and its spread.
func (s *Sweep) WriteText(to io.Writer) error {
	w := table.New(to)
	w.Line("%s: %d households, %d quarter-hours, %d seeds from %d on\n", s.Runs[0].Scenario, len(s.Runs[0].Households), s.Runs[0].Slots, len(s.Runs), s.Runs[0].Seed)
	w.Gap, w.Columns = 2, []table.Column{{}, {}, {Right: true}, {Right: true}, {Right: true}, {Right: true}}
	w.Row("", "", "mean", "deviation", "least", "most")
	w.Rule()
	for i := range s.Figures {
		f := &s.Figures[i]
		name, write := f.people()
		w.Row(f.Name, name, write(f.Mean, 1000), write(int64(f.Deviation), 1000), write(f.Least, 1), write(f.Most, 1))
	}
	return w.Flush()
}

// people returns the unit in which people read a figure, and how a value in parts of the figure's own unit is written in it.
func (f *Figure) people() (unit string, write func(value, parts int64) string) {
	decimals := func(value, of int64) string {
		sign := ""
		if value < 0 {
			sign, value = "-", -value
		}
		hundredths := (value*100 + of/2) / of
		return fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
	}
	units := map[string]struct {
		name string
		of   int64
	}{unitWh: {"kWh", 1000}, unitMoney: {"EUR", 1_000_000}, unitPrice: {"ct/kWh", 1000}, unitPerMill: {"%", 10}, unitCount: {"", 1}}
	known := units[f.Unit]
	return known.name, func(value, parts int64) string { return decimals(value, known.of*parts) }
}

// WriteCSV writes the households of some runs as one table. Energy is in Wh and money in the smallest unit, so that nothing is rounded.
func WriteCSV(to io.Writer, runs []*Result) error {
	lines := csv.NewWriter(to)
	rows := [][]string{strings.Split("seed,household,roof,tariff,feed_in,use_wh,sun_wh,spare_wh,need_wh,sold_wh,bought_wh,in,out,saved,held,locked,broken_trades,lost", ",")}
	for _, r := range runs {
		broken, lost := map[string]int{}, map[string]uint64{}
		for _, b := range r.Breaches {
			broken[b.Household] += b.Trades
			lost[b.Household] += b.Lost
		}
		for i := range r.Households {
			h := &r.Households[i]
			row := []string{strconv.FormatUint(r.Seed, 10), h.Name, strconv.FormatBool(h.Roof)}
			for _, n := range []uint64{h.Tariff, h.FeedIn, h.Use, h.Sun, h.Spare, h.Need, h.Sold, h.Bought, h.In, h.Out} {
				row = append(row, strconv.FormatUint(n, 10))
			}
			row = append(row, strconv.FormatInt(h.Saved, 10))
			for _, n := range []uint64{h.Held, h.Locked, uint64(broken[h.Name]), lost[h.Name]} {
				row = append(row, strconv.FormatUint(n, 10))
			}
			rows = append(rows, row)
		}
	}
	return lines.WriteAll(rows)
}
