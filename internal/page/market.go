package page

import (
	"html/template"
	"math/big"
	"strconv"

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
	More     bool
	Auctions []history.Auction
	Next     string
	Offers   []wire.Offer
	Offer    string // to be shown first
	Open     bool
}

func (c *screen) market() error {
	c.Nav, c.Live, c.Title = "market", "blocks", string(c.T("nav.market"))
	ctx := c.r.Context()
	c.Status, c.Down = c.facts.status(ctx)
	view := marketView{Offer: c.r.URL.Query().Get("offer")}
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
	auctions, err := c.ask().AuctionHistory(ctx, client.AuctionFilter{}, client.Page{After: c.r.URL.Query().Get("after"), Limit: mostAuctions})
	if err == nil {
		view.Auctions, view.Next = auctions.Auctions, auctions.Next
	} else if code := types.CodeOf(err); code != types.CodeUnavailable && code != types.CodeNotFound {
		return err
	}
	return c.render("market", &view)
}

const (
	mostStrip    = 9
	mostAuctions = 12
)

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
		volume += rounds[i].Round.Volume
	}
	if len(rounds) > 0 {
		v.Price, v.Volume = c.Fraction(product.Asset, product.Unit, rounds[0].Price), c.Quantity(volume, product.Unit)
	}
	orders, err := c.ask().ProductOrders(ctx, v.ID, client.Page{Limit: mostOver})
	if err != nil && types.CodeOf(err) != types.CodeNotFound {
		return err
	}
	v.Orders, v.More = orders.Orders, orders.Next != ""
	if v.Open && len(book.Bids)+len(book.Offers) > 0 {
		v.Curves = c.curves(&book, volume)
	}
	return nil
}

// RoundPrice writes the price of a round of the shown product.
func (v *marketView) Product() *types.Product { return &v.Shown.Product.Product }

// curves draws what is asked and offered: steps of quantity and price, the traded part shaded.
func (c *screen) curves(book *wire.Book, traded uint64) template.HTML {
	product := &book.Product.Product
	value := func(rate types.Rate) float64 {
		exact := new(big.Rat).SetUint64(rate.Mantissa)
		exact.Quo(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(rate.Exponent)), nil)))
		f, _ := exact.Float64()
		return f
	}
	most, high := uint64(1), 0.0
	for _, levels := range [][]wire.Level{book.Bids, book.Offers} {
		var sum uint64
		for _, level := range levels {
			sum += level.Quantity
			high = max(high, value(level.Limit))
		}
		most = max(most, sum)
	}
	if high == 0 {
		return ""
	}
	const width, height, x0, y0, foot = 620.0, 380.0, 56.0, 26.0, 340.0
	x := func(q uint64) float64 { return x0 + float64(q)/float64(most)*(width-x0-16) }
	y := func(price float64) float64 { return foot - price/(high*1.1)*(foot-y0) }
	d := &svg.Drawing{}
	const lines = 4
	for i := range lines + 1 {
		price := high * 1.1 * float64(i) / lines
		d.Add("line", "class", "gr", "x1", x0, "x2", width-16, "y1", y(price), "y2", y(price))
		d.Text(c.axis(product, price), "x", x0-8, "y", y(price)+4, "text-anchor", "end")
		d.Text(grouped(most*uint64(i)/lines), "x", x(most*uint64(i)/lines), "y", foot+20, "text-anchor", "middle")
	}
	if traded > 0 {
		d.Add("rect", "class", "traded", "x", x0, "y", y0, "width", x(traded)-x0, "height", foot-y0)
		d.Add("line", "class", "now", "x1", x(traded), "x2", x(traded), "y1", y0, "y2", foot)
	}
	for _, side := range []struct {
		class  string
		levels []wire.Level
		label  string
	}{{"bidc", book.Bids, "market.asked"}, {"askc", book.Offers, "market.offered"}} {
		if len(side.levels) == 0 {
			continue
		}
		var sum uint64
		path := ""
		for i, level := range side.levels {
			command := "L"
			if i == 0 {
				command = "M"
			}
			path += command + point(x(sum), y(value(level.Limit)))
			sum += level.Quantity
			path += "L" + point(x(sum), y(value(level.Limit)))
		}
		end := y0
		if side.class == "bidc" {
			end = foot
		}
		path += "L" + point(x(sum), end)
		d.Add("path", "class", "curve "+side.class, "d", path)
		last := side.levels[len(side.levels)-1]
		anchor, at := "end", x(sum)-8
		if x(sum) < width/2 {
			anchor, at = "start", x(sum)+8
		}
		dy := -8.0
		if side.class == "askc" {
			dy = 18
		}
		d.Text(c.Plain(side.label, "q", c.Quantity(sum, product.Unit)), "class", "lb halo "+side.class, "x", at, "y", y(value(last.Limit))+dy, "text-anchor", anchor)
	}
	return template.HTML(d.Inline(c.Plain("market.curves"), width, height, "class", "ch")) //nolint:gosec // package svg escapes all texts
}

func point(x, y float64) string {
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
}

// axis writes a price beside the axis: its number alone.
func (c *screen) axis(product *types.Product, price float64) string {
	exact := new(big.Rat)
	exact.SetFloat64(price)
	text := c.Price(product.Asset, product.Unit, exact)
	for i, r := range text {
		if r == '\u00a0' {
			return text[:i]
		}
	}
	return text
}
