package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

type orderCmd struct {
	Place    orderPlaceCmd    `cmd:"" help:"Bid or offer in the auction of a slot. An order locks its stake: all that it can cost. A match of it is paid."`
	List     orderListCmd     `cmd:"" help:"List your open orders."`
	Fills    orderFillsCmd    `cmd:"" help:"List your orders that came to an auction, with their fills."`
	Withdraw orderWithdrawCmd `cmd:"" help:"Withdraw an order from its book, up to one smallest window before its gate closes. Its stake comes back."`
}

type orderPlaceCmd struct {
	walletFlags
	priceFlags
	Side      string      `help:"bid to buy, offer to sell; buy and sell mean the same." enum:"bid,offer,buy,sell" required:""`
	Quantity  string      `help:"Largest quantity, such as 2kWh; a number alone counts units." required:"" placeholder:"QUANTITY"`
	Limit     string      `help:"Worst price by quantity: 30ct/kWh, 0.30/kWh or 45EUR/MWh for energy; a number alone is for one unit of anything else." required:"" placeholder:"PRICE"`
	Asset     string      `help:"Asset of the payment, by its code or its id." required:"" placeholder:"ASSET"`
	Zone      string      `help:"Place of delivery." placeholder:"TEXT"`
	From      string      `help:"Begin of the slot, or \"next\": the first one whose gate is still open." default:"next" placeholder:"TIME"`
	Until     *types.Time `help:"End of the slot; by default one slot of the ledger later." placeholder:"TIME"`
	Commodity string      `help:"Commodity of the goods." default:"energy"`
	Unit      string      `help:"Unit of the goods." default:"Wh"`
	MinFill   string      `help:"Smallest fill, such as 0.5kWh; by default one lot." placeholder:"QUANTITY"`
	Expires   *types.Time `help:"Leave the order out of an auction that is held after this time; by default the begin of the slot." placeholder:"TIME"`
	pointFlags
	MinRecord uint8  `help:"Trade only with keys that kept at least this percentage of their matches, by value: 0, 80 or 95." default:"0" zero:"" placeholder:"PERCENT"`
	Number    *uint8 `help:"Number of the order among your orders for the product; it replaces your order of that number. By default the lowest free one." zero:"" placeholder:"N"`
	yesFlag
}

type placed struct {
	Product  types.ProductID `json:"product"`
	Order    types.OrderID   `json:"order"`
	Number   uint8           `json:"number"`
	Replaced bool            `json:"replaced"`
	Stake    types.Amount    `json:"stake"`
	From     types.Time      `json:"from"`
	Gate     types.Time      `json:"gate"`
	Receipt  wire.Receipt    `json:"receipt"`
}

func (c *orderPlaceCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	order, err := c.order(ctx, s)
	if err != nil {
		return err
	}
	replaces, own, err := c.number(ctx, s, &order)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	id, err := d.Place(order, replaces, own...)
	if err != nil {
		return err
	}
	p, err := s.placing(&order, replaces)
	if err != nil {
		return err
	}
	goods := order.Product.Goods(order.Quantity, order.Flow)
	w := &words.Printer{}
	p.odd = s.odd(ctx, &c.priceFlags, &goods, order.Product.Asset, perUnit(order.Limit, order.Lot))
	receipt, err := s.send(ctx, d, c.yesFlag, p)
	if err != nil {
		return err
	}
	stake, _ := order.Stake() // fits: placed
	done := placed{order.Product.ID(), id, order.Number, replaces != nil, stake, order.Product.From, order.Product.Gate(&s.params), receipt}
	return a.show(done, func(p *page) {
		p.line("Placed the %s for %s at %s or better, as number %d: %s are locked.", order.Side, describeGoods(w, &goods),
			s.lotPrice(&order.Product, order.Lot, order.Limit), order.Number, s.money(order.Product.Asset, stake))
		p.line("Order %s, product %s.", id, done.Product)
		p.line("The gate closes at %s; list the matches after it with: %s", stamp(done.Gate), a.next("trade list"))
	})
}

