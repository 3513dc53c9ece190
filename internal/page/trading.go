package page

import (
	"context"
	"errors"
	"html/template"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// tradingRoutes adds the questions about a member's own offers and orders.
func (s *Server) tradingRoutes(ask func(string, page), do func(string, page)) {
	ask("/sell", (*screen).askOffer)
	do("/sell", (*screen).doOffer)
	ask("/cancel/{id}", (*screen).askCancel)
	do("/cancel/{id}", (*screen).doCancel)
	ask("/market/{id}/order", (*screen).askOrder)
	do("/market/{id}/order", (*screen).doOrder)
	ask("/market/{id}/withdraw/{number}", (*screen).askWithdraw)
	do("/market/{id}/withdraw/{number}", (*screen).doWithdraw)
}

// offerForm holds the typed fields of an offer.
type offerForm struct {
	Goods, Quantity, Unit, Price, Asset, Note string
	Deposit, Bond                             string // in percent of the price
	Pay, Deliver                              string // in minutes: from now, and from then
	Error                                     string
	Assets                                    []wire.Balance
}

func (c *screen) readOfferForm() *offerForm {
	f := &offerForm{}
	for _, field := range []struct {
		name, fallback string
		to             *string
	}{
		{"goods", "", &f.Goods}, {"quantity", "1", &f.Quantity}, {"unit", types.UnitItem, &f.Unit}, {"price", "", &f.Price}, {"asset", "", &f.Asset}, {"note", "", &f.Note},
		{"deposit", "5", &f.Deposit}, {"bond", "5", &f.Bond}, {"pay", "60", &f.Pay}, {"deliver", "120", &f.Deliver},
	} {
		if *field.to = strings.TrimSpace(c.r.FormValue(field.name)); *field.to == "" {
			*field.to = field.fallback
		}
	}
	return f
}

// offer makes an offer of the typed fields, under hold terms: the money stays locked until the release.
func (c *screen) offer(f *offerForm) (offer types.Offer, err error) {
	var asset types.AssetID
	if err = asset.UnmarshalText([]byte(f.Asset)); err != nil {
		return offer, err
	}
	quantity, err := c.readQuantity(f.Quantity, types.MaxQuantity)
	if err != nil {
		return offer, err
	}
	price, err := c.amount(asset, f.Price)
	if err != nil {
		return offer, err
	}
	params, err := c.ask().Params(c.r.Context())
	if err != nil {
		return offer, err
	}
	pay, err := c.readQuantity(f.Pay, uint64(params.Horizon)/60_000)
	if err != nil {
		return offer, err
	}
	deliver, err := c.readQuantity(f.Deliver, uint64(params.Horizon)/60_000)
	if err != nil {
		return offer, err
	}
	deposit, err := wallet.ParseShare(f.Deposit)
	if err != nil {
		return offer, err
	}
	bond, err := wallet.ParseShare(f.Bond)
	if err != nil {
		return offer, err
	}
	minutes := func(n uint64) types.Duration { return types.Duration(n * 60_000) }
	payBy := c.Status.Clock.Add(minutes(pay))
	deliverBy := payBy.Add(minutes(deliver))
	return types.Offer{
		Goods: types.Goods{Commodity: f.Goods, Unit: f.Unit, Quantity: quantity, Note: f.Note}, Asset: asset, Price: types.Rate{Mantissa: uint64(price)},
		Deposit: partOf(price, deposit), Bond: partOf(price, bond), MinFill: 1, Instalments: 1, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{PayBy: payBy, DeliverBy: deliverBy, ReadingBy: deliverBy.Add(params.MinWindow), ConfirmBy: deliverBy.Add(2 * params.MinWindow)},
	}, nil
}

// partOf is a share of a price of one unit, rounded up.
func partOf(price types.Amount, share wallet.Share) types.Rate {
	part, ok := types.Rate{Mantissa: uint64(min(share, 6*wallet.Whole)), Exponent: 4}.Cost(uint64(price))
	if !ok {
		part = price
	}
	return types.Rate{Mantissa: uint64(part)}
}

func (c *screen) askOffer() error {
	c.Nav, c.Title = "market", string(c.T("sell.title"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	form := c.readOfferForm()
	balances, err := c.ask().Balances(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	form.Assets = c.sorted(balances.Balances)
	if c.r.FormValue("price") == "" {
		return c.render("sell", form)
	}
	offer, err := c.offer(form)
	if err == nil {
		err = c.confirmOffer(form, offer)
	}
	if err != nil {
		form.Error, c.code = c.explain(err), http.StatusUnprocessableEntity
		return c.render("sell", form)
	}
	return nil
}

// confirmOffer asks before an offer is posted: another member that takes it makes a trade of it without a further question.
func (c *screen) confirmOffer(f *offerForm, offer types.Offer) error {
	q := &question{
		Title: c.T("ask.offer", "goods", c.Goods(&offer.Goods)), Names: [2]string{c.Plain("sell.buyer"), c.Name(c.self) + " · " + c.Plain("you")}, Action: "/sell", Yes: c.T("yes.offer"), Back: "/sell",
		Rows: []questionRow{{c.T("ask.locks"), [2]template.HTML{"–", "–"}}},
		Lines: []template.HTML{
			c.T("ask.offer_each", "price", c.Rate(offer.Asset, offer.Goods.Unit, offer.Price), "deposit", c.Rate(offer.Asset, offer.Goods.Unit, offer.Deposit), "bond", c.Rate(offer.Asset, offer.Goods.Unit, offer.Bond)),
			c.T("ask.offer_times", "pay", c.By(offer.Deadlines.PayBy), "deliver", c.By(offer.Deadlines.DeliverBy)), c.T("does.offer"),
		},
		Fields: [][2]string{
			{"goods", f.Goods}, {"quantity", f.Quantity}, {"unit", f.Unit}, {"price", f.Price}, {"asset", f.Asset}, {"note", f.Note}, {"deposit", f.Deposit}, {"bond", f.Bond}, {"pay", f.Pay}, {"deliver", f.Deliver},
		},
	}
	q.Odd = c.oddPrice(c.r.Context(), &offer.Goods, offer.Asset, exactly(offer.Price))
	err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		if _, err = d.Post(offer, false); err != nil {
			return nil, err
		}
		whole, err := offer.Agreement(offer.Goods.Quantity, c.self, 1)
		if err == nil {
			whole.Producer = c.self
			c.worst(q, whole)
		}
		return d, nil
	})
	if err != nil {
		return err
	}
	return c.asked(q)
}

func (c *screen) doOffer() error {
	c.Status, c.Down = c.facts.status(c.r.Context())
	offer, err := c.offer(c.readOfferForm())
	if err != nil {
		return err
	}
	if err := c.accepts(c.r.Context(), &offer.Goods, offer.Asset, exactly(offer.Price)); err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error {
			_, err := d.Post(offer, false)
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/market#offers")
}

func (c *screen) askCancel() error {
	offer, err := c.offerOf()
	if err != nil {
		return err
	}
	c.Nav = "market"
	q := &question{
		Title: c.T("ask.cancel", "goods", offer.Offer.Goods.Commodity), Action: "/cancel/" + offer.ID.String(), Yes: c.T("yes.cancel"), Back: "/offers/" + offer.ID.String(),
		Lines: []template.HTML{c.T("does.cancel")},
	}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		return d, d.Cancel(offer.ID, &offer.Offer)
	}); err != nil {
		return err
	}
	return c.asked(q)
}

func (c *screen) doCancel() error {
	offer, err := c.offerOf()
	if err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error { return d.Cancel(offer.ID, &offer.Offer) })
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/market#offers")
}

