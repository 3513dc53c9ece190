package page

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/internal/svg"
	"lockstep/types"
)

type marketView struct {
	Products []wire.Product
	Shown    *wire.Book
	ID       types.ProductID
	Curves   template.HTML
	Price    string // if the gate closed now, or as it closed
	Volume   string
	Left     types.Time // block time at which the gate closes
	Orders   []wire.BookOrder
	Mine     []wire.BookOrder // of the member
	More     bool
	Auctions []history.Auction
	Next     string
	Since    *history.Since // of the auctions
	Offers   []wire.Offer
	Offer    string // to be shown first
	Open     bool

	Before  []pastSlot // the last auctions, in the strip
	Rounds  []roundRow
	More2   int // rounds that are not shown
	Checked map[types.ProductID]recomputed
	Again   *recomputed // of the shown auction
	Day     template.HTML
	Own     []ownOrder
	Form    orderForm
	Levels  []uint8 // least records that an order can demand
	Most    uint64  // quantity of the largest order
}

// pastSlot is an auction that was held, in the strip.
type pastSlot struct {
	ID    types.ProductID
	From  types.Time
	Price string
}

// ownOrder is an order of the member with both worst losses.
type ownOrder struct {
	wire.BookOrder
	Worst [2]template.HTML // of the member, of the other side
}

func (c *screen) market() error { return c.marketWith(&orderForm{Side: c.r.URL.Query().Get("side")}) }