// order returns the order that the flags describe, without the fields that the wallet fills in.
func (c *orderPlaceCmd) order(ctx context.Context, s *session) (order types.Order, err error) {
	asset, err := s.asset(ctx, c.Asset)
	if err != nil {
		return order, err
	}
	order = types.Order{
		ChainID: s.params.ChainID, Owner: s.account.Key(), Side: types.Sell, MinRecord: c.MinRecord,
		Product: types.Product{Commodity: c.Commodity, Unit: unitOf(c.Unit), Zone: c.Zone, Asset: asset.ID()},
	}
	if c.Side == types.Bid.String() || c.Side == "buy" {
		order.Side = types.Bid
	}
	if c.Expires != nil {
		order.Expires = *c.Expires
	}
	if order.Product.From, order.Product.Until, err = c.slot(s); err != nil {
		return order, err
	}
	grid, ok := s.params.Grid(&order.Product)
	if !ok {
		return order, types.Refuse(types.CodeProduct, "this ledger holds no auctions of %s in %s, paid in %s; it holds those of: %s",
			name(c.Commodity), name(order.Product.Unit), asset.Code, s.next("market show"))
	}
	order.Lot, order.Deposit, order.Bond, order.Fallback = grid.Lot, grid.Deposit, grid.Bond, grid.Fallback
	if err := c.amounts(grid, &asset, &order, s.params.MarketOf(&order.Product).MaxQuantity); err != nil {
		return order, err
	}
	if order.Side == types.Sell && grid.Metered() && c.Point == nil {
		if err := c.choosePoint(ctx, s, s.account.Key(), ""); err != nil {
			return order, err
		}
		if c.Point == nil {
			return order, misuse("matches of this product are settled by the seller's meter, and no connection point of yours sells %s: ask an operator to enrol one", name(c.Direction))
		}
	}
	order.Flow = c.flow()
	return order, nil
}

// amounts sets quantity, smallest fill and limit, which must be on the grid.
func (c *orderPlaceCmd) amounts(grid *types.Grid, asset *types.Asset, order *types.Order, most uint64) (err error) {
	if order.Quantity, err = c.lots("--quantity", c.Quantity, grid, most); err != nil {
		return err
	}
	if c.MinFill != "" {
		if order.MinFill, err = c.lots("--min-fill", c.MinFill, grid, order.Quantity); err != nil {
			return err
		}
	}
	rate, form, err := readPrice("--limit", c.Limit, c.Unit, asset)
	if err != nil {
		return err
	}
	if rate.Mantissa == 0 && order.Side == types.Bid {
		return misuse("--limit %q is nothing: a bid is above zero", c.Limit)
	}
	order.Limit, err = wallet.LotPrice(grid, rate)
	if off := (*wallet.OffGrid)(nil); errors.As(err, &off) {
		return offLimit(c.Limit, order.Product.Unit, grid, asset, &form, off)
	}
	return err
}

// offLimit refuses a limit that is not on the grid, and names the nearest ones as the user has written his.
func offLimit(written, unit string, grid *types.Grid, asset *types.Asset, form *priceForm, off *wallet.OffGrid) error {
	at := func(lot uint64) string { return form.text(perUnit(types.Amount(lot), grid.Lot)) }
	steps := fmt.Sprintf("prices step by %s up to %s, a lot being %s", at(uint64(grid.Tick)), at(uint64(grid.Ceiling)), quantity(grid.Lot, unit))
	hint := ""
	if coarse := off.Nearest[0] == uint64(grid.Tick) && len(off.Nearest) == 1 && grid.Ceiling > grid.Tick; coarse {
		hint = fmt.Sprintf("; the %d decimal places of %s are too coarse for the lots of this ledger: use an asset with more", asset.Decimals, asset.Code)
	}
	if len(off.Nearest) == 2 {
		return misuse("--limit %q is between two steps: %s and %s are the nearest (%s)", written, at(off.Nearest[0]), at(off.Nearest[1]), steps)
	}
	return misuse("--limit %q is not possible: the nearest is %s (%s)%s", written, at(off.Nearest[0]), steps, hint)
}

