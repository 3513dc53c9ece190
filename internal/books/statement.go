package books

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"lockstep/trade"
	"lockstep/types"
)

// Columns are the columns of a journal. All sums are whole smallest units of the asset; times are in UTC.
func Columns() []string {
	return []string{"ended", "trade", "phase", "role", "other", "commodity", "unit", "zone", "from", "until", "quantity", "came", "asset", "code", "decimals", "put_in", "got_back", "net"}
}

// Assets finds an asset by its id; false for one that is not known.
type Assets func(types.AssetID) (types.Asset, bool)

// WriteJournal writes entries as CSV (RFC 4180), by their ends. A sum that is not known is an empty field.
func WriteJournal(w io.Writer, entries []Entry, assets Assets) error {
	table := csv.NewWriter(w)
	if err := table.Write(Columns()); err != nil {
		return err
	}
	for i := range entries {
		if err := table.Write(entries[i].row(assets)); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func (e *Entry) row(assets Assets) []string {
	p := &e.Product
	code, decimals := "", ""
	if asset, known := assets(p.Asset); known {
		code, decimals = asset.Code, strconv.Itoa(int(asset.Decimals))
	}
	row := []string{
		timeText(e.Ended), e.Trade.String(), e.Phase.String(), string(e.Role), e.Other.String(), harmless(p.Commodity), harmless(p.Unit), harmless(p.Zone),
		timeText(p.From), timeText(p.Until), strconv.FormatUint(e.Quantity, 10), strconv.FormatUint(e.Came, 10),
		p.Asset.String(), harmless(code), decimals, e.PutIn.String(), e.GotBack.String(), e.Net().String(),
	}
	if e.Unknown {
		for i := range 3 {
			row[len(row)-1-i] = ""
		}
	}
	return row
}

// harmless keeps a text of others from being a formula in a spreadsheet.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func timeText(t types.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// Statement sums up the entries of a period, asset by asset.
type Statement struct {
	From, Until types.Time
	Sums        []Sums
}

// Sums are the exact sums of a period in one asset, in smallest units.
type Sums struct {
	Asset   types.AssetID
	Sold    Side
	Bought  Side
	Unknown int // trades whose division is not known: no sum has them
}

// Side sums up the trades of one role.
type Side struct {
	Trades  int
	Came    map[string]types.Total // quantity by unit
	PutIn   types.Total
	GotBack types.Total
}

// Net is the gain of the side, below zero for a loss.
func (s *Side) Net() *big.Int {
	net := s.GotBack.Big()
	return net.Sub(net, s.PutIn.Big())
}

// NewStatement sums up entries.
func NewStatement(from, until types.Time, entries []Entry) *Statement {
	s := &Statement{From: from, Until: until}
	for i := range entries {
		s.add(&entries[i])
	}
	slices.SortFunc(s.Sums, func(a, b Sums) int { return cmp.Compare(a.Asset.String(), b.Asset.String()) })
	return s
}

func (s *Statement) add(e *Entry) {
	at := slices.IndexFunc(s.Sums, func(sums Sums) bool { return sums.Asset == e.Product.Asset })
	if at < 0 {
		at = len(s.Sums)
		s.Sums = append(s.Sums, Sums{Asset: e.Product.Asset, Sold: Side{Came: map[string]types.Total{}}, Bought: Side{Came: map[string]types.Total{}}})
	}
	sums := &s.Sums[at]
	if e.Unknown {
		sums.Unknown++
		return
	}
	side := &sums.Bought
	if e.Role == trade.Producer {
		side = &sums.Sold
	}
	side.Trades++
	side.Came[e.Product.Unit] = side.Came[e.Product.Unit].Add(types.TotalOf(e.Came))
	side.PutIn, side.GotBack = side.PutIn.Add(types.TotalOf(e.PutIn)), side.GotBack.Add(types.TotalOf(e.GotBack))
}

// Write writes the statement as plain text for a person.
func (s *Statement) Write(w io.Writer, key types.PublicKey, assets Assets) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Statement of %s\n%s to %s\n", key, s.From.Std().Format(time.DateTime+" UTC"), s.Until.Std().Format(time.DateTime+" UTC"))
	if len(s.Sums) == 0 {
		text.WriteString("\nNo trade ended in this time.\n")
	}
	for i := range s.Sums {
		sums := &s.Sums[i]
		asset, known := assets(sums.Asset)
		code := asset.Code
		if !known {
			code = "smallest units"
		}
		fmt.Fprintf(&text, "\n%s (asset %s)\n", code, sums.Asset)
		table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "\ttrades\tquantity\tput in\tgot back\tnet\t")
		net := sums.Sold.Net()
		for _, side := range []struct {
			name string
			sum  *Side
		}{{"sold", &sums.Sold}, {"bought", &sums.Bought}} {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t\n", side.name, side.sum.Trades, quantities(side.sum.Came),
				decimal(side.sum.PutIn.Big(), asset.Decimals), decimal(side.sum.GotBack.Big(), asset.Decimals), decimal(side.sum.Net(), asset.Decimals))
		}
		net.Add(net, sums.Bought.Net())
		fmt.Fprintf(table, "total\t%d\t\t\t\t%s\t\n", sums.Sold.Trades+sums.Bought.Trades, decimal(net, asset.Decimals))
		if err := table.Flush(); err != nil {
			return err
		}
		if sums.Unknown > 0 {
			fmt.Fprintf(&text, "%d more were divided by a split or an award that this node has pruned: look at their receipts.\n", sums.Unknown)
		}
	}
	text.WriteString("\nFees of transactions and payments outside of trades are not in these sums.\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// quantities lists the quantities of a side by unit.
func quantities(came map[string]types.Total) string {
	var texts []string
	for unit, total := range came { // any order: they are sorted
		texts = append(texts, total.String()+" "+unit)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// decimal formats a number of smallest units in whole money.
func decimal(n *big.Int, decimals uint8) string {
	digits := new(big.Int).Abs(n).String()
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	if decimals == 0 {
		return sign + digits
	}
	for len(digits) <= int(decimals) {
		digits = "0" + digits
	}
	point := len(digits) - int(decimals)
	return sign + digits[:point] + "." + digits[point:]
}
