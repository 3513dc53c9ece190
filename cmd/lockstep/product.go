package main

import (
	"context"
	"fmt"

	"lockstep/client/wire"
	"lockstep/trade/words"
	"lockstep/types"
)

type marketProductsCmd struct {
	lookFlags
	Zone string `help:"Only products of this zone." placeholder:"TEXT"`
	mostFlag
}

func (c *marketProductsCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	var others zones
	products, err := list(a, s.node.AllProducts(ctx), c.mostFlag, func(p *wire.Product) bool { return others.wanted(c.Zone, p.Product.Zone) })
	if err != nil {
		return err
	}
	return a.show(products, func(p *page) {
		if len(products) == 0 && len(others.seen) > 0 {
			p.line("No product of this zone has orders.%s", others.hint())
			return
		}
		if len(products) == 0 {
			p.line("No product has orders. The first order opens its book: %s", a.next("order place"))
			return
		}
		p.row("gate", "from", "of", "zone", "paid in", "orders", "product")
		for i := range products {
			product := &products[i].Product
			goods := product.Goods(1, types.Flow{})
			p.row(about(&words.Printer{}, products[i].Gate, s.status.BlockTime), slotBegin(&goods), name(product.Commodity), name(product.Zone), s.code(product.Asset),
				fmt.Sprint(products[i].Orders), short(products[i].ID))
		}
	})
}

type marketBookCmd struct {
	lookFlags
	Product types.ProductID `arg:"" help:"The product's id; lockstep market products lists those that are open."`
}

func (c *marketBookCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	book, err := s.node.Product(ctx, c.Product)
	if err != nil {
		return err
	}
	return a.show(book, func(p *page) {
		goods := book.Product.Product.Goods(1, types.Flow{})
		p.line("Product   %s", book.Product.ID)
		p.line("Goods     %s, %s, %s", name(goods.Commodity), slotText(&words.Printer{}, &goods), name(goods.Zone))
		if book.Held != nil {
			s.held(p, &book)
			return
		}
		s.grid(p, &book.Product.Grid, goods.Unit, book.Product.Product.Asset)
		p.line("Withdraw  until %s; from then on orders can only be improved", stamp(book.Product.Withdrawable))
		p.line("Gate      %s, %s\n", stamp(book.Product.Gate), remaining(book.Product.Gate, book.BlockTime))
		s.depth(p, &book)
	})
}

// depth prints an open book and its indicative result: offers from the highest down, then bids, so that the best meet.
func (s *session) depth(p *page, book *wire.Book) {
	unit := book.Product.Product.Unit
	row := func(side types.Side, level *wire.Level) {
		p.row(side.String(), s.lotPrice(&book.Product.Product, book.Product.Grid.Lot, level.Limit), quantity(level.Quantity, unit), fmt.Sprint(level.Orders))
	}
	p.row("side", "limit", "quantity", "orders")
	for i := range book.Offers {
		row(types.Sell, &book.Offers[len(book.Offers)-1-i])
	}
	for i := range book.Bids {
		row(types.Bid, &book.Bids[i])
	}
	p.line("")
	switch {
	case book.Omitted != "":
		p.line("No indicative result: %s.", book.Omitted)
	case len(book.Indicative) == 0:
		p.line("If the gate closed now nothing would be traded.")
	default:
		p.line("If the gate closed now:")
		s.rounds(p, book.Indicative, &book.Product)
	}
}

func (s *session) held(p *page, book *wire.Book) {
	p.line("Cleared   at height %d, %s; %d orders, %d trades", book.Held.Height, stamp(book.Held.BlockTime), book.Product.Orders, book.Held.Trades)
	switch {
	case book.Held.Void != "":
		p.line("No auction was held: %s.", book.Held.Void)
	case len(book.Held.Rounds) == 0:
		p.line("No bid met an offer: nothing was traded.")
	default:
		s.rounds(p, book.Held.Rounds, &book.Product)
	}
	p.line("Check it with: %s", s.next("market audit", book.Product.ID.String()))
}

func (s *session) rounds(p *page, rounds []types.Round, of *wire.Product) {
	p.row("price", "volume", "sellers' record", "buyers' record")
	for i := range rounds {
		round := &rounds[i]
		p.row(s.lotPrice(&of.Product, of.Grid.Lot, round.Price), quantity(round.Volume, of.Product.Unit),
			fmt.Sprintf("%d%%", round.Sellers), fmt.Sprintf("%d%%", round.Buyers))
	}
}