// lots parses a quantity that must be a whole number of lots.
func (c *orderPlaceCmd) lots(flag, text string, grid *types.Grid, most uint64) (uint64, error) {
	n, err := parseQuantity(flag, text, c.Unit)
	if err != nil {
		return 0, err
	}
	unit := unitOf(c.Unit)
	off := (*wallet.OffGrid)(nil)
	if err := wallet.CheckLots(grid, n, most); errors.As(err, &off) {
		near := nearest(off.Nearest, func(n uint64, _ int) string { return sameUnit(text, n, unit) })
		return 0, misuse("%s %q is not a whole number of lots of %s: %s", flag, text, quantity(grid.Lot, unit), near)
	}
	return n, nil
}

// number sets the number of the order. It returns the order that it replaces, nil for none, and all of the account's orders for the product.
func (c *orderPlaceCmd) number(ctx context.Context, s *session, order *types.Order) (replaces *types.Order, own []*types.Order, err error) {
	placed, err := s.ordersFor(ctx, order.Product.ID())
	if err != nil {
		return nil, nil, err
	}
	for i := range placed {
		own = append(own, &placed[i].Order)
	}
	if c.Number == nil {
		order.Number, err = s.freeNumber(placed)
		return nil, own, err
	}
	order.Number = *c.Number
	for _, o := range own {
		if o.Number == order.Number {
			replaces = o
		}
	}
	return replaces, own, nil
}

// placing returns the plan to place an order: the sums that it locks now, a match at the limit, and the worst losses.
func (s *session) placing(order, replaces *types.Order) (p plan, err error) {
	match, err := wallet.AtLimit(&s.params, order)
	if err != nil {
		return p, err
	}
	stake, _ := order.Stake() // fits: placed
	product, goods := &order.Product, order.Product.Goods(order.Quantity, order.Flow)
	money := func(amount types.Amount) string { return s.money(product.Asset, amount) }
	verb, locks := "Place", "your bond of "+money(stake)
	if order.Side == types.Bid {
		locks = fmt.Sprintf("%s: %s for the goods at the limit and a deposit of %s", money(stake), money(match.Price), money(match.Deposit))
	}
	if replaces != nil {
		verb = "Replace your order of this number by"
		if back, ok := replaces.Stake(); ok {
			locks += fmt.Sprintf("; %s of the order that it replaces are free for it", money(back))
		}
	}
	last := product.Withdrawable(&s.params)
	withdrawable := fmt.Sprintf("You can withdraw it until %s.", stamp(last))
	if s.status.BlockTime > last {
		withdrawable = fmt.Sprintf("You can't withdraw it: that was possible until %s.", stamp(last))
	}
	w := &words.Printer{Money: money, Viewer: roleOf(order.Side)} // as the rest of the question is in English
	p.ask = fmt.Sprintf("%s the %s for %s at %s or better, and lock %s", verb, order.Side, describeGoods(w, &goods),
		s.lotPrice(product, order.Lot, order.Limit), money(stake))
	p.worst = append(p.worst,
		fmt.Sprintf("It locks %s. What no match needs is yours again when the auction has been held. %s", locks, withdrawable),
		fmt.Sprintf("Matched in full at its limit: price %s.", w.Text(trade.PriceOf(&match))),
	)
	you, other := roleOf(order.Side), roleOf(3-order.Side)
	p.worst = append(p.worst, sentences(w, trade.Risks(&match, you, other)...)...)
	return p, nil
}

// slot returns the slot that the flags name.
func (c *orderPlaceCmd) slot(s *session) (from, until types.Time, err error) {
	if c.From == "next" {
		from = nextSlot(max(s.status.BlockTime, types.Time(time.Now().UnixMilli())), &s.params)
	} else if from, err = parseMoment(c.From); err != nil {
		return 0, 0, misuse("--from is \"next\" or a time: %w", err)
	} else if err := s.checkOpen(from); err != nil {
		return 0, 0, err
	}
	until = from.Add(s.params.Slot)
	if c.Until != nil {
		until = *c.Until
	}
	return from, until, nil
}

// nextSlot returns the begin of the first slot whose gate closes late enough for an order that is signed now.
func nextSlot(now types.Time, params *types.Params) types.Time {
	slot := types.Time(max(params.Slot, 1))
	ready := now.Add(params.ClockCap).Add(params.Market.Gate)
	return (ready + slot - 1) / slot * slot
}

