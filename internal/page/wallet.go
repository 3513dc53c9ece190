package page

import (
	"encoding/csv"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/page/statement"
	"lockstep/trade"
	"lockstep/types"
)

// walletView is the content of the wallet's page.
type walletView struct {
	Balances []wire.Balance
	Incoming []incoming
	Bar      template.HTML
	Code     template.HTML // the key as a QR code
	Key      types.PublicKey
	Locked   []lockedRow
	More     bool
	Fee      bool
	Send     sendForm
	Sums     []sumRow
	Account  *account

	LockedSum string // in trades and orders, for the headline
}

// sumRow is one of the three sums that head the wallet.
type sumRow struct {
	Kind, Name string
	Sum        template.HTML
	Note       template.HTML
}

// lockedRow is money of the member in a trade.
type lockedRow struct {
	tradeRow
	Part string
}

func (c *screen) wallet() error { return c.walletWith(&sendForm{}, nil) }

// walletWith shows the wallet with a payment as it was typed, and why it can't be made.
func (c *screen) walletWith(typed *sendForm, wrong error) error {
	if !c.SignedIn() {
		return c.noWallet()
	}
	c.Nav, c.Live, c.Title = "wallet", "key:"+c.self.String(), string(c.T("nav.wallet"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := walletView{Key: c.self, Send: *typed}
	if wrong != nil {
		view.Send.Error, c.code = c.explain(wrong), http.StatusUnprocessableEntity
	}
	balances, err := c.ask().Balances(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balances, view.More = c.sorted(balances.Balances), balances.Next != ""
	open, err := c.ask().Trades(c.r.Context(), c.self, true, client.Page{Limit: mostOpen})
	if err != nil {
		return err
	}
	for i := range open.Trades {
		t := &open.Trades[i]
		a := &t.Trade.Agreement
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		view.Incoming = addIncoming(view.Incoming, &t.Trade, &status)
		for _, held := range status.Locked {
			if trade.Running(status.Phase) && trade.PutIn(&t.Trade, held.Part) == c.self {
				row := lockedRow{c.openRow(t, &status), c.W(trade.PartKey(held.Part))}
				row.Sum = c.Money(a.Asset, held.Amount)
				view.Locked = append(view.Locked, row)
			}
		}
	}
	if len(view.Balances) > 0 {
		first := &view.Balances[0]
		var coming float64
		for _, in := range view.Incoming {
			if in.Asset == first.Asset {
				coming = float64(in.Sum)
			}
		}
		view.Bar = bar("share tall", c.Plain("wallet.bar"), barPart{"k-open", float64(first.Spendable)}, barPart{"k-lock", float64(first.Locked.Saturate(first.InOrders))}, barPart{"k-coming", coming})
		view.Sums = c.threeSums(first, view.Incoming)
		if locked := first.Locked.Saturate(first.InOrders); locked > 0 {
			view.LockedSum = c.Short(first.Asset, locked)
		}
		if view.Account, err = c.account(first); err != nil {
			return err
		}
	}
	if view.Code, err = qrCode(c.self.String(), c.Plain("wallet.qr")); err != nil {
		return err
	}
	params, err := c.ask().Params(c.r.Context())
	if err != nil {
		return err
	}
	view.Fee = params.MinFee > 0 && params.FeeAsset != types.AssetID{}
	return c.render("wallet", &view)
}

// Locked writes the money of a balance that is locked in trades and orders.
func (c *screen) Locked(b *wire.Balance) template.HTML {
	return c.Sum(b.Asset, b.Locked.Saturate(b.InOrders))
}

// threeSums are the sums of the first asset: to spend, locked, and on its way.
func (c *screen) threeSums(b *wire.Balance, coming []incoming) []sumRow {
	locked := c.T("now.locked_note")
	if b.InOrders > 0 {
		locked = c.T("wallet.locked_parts", "trades", c.Sum(b.Asset, b.Locked), "orders", c.Sum(b.Asset, b.InOrders))
	}
	rows := []sumRow{
		{"open", c.Plain("now.to_spend"), c.Money(b.Asset, b.Spendable), c.N("wallet.coins", b.Coins)},
		{"lock", c.Plain("now.locked"), c.Money(b.Asset, b.Locked.Saturate(b.InOrders)), locked},
		{"coming", c.Plain("now.coming"), "–", c.T("now.coming_none")},
	}
	for _, in := range coming {
		if in.Asset == b.Asset {
			rows[2].Sum, rows[2].Note = c.Money(in.Asset, in.Sum), c.N("now.coming_note", in.Trades)
			if in.Last > 0 {
				rows[2].Note += template.HTML(escape(c.Comma())) + c.T("wallet.at_latest", "t", c.By(in.Last))
			}
		}
	}
	return rows
}

// account is the statement of one asset.
type account struct {
	Asset   types.AssetID
	By      string // each movement, day or month
	Groups  []moveGroup
	Older   string // the query of the next page
	Before  template.HTML
	Reading bool   // older payments are still being read
	Partly  bool   // only the newest movements
	Cut     bool   // only the newest payments outside of trades
	Wrong   string // why payments are missing
	Orders  bool   // some money is in orders
}

// moveGroup is a day of the statement, or a month of days.
type moveGroup struct {
	Title   string
	In, Out template.HTML
	Rows    []moveRow
}

type moveRow struct {
	When, Kind string
	Path       string
	What       template.HTML
	Detail     template.HTML
	Sum        template.HTML
	In, Out    template.HTML // of a row for several movements
	After      template.HTML
}

const (
	mostMoves  = 2000 // trades that a statement looks through
	movesShown = 40
)

// moves lists the movements of the member in all assets, the newest first. Partly is set where the member has had more trades than are looked through.
func (c *screen) moves() (moves []statement.Move, partly bool, err error) {
	after := ""
	for n := 0; n < mostMoves; {
		page, err := c.ask().Trades(c.r.Context(), c.self, false, client.Page{After: after, Limit: mostOpen})
		if err != nil {
			return nil, false, err
		}
		for i := range page.Trades {
			moves = append(moves, statement.OfTrade(&page.Trades[i].Trade, page.Trades[i].Phase, c.self, c.shares)...)
		}
		if n, after = n+len(page.Trades), page.Next; after == "" {
			break
		}
	}
	return moves, after != "", nil
}

// shares finds how a trade was divided, in the transaction that divided it.
func (c *screen) shares(t *types.Trade) (producer, consumer types.Amount, known bool) {
	status := trade.StatusAt(t, c.now64(), 0, c.self)
	shares, err := c.division(c.r.Context(), t, &status)
	return shares.producer, shares.consumer, err == nil && shares.known
}

// lines composes the statement of an asset, the newest line first.
func (c *screen) lines(b *wire.Balance) (lines []statement.Line, of account, err error) {
	all, partly, err := c.moves()
	if err != nil {
		return nil, of, err
	}
	paid := c.payments.within(c.self, 800*time.Millisecond) // mostly there are few, and the first look at the page has them
	of = account{Asset: b.Asset, Reading: paid.Reading && paid.Failed == nil, Partly: partly, Cut: paid.Cut, Orders: b.InOrders > 0}
	if paid.Failed != nil {
		of.Wrong = c.explain(paid.Failed)
	}
	moves := all[:0]
	for _, m := range append(all, paid.Moves...) {
		if m.Asset == b.Asset {
			moves = append(moves, m)
		}
	}
	statement.Sort(moves)
	lines, before, known := statement.Lines(moves, b.Spendable.Saturate(b.InOrders))
	if known && !of.Reading && before > 0 {
		of.Before = c.Money(b.Asset, before)
	}
	return lines, of, nil
}

// account fills in the page of the statement that the reader asks for.
func (c *screen) account(b *wire.Balance) (*account, error) {
	lines, of, err := c.lines(b)
	if err != nil {
		return nil, err
	}
	query := c.r.URL.Query()
	of.By = query.Get("by")
	month := func(t types.Time) string { return c.local(t).Format("2006-01") }
	day := func(t types.Time) string { return c.local(t).Format(time.DateOnly) }
	switch of.By {
	case "day":
		of.Groups = c.spans(b.Asset, statement.Spans(lines, func(a, b types.Time) bool { return day(a) == day(b) }), func(d *statement.Day) (string, string) { return c.Month(d.From), c.Day(d.From) })
	case "month":
		of.Groups = c.spans(b.Asset, statement.Spans(lines, func(a, b types.Time) bool { return month(a) == month(b) }), func(d *statement.Day) (string, string) { return c.local(d.From).Format("2006"), c.Month(d.From) })
	default:
		of.By = ""
		skip, _ := strconv.Atoi(query.Get("skip")) // anything else begins at the newest
		shown := lines[min(max(0, skip), len(lines)):]
		if len(shown) > movesShown {
			shown = shown[:movesShown]
			of.Older, of.Before = strconv.Itoa(skip+movesShown), ""
		}
		for i := range shown {
			line := &shown[i]
			if n := len(of.Groups); n == 0 || of.Groups[n-1].Title != c.dayName(line.At) {
				of.Groups = append(of.Groups, moveGroup{Title: c.dayName(line.At)})
			}
			group := &of.Groups[len(of.Groups)-1]
			group.Rows = append(group.Rows, c.moveRow(line))
		}
	}
	return &of, nil
}

// spans makes a row of each span.
func (c *screen) spans(asset types.AssetID, days []statement.Day, names func(*statement.Day) (group, row string)) (groups []moveGroup) {
	for i := range days {
		group, name := names(&days[i])
		if n := len(groups); n == 0 || groups[n-1].Title != group {
			groups = append(groups, moveGroup{Title: group})
		}
		row := moveRow{When: name, In: c.Signed(asset, days[i].In, true), Out: c.Signed(asset, days[i].Out, false), What: c.N("moves.count", days[i].Moves), After: c.after(asset, days[i].After, days[i].Known)}
		rows := &groups[len(groups)-1].Rows
		*rows = append(*rows, row)
	}
	return groups
}

func (c *screen) after(asset types.AssetID, sum types.Amount, known bool) template.HTML {
	if !known {
		return "–"
	}
	return c.Sum(asset, sum)
}

// dayName names a day of the statement.
func (c *screen) dayName(t types.Time) string {
	if c.local(t).Format(time.DateOnly) == c.local(c.now64()).Format(time.DateOnly) {
		return c.Plain("moves.today")
	}
	return c.Day(t)
}

// moveRow writes a line of the statement.
func (c *screen) moveRow(line *statement.Line) moveRow {
	row := moveRow{When: c.Second(line.At), Kind: moveKind(line.Kind), After: c.after(line.Asset, line.After, line.Known)}
	switch {
	case line.Unknown:
		row.Sum = "–"
	case line.In >= line.Out:
		row.Sum = c.Signed(line.Asset, line.In-line.Out, true)
	default:
		row.Sum = c.Signed(line.Asset, line.Out-line.In, false)
	}
	name := c.Plain("moves.several")
	if line.Other != (types.PublicKey{}) {
		name = c.Name(line.Other)
	}
	key := string(line.Kind)
	if line.Goods == nil {
		row.Path = "/transactions/" + line.Tx.String()
		row.What = c.T("moves."+key, "name", name)
		row.Detail = template.HTML(escape(line.Memo))
		return row
	}
	row.Path = "/trades/" + line.Trade.String()
	goods := c.Goods(line.Goods)
	if line.Count > 1 {
		row.Path = "/trades"
		row.What = c.T("moves.trades", "n", c.Count(line.Count), "slot", c.Slot(line.Goods.From, line.Goods.Until), "what", c.T("moves.done."+key))
	} else {
		if slot := c.Slot(line.Goods.From, line.Goods.Until); slot != "" {
			goods += c.Comma() + slot
		}
		row.What = c.T("moves.trade", "goods", goods, "what", c.T("moves.done."+key))
	}
	row.Detail = c.T("moves."+key+"."+string(line.Role), "name", name)
	return row
}

// moveKind is the class of a movement: its colour and its sign.
func moveKind(kind statement.Kind) string {
	switch kind {
	case statement.Paid:
		return "pend"
	case statement.Bonded, statement.Partly:
		return "lock"
	case statement.Released:
		return "open"
	case statement.Settled, statement.Split, statement.Awarded, statement.Refunded:
		return "other"
	}
	return "idle"
}

// Month names a month.
func (c *screen) Month(t types.Time) string {
	at := c.local(t)
	return string(c.T("time.month", "name", at.Month(), "m", int(at.Month()), "y", at.Year()))
}

// walletCSV writes the whole statement of an asset for a spreadsheet.
func (c *screen) walletCSV() error {
	if !c.SignedIn() {
		return c.noWallet()
	}
	c.Status, c.Down = c.facts.status(c.r.Context())
	var asset types.AssetID
	if err := asset.UnmarshalText([]byte(c.r.URL.Query().Get("asset"))); err != nil {
		return err
	}
	balance, err := c.ask().Balance(c.r.Context(), c.self, asset)
	if err != nil {
		return err
	}
	lines, _, err := c.lines(&balance)
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="lockstep-statement.csv"`)
	out := csv.NewWriter(c.w)
	_ = out.Write([]string{"time", "kind", "side", "in", "out", "balance", "asset", "movements", "goods", "with", "trade", "transaction", "memo"}) // fails only when the client has left
	for i := range lines {
		line := &lines[i]
		row := []string{c.local(line.At).Format(time.RFC3339), string(line.Kind), string(line.Role), c.plain(asset, line.In), c.plain(asset, line.Out), "", asset.String(), c.Count(line.Count), "", "", "", "", cell(line.Memo)}
		if line.Unknown {
			row[3], row[4] = "", ""
		}
		if line.Known {
			row[5] = c.plain(asset, line.After)
		}
		if line.Other != (types.PublicKey{}) {
			row[9] = line.Other.String()
		}
		if line.Goods != nil {
			row[8] = cell(line.Goods.Commodity)
			if line.Count == 1 {
				row[10] = line.Trade.String()
			}
		} else {
			row[11] = line.Tx.String()
		}
		_ = out.Write(row)
	}
	out.Flush()
	return nil
}

// cell keeps a spreadsheet from taking a text of others for a formula.
func cell(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}
