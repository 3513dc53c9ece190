package page

import (
	"html/template"
	"slices"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/internal/page/statement"
	"lockstep/trade"
	"lockstep/types"
)

// homeView is the content of the member's first page.
type homeView struct {
	Waiting  []tradeRow
	Quiet    []quietRow
	Orders   []quietRow
	Balances []wire.Balance
	Incoming []incoming
	Running  int
	Flow     *flowView
	Sells    string // power that is sold in this slot
	Buys     string
	With     int // neighbours
	Price    string
	More     bool
	Today    todayView
	Next     nextView
	Agent    *agentView
	Day      template.HTML // the chart
	DayName  string
}

// todayView is the money of the day: gains and losses by the trades that ended in it.
type todayView struct {
	Sum        template.HTML
	Gain, Loss template.HTML
	Trades     int
}

// nextView is the auction that closes next.
type nextView struct {
	From  types.Time
	Price string
	Left  types.Time
	Path  string
}

// quietRow is a group of trades that wait for others and need nothing of the member.
type quietRow struct {
	Name  string
	Count int
	Path  string
	Text  template.HTML
}

// incoming is a sum that is locked in trades and due to the member.
type incoming struct {
	Asset  types.AssetID
	Sum    types.Amount
	Trades int
	Last   types.Time
}

// flowRow is a metered trade of the present slot.
type flowRow struct {
	Path    string
	Other   types.PublicKey
	Power   string
	Read    string
	Bar     template.HTML
	Sum     template.HTML
	Sells   bool
	Name    string // of a row that is no trade
	Class   string
	watt    uint64
	reading uint64
	all     uint64
}