// freeNumber returns the lowest number that none of the account's orders for a product has.
func (s *session) freeNumber(own []wire.BookOrder) (uint8, error) {
	free := uint8(0)
	for _, order := range own { // in order of their numbers
		if order.Order.Number == free {
			free++
		}
	}
	if most := s.params.Market.KeyOrders; free >= most && most > 0 {
		return 0, types.Refuse(types.CodeOrder, "you have %d orders for the product, the most of one key: withdraw one, or replace one with --number", most)
	}
	return free, nil
}

func (s *session) ordersFor(ctx context.Context, product types.ProductID) (own []wire.BookOrder, err error) {
	for order, err := range s.node.AllKeyOrders(ctx, s.account.Key()) {
		if err != nil {
			return nil, err
		}
		if order.Order.Product.ID() == product {
			own = append(own, order)
		}
	}
	return own, nil
}

type orderListCmd struct {
	walletFlags
	Key *types.PublicKey `help:"Orders of this key instead of the wallet's." find:"" placeholder:"KEY"`
	mostFlag
}

func (c *orderListCmd) Run(ctx context.Context, a *app) error {
	s, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
	if err != nil {
		return err
	}
	orders, err := list(a, s.node.AllKeyOrders(ctx, key), c.mostFlag, all)
	if err != nil {
		return err
	}
	return a.show(orders, func(p *page) {
		if len(orders) == 0 {
			p.line("No order stands. List the matches with: %s", a.next("trade list"))
			return
		}
		p.row("order", "limit", "locked", "from", "zone", "terms", "no.", "product")
		for i := range orders {
			order := &orders[i].Order
			product := &order.Product
			goods := product.Goods(order.Quantity, order.Flow)
			p.row(order.Side.String()+" "+quantity(order.Quantity, product.Unit), s.lotPrice(product, order.Lot, order.Limit), s.money(product.Asset, orders[i].Stake),
				slotBegin(&goods), name(product.Zone), types.FallbackKind(order.Fallback), fmt.Sprint(order.Number), short(product.ID()))
		}
	})
}

type orderWithdrawCmd struct {
	walletFlags
	yesFlag
	Product types.ProductID `arg:"" help:"The product's id."`
	Number  *uint8          `help:"Number of the order; not needed when there is only one." zero:"" placeholder:"N"`
}

func (c *orderWithdrawCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		order, err := c.order(ctx, s)
		if err != nil {
			return plan{}, err
		}
		back := ""
		if stake, ok := order.Stake(); ok {
			back = "; its stake of " + s.money(order.Product.Asset, stake)
		}
		return plan{
			ask:  fmt.Sprintf("Withdraw order %d for product %s%s comes back", order.Number, c.Product, back),
			done: fmt.Sprintf("Withdrew order %d for product %s%s is yours again", order.Number, c.Product, back), free: true,
		}, d.Withdraw(order)
	})
}

// order returns the order that the flags name.
func (c *orderWithdrawCmd) order(ctx context.Context, s *session) (*types.Order, error) {
	own, err := s.ordersFor(ctx, c.Product)
	if err != nil {
		return nil, err
	}
	if c.Number != nil {
		own = slices.DeleteFunc(own, func(o wire.BookOrder) bool { return o.Order.Number != *c.Number })
	}
	switch {
	case len(own) == 0 && c.Number != nil:
		return nil, types.Refuse(types.CodeOrderUnknown, "no order %d of yours stands for product %s", *c.Number, c.Product)
	case len(own) == 0:
		return nil, types.Refuse(types.CodeOrderUnknown, "no order of yours stands for product %s", c.Product)
	case len(own) > 1:
		return nil, misuse("%d orders of yours stand for the product: choose one with --number; list them with: %s", len(own), s.next("order list"))
	}
	return &own[0].Order, nil
}

// roleOf is the role of an order's owner in the trades that come of it.
func roleOf(side types.Side) trade.Role {
	if side == types.Bid {
		return trade.Consumer
	}
	return trade.Producer
}
