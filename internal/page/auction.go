package page

import (
	"context"
	"html/template"
	"slices"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/internal/advice"
	"lockstep/internal/svg"
	"lockstep/types"
)

// recomputed is an auction that was computed again from its orders.
type recomputed struct {
	Right       bool
	Orders      int
	Excluded    int
	Rounds      []types.Round
	Differences []string
	TooLarge    bool // more orders than a page recomputes
	Failed      string
}

// mostRecomputed bounds the orders of an auction that a page recomputes.
const mostRecomputed = 2000

// recompute computes an auction again from its orders. An auction never changes, so the answer is kept. One is computed at a time; false
// while another is, or when the deadline has passed: the next look has it.
func (f *facts) recompute(ctx context.Context, id types.ProductID, until time.Time) (found recomputed, done bool) {
	f.mu.Lock()
	found, known := f.audits[id]
	f.mu.Unlock()
	if known {
		return found, true
	}
	if time.Now().After(until) || !f.auditing.TryLock() {
		return recomputed{}, false
	}
	defer f.auditing.Unlock()
	found, err := recomputeNow(ctx, f.node, id)
	if err != nil {
		return recomputed{Failed: detail(err)}, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.audits) >= mostFacts {
		clear(f.audits)
	}
	f.audits[id] = found
	return found, true
}

// auditTime is the time that one look at the page takes to recompute auctions.
const auditTime = 300 * time.Millisecond

func recomputeNow(ctx context.Context, node *client.Client, id types.ProductID) (found recomputed, err error) {
	params, err := node.Params(ctx)
	if err != nil {
		return found, err
	}
	book, err := node.Product(ctx, id)
	if err != nil {
		return found, err
	}
	if book.Product.Orders > mostRecomputed {
		return recomputed{TooLarge: true}, nil
	}
	held, err := node.Auction(ctx, id)
	if err != nil {
		return found, err
	}
	var orders []wire.BookOrder
	for order, err := range node.AllProductOrders(ctx, id) {
		if err != nil {
			return found, err
		}
		orders = append(orders, order)
	}
	found = recomputed{Orders: len(orders), Rounds: held.Rounds, Differences: advice.Auction(&params, &held, orders)}
	found.Right = len(found.Differences) == 0
	for i := range held.Results {
		if held.Results[i].Excluded != "" {
			found.Excluded++
		}
	}
	return found, nil
}

// roundRow is a round of an auction: the orders whose owners have kept enough, at one price.
type roundRow struct {
	Name, Price, Volume string
	Text                template.HTML
}

// roundRows lists the rounds of the shown auction.
func (c *screen) roundRows(v *marketView, rounds []types.Round) (rows []roundRow) {
	product := v.Product()
	for i := range rounds {
		r := &rounds[i]
		row := roundRow{Name: c.Plain("market.round", "n", i+1), Price: c.LotPrice(product.Asset, product.Unit, r.Price, v.Shown.Product.Grid.Lot), Volume: c.Quantity(r.Volume, product.Unit)}
		switch {
		case r.Sellers == 0 && r.Buyers == 0:
			row.Text = c.T("market.round_all")
		case r.Buyers == 0:
			row.Text = c.T("market.round_sellers", "p", r.Sellers)
		case r.Sellers == 0:
			row.Text = c.T("market.round_buyers", "p", r.Buyers)
		default:
			row.Text = c.T("market.round_both", "p", r.Sellers, "q", r.Buyers)
		}
		rows = append(rows, row)
	}
	return rows
}

// levels adds orders up by their limits, the best first, as the node does for an open book.
func levels(orders []wire.BookOrder, side types.Side) (list []wire.Level) {
	for i := range orders {
		o := &orders[i].Order
		if o.Side != side {
			continue
		}
		at := slices.IndexFunc(list, func(l wire.Level) bool { return l.Limit == o.Limit })
		if at < 0 {
			list = append(list, wire.Level{Limit: o.Limit})
			at = len(list) - 1
		}
		list[at].Quantity, list[at].Orders = list[at].Quantity+o.Quantity, list[at].Orders+1
	}
	slices.SortFunc(list, func(a, b wire.Level) int {
		if (a.Limit < b.Limit) == (side == types.Sell) {
			return -1
		}
		return 1
	})
	return list
}

