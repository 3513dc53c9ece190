package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

type orderCmd struct {
	Place    orderPlaceCmd    `cmd:"" help:"Bid or offer in the auction of a slot. An order locks nothing; a match must be paid and delivered."`
	List     orderListCmd     `cmd:"" help:"List your open orders."`
	Fills    orderFillsCmd    `cmd:"" help:"List your orders that came to an auction, with their fills."`
	Withdraw orderWithdrawCmd `cmd:"" help:"Withdraw an order from its book, before its gate closes."`
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
	MinFill   string      `help:"Smallest fill, such as 0.5kWh; by default any part." placeholder:"QUANTITY"`
	Expires   *types.Time `help:"Leave the order out of an auction that is held after this time; by default the begin of the slot." placeholder:"TIME"`
	Terms     []string    `help:"Accepted fallback terms, separated by commas: meter, arbiter:KEY, hold. By default meter for an offer of energy that a meter of the seller measures, meter and hold for a bid for energy, else hold." placeholder:"TERMS"`
	pointFlags
	MinRecord uint8  `help:"Trade only with keys that kept at least this percentage of their matches, by value: 0, 80 or 95." default:"0" zero:"" placeholder:"PERCENT"`
	Number    *uint8 `help:"Number of the order among your orders for the product; it replaces your order of that number. By default the lowest free one." zero:"" placeholder:"N"`
	yesFlag
}

type placed struct {
	Product types.ProductID `json:"product"`
	Order   types.OrderID   `json:"order"`
	Number  uint8           `json:"number"`
	From    types.Time      `json:"from"`
	Gate    types.Time      `json:"gate"`
	Receipt wire.Receipt    `json:"receipt"`
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
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	id, err := d.Place(order)
	if err != nil {
		return err
	}
	goods := order.Product.Goods(order.Quantity, order.Flow)
	receipt, err := s.send(ctx, d, c.yesFlag, plan{
		ask:   fmt.Sprintf("Place the %s for %s at %s or better", order.Side, describeGoods(&goods), s.limit(order.Product.Asset, order.Product.Unit, order.Limit)),
		worst: s.worstOfOrder(&order), odd: s.odd(ctx, &c.priceFlags, &goods, order.Product.Asset, exactly(order.Limit)),
	})
	if err != nil {
		return err
	}
	done := placed{order.Product.ID(), id, order.Number, order.Product.From, order.Product.Gate(&s.params), receipt}
	return a.show(done, func(p *page) {
		p.line("Placed the %s for %s at %s or better, as number %d.", order.Side, describeGoods(&goods), s.limit(order.Product.Asset, order.Product.Unit, order.Limit), order.Number)
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
	if order.Quantity, err = parseQuantity("--quantity", c.Quantity, c.Unit); err != nil {
		return order, err
	}
	if c.MinFill != "" {
		if order.MinFill, err = parseQuantity("--min-fill", c.MinFill, c.Unit); err != nil {
			return order, err
		}
	}
	if c.Expires != nil {
		order.Expires = *c.Expires
	}
	if order.Limit, err = parsePrice("--limit", c.Limit, c.Unit, &asset); err != nil {
		return order, err
	}
	if order.Product.From, order.Product.Until, err = c.slot(s); err != nil {
		return order, err
	}
	if err = c.choose(ctx, s, order.Side); err != nil {
		return order, err
	}
	if order.Accepts, err = parseTerms(c.Terms); err != nil {
		return order, err
	}
	order.Flow = c.flow()
	if c.Number != nil {
		order.Number = *c.Number
		return order, nil
	}
	order.Number, err = s.freeNumber(ctx, order.Product.ID())
	return order, err
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

// parseTerms parses the names of fallback terms and sorts the terms as an order must list them.
func parseTerms(names []string) ([]types.Fallback, error) {
	var accepts []types.Fallback
	for _, name := range names {
		kind, key, named := strings.Cut(name, ":")
		switch {
		case kind == "hold" && !named:
			accepts = append(accepts, &types.Hold{})
		case kind == "meter" && !named:
			accepts = append(accepts, &types.Meter{})
		case kind == "arbiter":
			arbiter, err := types.ParseKey(key)
			if err != nil {
				return nil, misuse("arbiter terms are written as arbiter:KEY: %w", err)
			}
			accepts = append(accepts, &types.Arbiter{Key: arbiter})
		default:
			return nil, misuse("%q are no terms: there are meter, arbiter:KEY and hold", name)
		}
	}
	slices.SortStableFunc(accepts, func(a, b types.Fallback) int { return types.TermsRank(a) - types.TermsRank(b) })
	return accepts, nil
}

// freeNumber returns the lowest number that no order of the account for a product has.
func (s *session) freeNumber(ctx context.Context, product types.ProductID) (uint8, error) {
	own, err := s.ordersFor(ctx, product)
	if err != nil {
		return 0, err
	}
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

// worstOfOrder states the worst loss by an order that is matched in full at its limit.
func (s *session) worstOfOrder(order *types.Order) (lines []string) {
	var losses []string
	for _, terms := range order.Accepts {
		if worst, err := order.Agreement(&s.params, terms); err == nil {
			told := s.worstOf(&worst)
			lines, losses = append(lines, told[0]), told[1:] // the worst loss does not depend on the terms
		}
	}
	return append(append(lines, losses...), "A match that is not paid or not delivered counts against the party at fault on its record.")
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
		p.row("order", "limit", "from", "zone", "terms", "no.", "product")
		for i := range orders {
			order := &orders[i].Order
			product := &order.Product
			goods := product.Goods(order.Quantity, order.Flow)
			p.row(order.Side.String()+" "+quantity(order.Quantity, product.Unit), s.limit(product.Asset, product.Unit, order.Limit), slotBegin(&goods), name(product.Zone),
				acceptsText(order.Accepts), fmt.Sprint(order.Number), short(product.ID()))
		}
	})
}

func acceptsText(accepts []types.Fallback) string {
	var names []string
	for _, terms := range accepts {
		names = append(names, types.FallbackKind(terms))
	}
	return strings.Join(names, ", ")
}

type orderWithdrawCmd struct {
	walletFlags
	yesFlag
	Product types.ProductID `arg:"" help:"The product's id."`
	Number  *uint8          `help:"Number of the order; not needed when there is only one." zero:"" placeholder:"N"`
}

func (c *orderWithdrawCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		number, err := c.number(ctx, s)
		if err != nil {
			return plan{}, err
		}
		d.Withdraw(c.Product, number)
		return plan{
			ask: fmt.Sprintf("Withdraw order %d for product %s", number, c.Product), done: fmt.Sprintf("Withdrew order %d for product %s", number, c.Product), free: true,
		}, nil
	})
}

func (c *orderWithdrawCmd) number(ctx context.Context, s *session) (uint8, error) {
	if c.Number != nil {
		return *c.Number, nil
	}
	own, err := s.ordersFor(ctx, c.Product)
	switch {
	case err != nil:
		return 0, err
	case len(own) == 0:
		return 0, types.Refuse(types.CodeOrderUnknown, "no order of yours stands for product %s", c.Product)
	case len(own) > 1:
		return 0, misuse("%d orders of yours stand for the product: choose one with --number; list them with: %s", len(own), s.next("order list"))
	}
	return own[0].Order.Number, nil
}