// order reads an order of the shown auction. The wallet fills in the rest by the product's grid.
func (c *screen) order() (order types.Order, own []*types.Order, book wire.Book, err error) {
	c.Nav = "market"
	c.Status, c.Down = c.facts.status(c.r.Context())
	var id types.ProductID
	if err = c.whole("product", c.r.PathValue("id"), &id); err != nil {
		return order, own, book, err
	}
	if book, err = c.ask().Product(c.r.Context(), id); err != nil {
		return order, own, book, err
	}
	product := book.Product.Product
	quantity, err := c.readQuantity(c.r.FormValue("quantity"), types.MaxQuantity)
	if err != nil {
		return order, own, book, err
	}
	grid := &book.Product.Grid
	if err = wallet.CheckLots(grid, quantity, types.MaxQuantity); err != nil {
		return order, own, book, c.offGrid(&product, err)
	}
	price, err := c.limit(&product, c.r.FormValue("limit"))
	if err != nil {
		return order, own, book, err
	}
	limit, err := wallet.LotPrice(grid, price)
	if err != nil {
		return order, own, book, c.offGrid(&product, err)
	}
	order = types.Order{Product: product, Side: types.Bid, Quantity: quantity, Limit: limit}
	if c.r.FormValue("side") == types.Sell.String() {
		order.Side = types.Sell
	}
	if text := c.r.FormValue("record"); text != "" {
		record, err := strconv.ParseUint(text, 10, 8)
		if err != nil {
			return order, nil, book, c.tell(types.CodeOrder, "fault.record", "text", clipped(text))
		}
		order.MinRecord = uint8(record)
	}
	placed, err := c.ask().KeyOrders(c.r.Context(), c.self, client.Page{Limit: mostOpen})
	for i := range placed.Orders {
		if other := &placed.Orders[i].Order; other.Product.ID() == id {
			own, order.Number = append(own, other), max(order.Number, other.Number+1)
		}
	}
	return order, own, book, err
}