// orderWorst is the agreement that an order can become at most: with it both worst losses are stated.
func orderWorst(order *types.Order, grid *types.Grid, self types.PublicKey) *types.Agreement {
	lots := order.Quantity / max(grid.Lot, 1)
	times := func(each types.Amount) types.Amount {
		sum, ok := each.Times(lots)
		if !ok {
			return types.MaxAmount
		}
		return sum
	}
	a := &types.Agreement{
		Goods: order.Product.Goods(order.Quantity, types.Flow{}), Asset: order.Product.Asset, Price: times(order.Limit), Deposit: times(grid.Deposit), Bond: times(grid.Bond),
		Instalments: 1, Fallback: grid.Fallback,
	}
	if a.Consumer = self; order.Side == types.Sell {
		a.Consumer, a.Producer = types.PublicKey{}, self
	}
	return a
}

// drawMarketDay draws demand and supply in each slot of a day, with the matched part of both.
func (c *screen) drawMarketDay(auctions []history.Auction) template.HTML {
	type slot struct {
		from, until           types.Time
		asked, offered, match float64
	}
	var slots []slot
	most, first, last := 0.0, types.Time(0), types.Time(0)
	for i := range auctions {
		a := &auctions[i]
		asked, offered, match := a.Demanded.Big(), a.Offered.Big(), a.Volume.Big()
		if !asked.IsUint64() || !offered.IsUint64() || !match.IsUint64() || a.Product.Unit != types.UnitWattHour {
			continue
		}
		s := slot{a.Product.From, a.Product.Until, float64(asked.Uint64()), float64(offered.Uint64()), float64(match.Uint64())}
		slots = append(slots, s)
		most = max(most, s.asked, s.offered)
		if first == 0 || s.from < first {
			first = s.from
		}
		last = max(last, s.until)
	}
	if most == 0 || len(slots) < 2 {
		return ""
	}
	const hour = types.Time(3_600_000)
	first, last = first/hour*hour, (last+hour-1)/hour*hour
	out := ""
	for _, f := range []chart{
		{class: "ch wide-only", width: 1148, height: 300, x0: 56, right: 12, y0: 14, foot: 270}, {class: "ch narrow-only", width: 348, height: 260, x0: 44, right: 4, y0: 12, foot: 232},
	} {
		d := &svg.Drawing{}
		x := func(t types.Time) float64 {
			return f.x0 + float64(t-first)/float64(last-first)*(f.width-f.x0-f.right)
		}
		middle := (f.y0 + f.foot) / 2
		scale := (f.foot - f.y0) / 2 / (most * 1.08)
		for value, step := 0.0, roundStep(2*most); value <= most*1.05; value += step {
			for _, y := range []float64{middle - value*scale, middle + value*scale} {
				d.Add("line", "class", "gr", "x1", f.x0, "x2", f.width-f.right, "y1", y, "y2", y)
			}
			if value > 0 {
				d.Text(c.Quantity(uint64(value), types.UnitWattHour), "x", f.x0-6, "y", middle-value*scale+4, "text-anchor", "end")
			}
		}
		for _, s := range slots {
			left, w := x(s.from)+0.5, max(1, x(s.until)-x(s.from)-1)
			title := c.Slot(s.from, s.until) + c.Colon() + c.Plain("market.day_slot", "asked", c.Quantity(uint64(s.asked), types.UnitWattHour), "offered", c.Quantity(uint64(s.offered), types.UnitWattHour), "matched", c.Quantity(uint64(s.match), types.UnitWattHour))
			d.Titled(title, "rect", "class", "gridb", "x", left, "y", middle-s.asked*scale, "width", w, "height", (s.asked-s.match)*scale)
			d.Titled(title, "rect", "class", "soldb", "x", left, "y", middle-s.match*scale, "width", w, "height", s.match*scale)
			d.Titled(title, "rect", "class", "sn", "x", left, "y", middle, "width", w, "height", s.match*scale)
			d.Titled(title, "rect", "class", "sunsoft", "x", left, "y", middle+s.match*scale, "width", w, "height", (s.offered-s.match)*scale)
		}
		d.Add("line", "class", "base", "x1", f.x0, "x2", f.width-f.right, "y1", middle, "y2", middle)
		d.Text(c.Plain("market.day_asked"), "class", "halo", "x", f.x0+6, "y", f.y0+10)
		d.Text(c.Plain("market.day_offered"), "class", "halo", "x", f.x0+6, "y", f.foot-4)
		step := hour
		const room = 64
		for float64((last-first)/step) > f.width/room {
			step += hour
		}
		for at := first; at <= last; at += step {
			anchor := "middle"
			if at == first {
				anchor = "start"
			} else if f.width-x(at) < 20 {
				anchor = "end"
			}
			d.Text(c.Minute(at), "x", x(at), "y", f.foot+20, "text-anchor", anchor)
		}
		out += d.Inline(c.Plain("market.day_chart"), f.width, f.height, "class", f.class)
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}