func (c *screen) home() error {
	if !c.SignedIn() {
		return c.redirect("/start")
	}
	c.Nav, c.Live, c.Title = "now", "key:"+c.self.String(), string(c.T("nav.now"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := homeView{Agent: c.agentPanel(), DayName: c.Day(c.Status.BlockTime)}
	if err := c.look(&view); err != nil {
		return err
	}
	balances, err := c.ask().Balances(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balances = c.sorted(balances.Balances)
	if first := view.First(); first != nil {
		if err := c.today(&view, first.Asset); err != nil {
			return err
		}
	}
	if err := c.next(&view); err != nil {
		return err
	}
	if err := c.standing(&view); err != nil {
		return err
	}
	return c.render("now", &view)
}

// sorted puts the assets that the member or the community knows first.
func (c *screen) sorted(balances []wire.Balance) []wire.Balance {
	var known, others []wire.Balance
	for _, b := range balances {
		if b.Spendable == 0 && b.Locked == 0 && b.InOrders == 0 {
			continue
		}
		asset, found := c.facts.asset(c.r.Context(), b.Asset)
		if found && (asset.Recognised || c.trusts(&asset.Asset)) {
			known = append(known, b)
		} else {
			others = append(others, b)
		}
	}
	return append(known, others...)
}

// look goes through the member's open trades.
func (c *screen) look(v *homeView) error {
	open, err := c.ask().Trades(c.r.Context(), c.self, true, client.Page{Limit: mostOpen})
	if err != nil {
		return err
	}
	v.More = open.Next != ""
	flow := &flowView{}
	for i := range open.Trades {
		t := &open.Trades[i]
		a := &t.Trade.Agreement
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		if !trade.Running(status.Phase) && status.Phase != types.PhaseAgreed {
			continue
		}
		row := c.openRow(t, &status)
		if waitsFor(t, c.self) {
			row.Next = c.sentence(c.printer(a), status.Else...)
			row.Phase, _ = c.printer(a).Headline(&status)
			if row.Word = c.word(t, &status); row.Word != nil {
				row.Path += "#word"
			}
			v.Waiting = append(v.Waiting, row)
		} else {
			v.Running++
			c.quiet(v, t, &status)
		}
		if c.flow(a, &status) == "flowing" {
			flow.add(c, t, &row)
		}
		v.Incoming = addIncoming(v.Incoming, &t.Trade, &status)
	}
	v.Sells, v.Buys, v.With = power(flow.sold), power(flow.bought), len(flow.Rows)
	v.Price = flow.price(c)
	var live *Power
	if c.member.Agent != nil {
		live = c.member.Agent.State().Power
	}
	if v.Flow = flow; len(flow.Rows) > 0 || live != nil {
		flow.draw(c, live)
	}
	return nil
}

// quiet adds a running trade to those that need nothing of the member, by the side that acts next.
func (c *screen) quiet(v *homeView, t *wire.Trade, status *trade.Status) {
	p := c.printer(&t.Trade.Agreement)
	name := c.Plain("trades.for", "name", p.Actor(status.Turn.Role))
	for i := range v.Quiet {
		if row := &v.Quiet[i]; row.Name == name {
			row.Count++
			row.Path = "/trades"
			return
		}
	}
	text := c.sentence(p, status.Else...)
	v.Quiet = append(v.Quiet, quietRow{Name: name, Count: 1, Path: "/trades/" + t.ID.String(), Text: text})
}

// power writes watts in kW.
func power(watt uint64) string {
	if watt == 0 {
		return ""
	}
	const kilo = 1000
	return grouped(watt/kilo) + "." + string(rune('0'+watt%kilo/100)) + string(rune('0'+watt%100/10)) + space + "kW"
}

// addIncoming adds the payment that is locked in a trade and goes to the viewer by the release.
func addIncoming(list []incoming, t *types.Trade, s *trade.Status) []incoming {
	if s.Viewer != trade.Producer || s.Phase != types.PhaseDelivered {
		return list
	}
	payment, ok := t.Find(types.PartPayment)
	if !ok {
		return list
	}
	for i := range list {
		if list[i].Asset == t.Agreement.Asset {
			list[i].Sum = list[i].Sum.Saturate(payment.Amount)
			list[i].Trades++
			list[i].Last = max(list[i].Last, s.Turn.Until)
			return list
		}
	}
	return append(list, incoming{t.Agreement.Asset, payment.Amount, 1, s.Turn.Until})
}

// dayBegin is the beginning of the day of the last block, in the reader's zone.
func (c *screen) dayBegin() types.Time {
	at := c.local(c.Status.BlockTime)
	return types.TimeOf(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location()))
}

// today adds up the money of the day and draws its chart.
func (c *screen) today(v *homeView, asset types.AssetID) error {
	begin := c.dayBegin()
	trades, err := c.recent(begin)
	if err != nil {
		return err
	}
	var gain, loss types.Amount
	chart := dayChart{begin: begin, unit: types.UnitWattHour, asset: asset}
	for i := range trades {
		t := &trades[i]
		a := &t.Trade.Agreement
		if a.Asset != asset {
			continue
		}
		if more, less, at := statement.Result(&t.Trade, t.Phase, c.self, c.shares); at >= begin && more|less > 0 {
			gain, loss, v.Today.Trades = gain.Saturate(more), loss.Saturate(less), v.Today.Trades+1
		}
		if a.Goods.Commodity == types.CommodityEnergy && a.Goods.From >= begin && t.Phase != types.PhaseLapsed && t.Phase != types.PhaseRefunded && t.Phase != types.PhaseAgreed {
			chart.trade(a, a.Producer == c.self)
		}
	}
	if more, ok := gain.Sub(loss); ok {
		v.Today.Sum = c.Money(asset, more)
		if more > 0 {
			v.Today.Sum = template.HTML(`<span class="m">` + c.digits(asset, more, "+") + `<b>` + space + escape(c.Code(asset)) + `</b></span>`)
		}
	} else {
		less, _ := loss.Sub(gain)
		v.Today.Sum = template.HTML(`<span class="m">` + c.digits(asset, less, minus) + `<b>` + space + escape(c.Code(asset)) + `</b></span>`)
	}
	v.Today.Gain, v.Today.Loss = c.Sum(asset, gain), c.Sum(asset, loss)
	if chart.prices, err = c.dayAuctions(begin, asset); err != nil {
		return err
	}
	v.Day = c.drawDay(&chart)
	return nil
}

// recent lists the member's trades that may have ended since a moment: those that began half a day before it or later.
func (c *screen) recent(since types.Time) (trades []wire.Trade, err error) {
	const size, most, before = 50, 500, types.Time(12 * 60 * 60 * 1000)
	for after := ""; len(trades) < most; {
		page, err := c.ask().Trades(c.r.Context(), c.self, false, client.Page{After: after, Limit: size})
		if err != nil {
			return nil, err
		}
		trades = append(trades, page.Trades...)
		after = page.Next
		if n := len(trades); after == "" || n > 0 && len(trades[n-1].Trade.Steps) > 0 && trades[n-1].Trade.Steps[0].At+before < since {
			break
		}
	}
	return trades, nil
}

// dayAuctions lists the auctions of the slots of a day in an asset, the oldest first; none where the node keeps no index.
func (c *screen) dayAuctions(begin types.Time, asset types.AssetID) (auctions []history.Auction, err error) {
	filter := client.AuctionFilter{Commodity: types.CommodityEnergy, Asset: asset, From: begin, Until: begin.Add(dayLong), Oldest: true}
	page, err := c.ask().AuctionHistory(c.r.Context(), filter, client.Page{Limit: mostOpen})
	if types.CodeOf(err) == types.CodePruned { // a part of the day, or all of it
		filter.From = 0
		page, err = c.ask().AuctionHistory(c.r.Context(), filter, client.Page{Limit: mostOpen})
	}
	if code := types.CodeOf(err); code == types.CodeUnavailable || code.Absent() {
		return nil, nil
	}
	return page.Auctions, err
}

const dayLong = types.Duration(24 * 60 * 60 * 1000)

// next finds the auction that closes next, and its price if it closed now.
func (c *screen) next(v *homeView) error {
	products, err := c.ask().Products(c.r.Context(), client.Page{Limit: 1})
	if err != nil || len(products.Products) == 0 {
		return err
	}
	product := &products.Products[0]
	book, err := c.ask().Product(c.r.Context(), product.ID)
	if err != nil {
		return err
	}
	v.Next = nextView{From: product.Product.From, Left: product.Gate, Path: "/market/" + product.ID.String()}
	if len(book.Indicative) > 0 {
		v.Next.Price = c.LotPrice(product.Product.Asset, product.Product.Unit, book.Indicative[0].Price, product.Grid.Lot)
	}
	return nil
}

// standing adds the member's orders that wait for their auctions, with the way to each.
func (c *screen) standing(v *homeView) error {
	own, err := c.ask().KeyOrders(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	for i := range own.Orders {
		o := &own.Orders[i].Order
		id := o.Product.ID()
		v.Orders = append(v.Orders, quietRow{
			Name: c.Plain("order."+o.Side.String(), "q", c.Quantity(o.Quantity, o.Product.Unit), "price", c.LotPrice(o.Product.Asset, o.Product.Unit, o.Limit, o.Lot)),
			Path: "/market/" + id.String(), Text: c.T("now.order", "slot", c.Slot(o.Product.From, o.Product.Until), "sum", c.Money(o.Product.Asset, own.Orders[i].Stake)),
		})
	}
	return nil
}

// quarter finds the slot of a list of slots that begins at a moment.
func quarter(slots []daySlot, from types.Time) int {
	return slices.IndexFunc(slots, func(s daySlot) bool { return s.from == from })
}