// offGrid says in the page's units which values are nearest to one that is not on the grid.
func (c *screen) offGrid(p *types.Product, err error) error {
	var off *wallet.OffGrid
	if !errors.As(err, &off) {
		return err
	}
	near := make([]string, len(off.Nearest))
	for i, value := range off.Nearest {
		if near[i] = c.Quantity(value, p.Unit); off.Limit {
			near[i] = c.LotPrice(p.Asset, p.Unit, types.Amount(value), off.Lot)
		}
	}
	return c.tell(types.CodeOrder, "order.nearest", "near", strings.Join(near, c.Plain("order.or")))
}

// limit reads a price as the page writes them: ct/kWh for energy in an asset with cents, else the asset for each unit.
func (c *screen) limit(product *types.Product, text string) (types.Rate, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "−") {
		return types.Rate{}, types.Refuse(types.CodeOrder, "%s", c.Plain("order.below_zero", "limit", text))
	}
	typed, err := types.ParseRate(text)
	asset, known := c.facts.asset(c.r.Context(), product.Asset)
	if err != nil || !known {
		return typed, c.tell(types.CodeMalformed, "fault.price", "text", clipped(text))
	}
	power := int(asset.Asset.Decimals)
	if product.Unit == types.UnitWattHour {
		power -= 3
		if asset.Asset.Decimals >= 2 {
			power -= 2
		}
	}
	exact := exactly(typed)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil)
	if power < 0 {
		exact.Quo(exact, new(big.Rat).SetInt(ten))
	} else {
		exact.Mul(exact, new(big.Rat).SetInt(ten))
	}
	return types.ParseRate(strings.TrimRight(strings.TrimRight(exact.FloatString(types.MaxExponent), "0"), "."))
}

func (c *screen) askOrder() error {
	order, own, book, err := c.order()
	if err == nil {
		err = c.confirmOrder(order, own, &book)
	}
	if code := types.CodeOf(err); err == nil || code == types.CodeUnavailable || code == types.CodeNotFound {
		return err
	}
	return c.marketWith(&orderForm{ // what was typed stays
		Side: c.r.FormValue("side"), Quantity: c.r.FormValue("quantity"), Limit: c.r.FormValue("limit"), Record: c.r.FormValue("record"), Error: c.explain(err),
	})
}

// orderForm holds the typed fields of an order.
type orderForm struct{ Side, Quantity, Limit, Record, Error string }

