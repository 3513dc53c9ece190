package page

import (
	"html/template"
	"strconv"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Bounds of the lists.
const (
	mostOpen = 200
	mostOver = 50
)

// tradeRow is a trade in a list.
type tradeRow struct {
	Path, Kind, Phase string
	Goods, Slot       string
	Other             types.PublicKey
	From, To          types.PublicKey // producer and consumer, for a list of anybody's trades
	Sum               template.HTML
	Next              template.HTML
	You               bool
	Timed             bool // there is a deadline
	When              template.HTML
	Word              *wordView // what the member's agent asks about it
}

// tradeGroup are trades that wait for the same.
type tradeGroup struct {
	Title string
	Note  template.HTML
	Rows  []tradeRow
}

type tradesView struct {
	Groups  []tradeGroup
	Mine    bool
	Waiting int // for the member
	Running int // by themselves
	Next    string
	Side    string
	More    bool // there are more open trades than are shown
}

func (c *screen) trades() error {
	c.Nav, c.Live = "trades", "blocks"
	c.Title = string(c.T("nav.trades"))
	if c.self == (types.PublicKey{}) {
		return c.allTrades()
	}
	c.Live = "key:" + c.self.String()
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := tradesView{Mine: true, Side: c.r.URL.Query().Get("side")}
	open, err := c.ask().Trades(c.r.Context(), c.self, true, client.Page{Limit: mostOpen})
	if err != nil {
		return err
	}
	view.More = open.Next != ""
	yours, flowing := tradeGroup{Title: c.Plain("trades.you")}, tradeGroup{Title: c.Plain("trades.flowing")}
	var others []tradeGroup
	for i := range open.Trades {
		t := &open.Trades[i]
		a := &t.Trade.Agreement
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		if !trade.Running(status.Phase) && status.Phase != types.PhaseAgreed || !c.onSide(view.Side, a) {
			continue
		}
		row := c.openRow(t, &status)
		switch {
		case waitsFor(t, c.self):
			row.You = true
			yours.Rows = append(yours.Rows, row)
		case c.flow(a, &status) == "flowing":
			view.Running++
			flowing.Rows = append(flowing.Rows, row)
		default:
			view.Running++
			title := string(c.T("trades.for", "name", c.printer(a).Actor(status.Turn.Role)))
			others = addTo(others, title, row)
		}
	}
	view.Waiting = len(yours.Rows)
	view.Groups = append(append([]tradeGroup{yours}, others...), flowing)
	over, next, err := c.overRows(view.Side)
	if err != nil {
		return err
	}
	view.Groups, view.Next = append(view.Groups, over), next
	return c.render("trades", &view)
}

func addTo(groups []tradeGroup, title string, row tradeRow) []tradeGroup {
	for i := range groups {
		if groups[i].Title == title {
			groups[i].Rows = append(groups[i].Rows, row)
			return groups
		}
	}
	return append(groups, tradeGroup{Title: title, Rows: []tradeRow{row}})
}

// onSide reports whether a trade is on the side that the reader has chosen.
func (c *screen) onSide(side string, a *types.Agreement) bool {
	return side == "" || side == "sold" && a.Producer == c.self || side == "bought" && a.Consumer == c.self
}

func (c *screen) openRow(t *wire.Trade, status *trade.Status) tradeRow {
	a, p := &t.Trade.Agreement, c.printer(&t.Trade.Agreement)
	phase, turn := p.Headline(&trade.Status{Phase: status.Phase, Turn: trade.Turn{Role: status.Turn.Role, Move: status.Turn.Move}})
	row := tradeRow{
		Path: "/trades/" + t.ID.String(), Kind: kindOf(status.Phase), Phase: phase, Goods: c.Goods(&a.Goods), Slot: c.Slot(a.Goods.From, a.Goods.Until),
		Other: a.Producer, From: a.Producer, To: a.Consumer, Sum: c.Signed(a.Asset, a.Price, a.Producer == c.self), Next: template.HTML(escape(turn)),
	}
	if a.Producer == c.self {
		row.Other = a.Consumer
	}
	if flow := c.flow(a, status); flow == "flowing" {
		row.Phase = string(c.T("trades.flows"))
	}
	if row.Timed = status.Turn.Until != 0; row.Timed {
		row.When = c.T("time.left", "t", c.Left(status.Turn.Until)) + template.HTML(` <span class="soft">· `+escape(c.By(status.Turn.Until))+`</span>`)
	} else {
		row.When = template.HTML(escape(c.W(words.AnyTime)))
	}
	return row
}

// overRows lists trades of the member that have ended, newest first.
func (c *screen) overRows(side string) (tradeGroup, string, error) {
	group := tradeGroup{Title: c.Plain("trades.over")}
	filter := client.TradeFilter{Party: c.self}
	switch side {
	case "sold":
		filter.Role = "producer"
	case "bought":
		filter.Role = "consumer"
	}
	page, err := c.ask().TradeHistory(c.r.Context(), filter, client.Page{After: c.r.URL.Query().Get("after"), Limit: mostOver})
	if types.CodeOf(err) == types.CodeUnavailable || types.CodeOf(err) == types.CodeNotFound {
		group.Note = c.T("history.missing")
		return group, "", nil
	}
	if err != nil {
		return group, "", err
	}
	group.Note = c.Since(page.Since)
	for i := range page.Trades {
		if t := &page.Trades[i]; t.Phase != types.PhaseAgreed && !trade.Running(t.Phase) {
			group.Rows = append(group.Rows, c.overRow(t))
		}
	}
	return group, page.Next, nil
}

// Since says where the history of a node begins; nothing when it keeps all.
func (c *screen) Since(s *history.Since) template.HTML {
	if s == nil {
		return ""
	}
	return c.T("history.since", "t", c.At(s.Clock), "h", c.Count(s.Height))
}

func (c *screen) overRow(t *history.Trade) tradeRow {
	goods := t.Product.Goods(t.Quantity, types.Flow{})
	row := tradeRow{
		Path: "/trades/" + t.ID.String(), Kind: kindOf(t.Phase), Phase: words.Upper(c.W(trade.PhaseKey(t.Phase))), Goods: c.Goods(&goods),
		Slot: c.Slot(goods.From, goods.Until), Other: t.Producer, From: t.Producer, To: t.Consumer, Sum: c.Signed(t.Product.Asset, t.Price, t.Producer == c.self),
		When: template.HTML(escape(c.At(max(t.EndedAt, t.PaidAt, t.AgreedAt)))),
	}
	if t.Producer == c.self || c.self == (types.PublicKey{}) {
		row.Other = t.Consumer
	}
	if t.Phase != types.PhaseReleased { // the whole price did not change hands
		row.Sum = c.Sum(t.Product.Asset, t.Price)
	}
	if t.Phase == types.PhaseSettled {
		row.Next = c.T("trades.read", "q", c.Quantity(t.Allotted, goods.Unit), "all", c.Quantity(t.Quantity, goods.Unit))
	}
	return row
}

// allTrades is the list for a visitor: all trades of the ledger, newest first.
func (c *screen) allTrades() error {
	c.Status, c.Down = c.facts.status(c.r.Context())
	page, err := c.ask().TradeHistory(c.r.Context(), client.TradeFilter{}, client.Page{After: c.r.URL.Query().Get("after"), Limit: mostOver})
	group := tradeGroup{Title: c.Plain("trades.newest")}
	if types.CodeOf(err) == types.CodeUnavailable {
		group.Note, err = c.T("history.missing"), nil
	}
	if err != nil {
		return err
	}
	if group.Note == "" {
		group.Note = c.Since(page.Since)
	}
	view := tradesView{Next: page.Next}
	for i := range page.Trades {
		row := c.overRow(&page.Trades[i])
		row.Sum = c.Money(page.Trades[i].Product.Asset, page.Trades[i].Price)
		if trade.Running(page.Trades[i].Phase) || page.Trades[i].Phase == types.PhaseAgreed {
			view.Running++
		}
		group.Rows = append(group.Rows, row)
	}
	view.Groups = []tradeGroup{group}
	return c.render("trades", &view)
}

func (c *screen) number(n uint64) string { return strconv.FormatUint(n, 10) }