// marketWith shows the market with an order as it was typed, and why it can't be placed.
func (c *screen) marketWith(typed *orderForm) error {
	c.Nav, c.Live, c.Title = "market", "blocks", string(c.T("nav.market"))
	ctx := c.r.Context()
	c.Status, c.Down = c.facts.status(ctx)
	view := marketView{Offer: c.r.URL.Query().Get("offer"), Form: *typed}
	if typed.Error != "" {
		c.code, c.Live = http.StatusUnprocessableEntity, ""
	}
	products, err := c.ask().Products(ctx, client.Page{Limit: mostStrip})
	if err != nil {
		return err
	}
	view.Products = products.Products
	switch text := c.r.PathValue("id"); {
	case text != "":
		if err := c.whole("product", text, &view.ID); err != nil {
			return err
		}
	case len(view.Products) > 0:
		view.ID = view.Products[0].ID
	}
	if (view.ID != types.ProductID{}) {
		if err := c.book(&view); err != nil {
			return err
		}
	}
	offers, err := c.ask().Offers(ctx, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Offers = offers.Offers
	if day, err := c.dayAuctions(c.dayBegin(), c.marketAsset(&view)); err == nil {
		view.Day = c.drawMarketDay(day)
	}
	auctions, err := c.ask().AuctionHistory(ctx, client.AuctionFilter{}, client.Page{After: c.r.URL.Query().Get("after"), Limit: mostAuctions})
	if err == nil {
		view.Auctions, view.Next, view.Since = auctions.Auctions, auctions.Next, auctions.Since
		c.lastAuctions(&view)
	} else if code := types.CodeOf(err); code != types.CodeUnavailable && code != types.CodeNotFound {
		return err
	}
	return c.render("market", &view)
}

const (
	mostStrip    = 9
	mostAuctions = 12
)

// marketAsset is the asset of the shown product, or of the newest auction.
func (c *screen) marketAsset(v *marketView) (asset types.AssetID) {
	if v.Shown != nil {
		asset = v.Product().Asset
	}
	return asset
}

// lastAuctions recomputes the listed auctions, and puts the newest of them into the strip.
func (c *screen) lastAuctions(v *marketView) {
	const inStrip = 2
	v.Checked = map[types.ProductID]recomputed{}
	until := time.Now().Add(auditTime)
	for i := range v.Auctions {
		a := &v.Auctions[i]
		v.Checked[a.ProductID], _ = c.facts.recompute(c.r.Context(), a.ProductID, until)
		if i < inStrip {
			past := pastSlot{ID: a.ProductID, From: a.Product.From}
			if len(a.Rounds) > 0 {
				past.Price, _, _ = cutUnit(c.LotPrice(a.Product.Asset, a.Product.Unit, a.Rounds[0].Price, a.Lot))
			}
			v.Before = append([]pastSlot{past}, v.Before...)
		}
	}
}

// Check is the recomputation of a listed auction.
func (v *marketView) Check(id types.ProductID) recomputed { return v.Checked[id] }

// book fills in the product that is shown.
func (c *screen) book(v *marketView) error {
	ctx := c.r.Context()
	book, err := c.ask().Product(ctx, v.ID)
	if err != nil {
		return err
	}
	v.Shown, v.Open, v.Left = &book, book.Product.State == wire.ProductOpen, book.Product.Gate
	product := &book.Product.Product
	rounds := book.Indicative
	if book.Held != nil {
		rounds = book.Held.Rounds
	}
	var volume uint64
	for i := range rounds {
		volume += rounds[i].Volume
	}
	if len(rounds) > 0 {
		v.Price, v.Volume = c.LotPrice(product.Asset, product.Unit, rounds[0].Price, book.Product.Grid.Lot), c.Quantity(volume, product.Unit)
	}
	orders, err := c.ask().ProductOrders(ctx, v.ID, client.Page{Limit: mostOver})
	if err != nil && !types.CodeOf(err).Absent() {
		return err
	}
	v.Orders, v.More = orders.Orders, orders.Next != ""
	for _, order := range v.Orders {
		if order.Order.Owner == c.self && c.SignedIn() {
			v.Mine = append(v.Mine, order)
		}
	}
	v.Rounds, v.More2 = c.roundRows(v, rounds), max(0, book.IndicativeCount-len(book.Indicative))
	for i := range v.Orders {
		v.Most = max(v.Most, v.Orders[i].Order.Quantity)
	}
	c.ownOrders(v)
	if book.Held != nil {
		book.Bids, book.Offers = levels(v.Orders, types.Bid), levels(v.Orders, types.Sell)
		if again, done := c.facts.recompute(ctx, v.ID, time.Now().Add(auditTime)); done {
			v.Again = &again
		}
	}
	if len(book.Bids)+len(book.Offers) > 0 {
		v.Curves = c.curves(&book, volume)
	}
	return nil
}

// ownOrders states both worst losses of each order of the member.
func (c *screen) ownOrders(v *marketView) {
	v.Levels = types.RecordLevels()
	for _, order := range v.Mine {
		a := orderWorst(&order.Order, &v.Shown.Product.Grid, c.self)
		var q question
		c.worst(&q, a)
		own := ownOrder{BookOrder: order, Worst: q.Rows[0].Sides}
		if order.Order.Side == types.Sell {
			own.Worst[0], own.Worst[1] = own.Worst[1], own.Worst[0]
		}
		v.Own = append(v.Own, own)
	}
}

// Size draws the quantity of an order beside the largest.
func (v *marketView) Size(o *wire.BookOrder) template.HTML {
	return bar("bar "+o.Order.Side.String()+"b", "", barPart{"fill", float64(o.Order.Quantity)}, barPart{"none", float64(v.Most - min(v.Most, o.Order.Quantity))})
}

// Product is the product that is shown.
func (v *marketView) Product() *types.Product { return &v.Shown.Product.Product }

// Record writes the share of matches that the owner of an order has kept; nothing while it has none.
func (c *screen) Record(o *wire.BookOrder) string {
	if o.Record == (types.Conduct{}) {
		return "–"
	}
	return fmt.Sprintf("%d"+space+"%%", o.Percent)
}

// Side lists the orders of a side, the best price first.
func (v *marketView) Side(side string) (orders []*wire.BookOrder) {
	for i := range v.Orders {
		if v.Orders[i].Order.Side.String() == side {
			orders = append(orders, &v.Orders[i])
		}
	}
	slices.SortStableFunc(orders, func(a, b *wire.BookOrder) int {
		sign := 1
		if side == types.Bid.String() {
			sign = -1
		}
		return sign * cmp.Compare(a.Order.Limit, b.Order.Limit)
	})
	return orders
}

// chart is the field of a drawing of curves.
type chart struct {
	class                          string
	width, height, x0, right, foot float64
	y0, most, high                 float64
}

func (f *chart) x(quantity float64) float64 { return f.x0 + quantity/f.most*(f.width-f.x0-f.right) }
func (f *chart) y(price float64) float64    { return f.foot - price/f.high*(f.foot-f.y0) }

// roundStep is a round number of which a few make up a length.
func roundStep(length float64) float64 {
	const steps = 4
	rough := length / steps
	step := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, times := range []float64{1, 2, 2.5, 5, 10} {
		if step*times >= rough {
			return step * times
		}
	}
	return step
}

// curves draws bids and offers as steps of quantity and price, with the traded part shaded: at two widths.
func (c *screen) curves(book *wire.Book, traded uint64) template.HTML {
	price := func(limit types.Amount) float64 { return float64(limit) / float64(max(book.Product.Grid.Lot, 1)) }
	most, high := 1.0, 0.0
	for _, levels := range [][]wire.Level{book.Bids, book.Offers} {
		sum := 0.0
		for _, level := range levels {
			sum, high = sum+float64(level.Quantity), max(high, price(level.Limit))
		}
		most = max(most, sum)
	}
	if high == 0 {
		return ""
	}
	out := ""
	for _, field := range []chart{
		{"ch wide-only", 720, 400, 56, 16, 356, 26, most * 1.04, high * 1.12}, {"ch narrow-only", 348, 300, 44, 8, 262, 22, most * 1.04, high * 1.12},
	} {
		out += c.drawCurves(&field, book, float64(traded))
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}

func (c *screen) drawCurves(f *chart, book *wire.Book, traded float64) string {
	product := &book.Product.Product
	d := &svg.Drawing{}
	for price, step := 0.0, roundStep(f.high); price <= f.high; price += step {
		d.Add("line", "class", "gr", "x1", f.x0, "x2", f.width-f.right, "y1", f.y(price), "y2", f.y(price))
		d.Text(c.axis(product, price), "x", f.x0-8, "y", f.y(price)+4, "text-anchor", "end")
	}
	for quantity, step := 0.0, roundStep(f.most); quantity <= f.most; quantity += step {
		d.Text(grouped(uint64(quantity)), "x", f.x(quantity), "y", f.foot+20, "text-anchor", "middle")
	}
	d.Text(c.PriceUnit(product), "x", f.x0-8, "y", f.y0-10, "text-anchor", "start")
	if traded > 0 {
		d.Add("rect", "class", "traded", "x", f.x0, "y", f.y0, "width", f.x(traded)-f.x0, "height", f.foot-f.y0)
		d.Add("line", "class", "now", "x1", f.x(traded), "x2", f.x(traded), "y1", f.y0, "y2", f.foot)
	}
	labels := [][2]float64{} // where a label stands
	for _, side := range []struct {
		class  string
		levels []wire.Level
		label  string
	}{{"bidc", book.Bids, "market.asked"}, {"askc", book.Offers, "market.offered"}} {
		if len(side.levels) == 0 {
			continue
		}
		sum, last, path := 0.0, 0.0, ""
		for i, level := range side.levels {
			command := "L"
			if i == 0 {
				command = "M"
			}
			last = float64(level.Limit) / float64(max(book.Product.Grid.Lot, 1))
			path += command + point(f.x(sum), f.y(last))
			sum += float64(level.Quantity)
			path += "L" + point(f.x(sum), f.y(last))
		}
		end, dy := f.y0, -8.0 // the last offer is the dearest, the last bid the cheapest: their labels stand outside
		if side.class == "bidc" {
			if end, dy = f.foot, 18; f.y(last)+dy > f.foot {
				dy = -8
			}
		}
		d.Add("path", "class", "curve "+side.class, "d", path+"L"+point(f.x(sum), end))
		anchor, at := "end", f.x(sum)-8
		if f.x(sum) < f.width/2 {
			anchor, at = "start", f.x(sum)+8
		}
		const wide, high = 150, 20 // of a label
		y := f.y(last) + dy
		for _, other := range labels {
			if math.Abs(other[0]-at) < wide && math.Abs(other[1]-y) < high {
				y = other[1] + high
			}
		}
		labels = append(labels, [2]float64{at, y})
		d.Text(c.Plain(side.label, "q", c.Quantity(uint64(sum), product.Unit)), "class", "lb halo "+side.class, "x", at, "y", y, "text-anchor", anchor)
	}
	return d.Inline(c.Plain("market.curves"), f.width, f.height, "class", f.class)
}

func point(x, y float64) string {
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
}

// PriceUnit is the unit in which a product's prices are written.
func (c *screen) PriceUnit(product *types.Product) string {
	_, unit, _ := strings.Cut(c.Price(product.Asset, product.Unit, new(big.Rat)), space)
	return unit
}

// axis writes a price beside the axis: its number alone.
func (c *screen) axis(product *types.Product, price float64) string {
	exact := new(big.Rat)
	exact.SetFloat64(price)
	text, _, _ := strings.Cut(c.Price(product.Asset, product.Unit, exact), space)
	return strings.TrimSuffix(text, ".00")
}