// confirmOrder asks before an order is placed.
func (c *screen) confirmOrder(order types.Order, own []*types.Order, book *wire.Book) error {
	product := &book.Product.Product
	q := &question{
		Title:  c.T("ask.order_"+order.Side.String(), "q", c.Quantity(order.Quantity, product.Unit), "slot", c.Slot(product.From, product.Until), "price", c.LotPrice(product.Asset, product.Unit, order.Limit, book.Product.Grid.Lot)),
		Action: "/market/" + book.Product.ID.String() + "/order", Yes: c.T("yes.order"), Back: "/market/" + book.Product.ID.String(),
		Fields: [][2]string{{"side", order.Side.String()}, {"quantity", strconv.FormatUint(order.Quantity, 10)}, {"limit", c.r.FormValue("limit")}, {"record", strconv.Itoa(int(order.MinRecord))}},
	}
	most := orderWorst(&order, &book.Product.Grid, c.self)
	q.Names = [2]string{c.Plain("sell.buyer"), c.Plain("order.seller")}
	stake, side := most.Price.Saturate(most.Deposit), 0
	if order.Side == types.Sell {
		stake, side = most.Bond, 1
	}
	q.Names[side] = c.Plain("you")
	locks := questionRow{c.T("ask.locks"), [2]template.HTML{"–", "–"}}
	locks.Sides[side] = c.Money(product.Asset, stake)
	q.Rows = append(q.Rows, locks)
	c.worst(q, most)
	goods := product.Goods(order.Quantity, types.Flow{})
	q.Odd = c.oddPrice(c.r.Context(), &goods, product.Asset, lotEach(order.Limit, book.Product.Grid.Lot))
	q.Lines = []template.HTML{c.T("does.order", "t", c.By(book.Product.Withdrawable), "gate", c.By(book.Product.Gate)), c.T("order.terms." + terms(book.Product.Grid.Fallback))}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		_, err = d.Place(order, nil, own...)
		return d, err
	}); err != nil {
		return err
	}
	return c.asked(q)
}

func (c *screen) doOrder() error {
	order, own, book, err := c.order()
	if err != nil {
		return err
	}
	goods := order.Product.Goods(order.Quantity, types.Flow{})
	if err := c.accepts(c.r.Context(), &goods, order.Product.Asset, lotEach(order.Limit, book.Product.Grid.Lot)); err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error {
			_, err := d.Place(order, nil, own...)
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/market/" + book.Product.ID.String())
}

// withdrawal reads which of the member's orders is to be withdrawn.
func (c *screen) withdrawal() (order types.Order, err error) {
	c.Nav = "market"
	var id types.ProductID
	if err = c.whole("product", c.r.PathValue("id"), &id); err != nil {
		return order, err
	}
	n, err := strconv.ParseUint(c.r.PathValue("number"), 10, 8)
	if err != nil {
		return order, c.tell(types.CodeMalformed, "fault.order", "text", clipped(c.r.PathValue("number")))
	}
	own, err := c.ask().KeyOrders(c.r.Context(), c.self, client.Page{Limit: mostOpen})
	for i := range own.Orders {
		if order = own.Orders[i].Order; order.Product.ID() == id && order.Number == uint8(n) {
			return order, err
		}
	}
	if err == nil {
		err = c.tell(types.CodeOrderUnknown, "fault.order_gone", "n", n)
	}
	return order, err
}

func (c *screen) askWithdraw() error {
	order, err := c.withdrawal()
	if err != nil {
		return err
	}
	id := order.Product.ID()
	q := &question{
		Title: c.T("ask.withdraw"), Action: "/market/" + id.String() + "/withdraw/" + strconv.Itoa(int(order.Number)), Yes: c.T("yes.withdraw"), Back: "/market/" + id.String(),
		Lines: []template.HTML{c.T("does.withdraw")},
	}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		return d, d.Withdraw(&order)
	}); err != nil {
		return err
	}
	return c.asked(q)
}

func (c *screen) doWithdraw() error {
	order, err := c.withdrawal()
	if err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error { return d.Withdraw(&order) })
		return err
	})
	if err != nil {
		return err
	}
	id := order.Product.ID()
	return c.redirect("/market/" + id.String())
}

// terms names the kind of the terms of a match.
func terms(fallback types.Fallback) string {
	switch fallback.(type) {
	case *types.Meter:
		return "meter"
	case *types.Arbiter:
		return "arbiter"
	case *types.Hold:
	}
	return "hold"
}
