package main

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/types"
)

// pageFlags are the flags of a list that may be long.
type pageFlags struct {
	After string `help:"Continue after this item: the value of next in the last page." placeholder:"NEXT"`
	Limit int    `help:"Most items of a page, up to 500." default:"20" placeholder:"N"`
}

func (f *pageFlags) page() client.Page { return client.Page{After: f.After, Limit: f.Limit} }

// more prints how to get the next page.
func (p *page) more(next string) {
	if next != "" {
		p.line("\nThere are more: --after %s", next)
	}
}

// since prints where the history of the node begins, when it does not keep all.
func (p *page) since(s *history.Since) {
	if s != nil {
		p.line("\nThis node has the history from block %d on (%s): ask a node that keeps all for earlier times.", s.Height, stamp(s.Clock))
	}
}

type marketHistoryCmd struct {
	lookFlags
	Commodity string     `help:"Only of this commodity." placeholder:"TEXT"`
	Zone      string     `help:"Only of this zone." placeholder:"TEXT"`
	Asset     string     `help:"Only those paid in this asset, by its code or its id." placeholder:"ASSET"`
	From      types.Time `help:"Only of slots that begin then or later." placeholder:"TIME"`
	Until     types.Time `help:"Only of slots that begin before." placeholder:"TIME"`
	By        string     `help:"Sum up by hour or day; needs --commodity, --unit and --asset." enum:",hour,day" default:""`
	Unit      string     `help:"With --by: unit of the goods." default:"Wh"`
	Oldest    bool       `help:"The oldest first."`
	pageFlags
}

func (c *marketHistoryCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	var asset types.AssetID
	if c.Asset != "" {
		known, err := s.asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		asset = known.ID()
	}
	if c.By != "" {
		return c.volumes(ctx, s, asset)
	}
	told, err := s.node.AuctionHistory(ctx, client.AuctionFilter{
		Commodity: c.Commodity, Zone: c.Zone, Asset: asset, From: c.From, Until: c.Until, Oldest: c.Oldest,
	}, c.page())
	if err != nil {
		return err
	}
	return a.show(told, func(p *page) {
		if len(told.Auctions) == 0 {
			p.line("No auction of these was held up to block %d.%s", told.At.Height,
				s.zoneHint(ctx, client.AuctionFilter{Commodity: c.Commodity, Asset: asset, From: c.From, Until: c.Until}))
			p.since(told.Since)
			return
		}
		p.row("from", "zone", "price", "volume", "demanded", "offered", "product")
		for i := range told.Auctions {
			auction := &told.Auctions[i]
			goods := auction.Product.Goods(1, types.Flow{})
			p.row(slotBegin(&goods), name(auction.Product.Zone), s.prices(auction), volume(auction.Volume, auction.Product.Unit),
				volume(auction.Demanded, auction.Product.Unit), volume(auction.Offered, auction.Product.Unit), short(auction.ProductID))
		}
		p.more(told.Next)
		p.since(told.Since)
	})
}

// prices lists the prices of an auction, one for each round.
func (s *session) prices(auction *history.Auction) string {
	if auction.Void != "" {
		return auction.Void
	}
	var prices []string
	for i := range auction.Rounds {
		prices = append(prices, s.lotPrice(&auction.Product, auction.Lot, auction.Rounds[i].Price))
	}
	if len(prices) == 0 {
		return "-"
	}
	return strings.Join(prices, ", ")
}

// decimal formats a price of one unit of goods, which the node gives in smallest units of the asset.
func (s *session) decimal(asset types.AssetID, unit, price string) string {
	exact, ok := new(big.Rat).SetString(price)
	if !ok {
		return "-"
	}
	return s.rate(asset, unit, exact)
}

// volume formats a sum of quantities.
func volume(total types.Total, unit string) string {
	if total.Hi == 0 {
		return quantity(total.Lo, unit)
	}
	return total.String() + " " + name(unit)
}

func (c *marketHistoryCmd) volumes(ctx context.Context, s *session, asset types.AssetID) error {
	c.Unit = unitOf(c.Unit)
	told, err := s.node.VolumeHistory(ctx, client.VolumeFilter{
		Commodity: c.Commodity, Unit: c.Unit, Zone: c.Zone, Asset: asset, Span: c.By, From: c.From, Until: c.Until, Oldest: c.Oldest,
	}, c.page())
	if err != nil {
		return err
	}
	return s.app.show(told, func(p *page) {
		if len(told.Volumes) == 0 {
			where := "without a zone"
			if c.Zone != "" {
				where = "in zone " + name(c.Zone)
			}
			p.line("Nothing of this market %s was auctioned up to block %d.%s", where, told.At.Height,
				s.zoneHint(ctx, client.AuctionFilter{Commodity: c.Commodity, Asset: asset, From: c.From, Until: c.Until}))
			p.since(told.Since)
			return
		}
		p.row("from", "average price", "volume", "auctions", "orders", "trades")
		for i := range told.Volumes {
			sum := &told.Volumes[i]
			p.row(stamp(sum.Starts), s.decimal(asset, c.Unit, sum.Average), volume(sum.Volume, c.Unit), fmt.Sprint(sum.Auctions),
				fmt.Sprint(sum.Orders), fmt.Sprint(sum.Trades))
		}
		p.more(told.Next)
		p.since(told.Since)
	})
}

type marketTradesCmd struct {
	lookFlags
	Party   types.PublicKey `help:"Only trades of this key." find:"" placeholder:"KEY"`
	Role    string          `help:"Role of the party in the trades: producer or consumer." enum:",producer,consumer" default:""`
	Product types.ProductID `help:"Only trades of this product." placeholder:"ID"`
	Phase   types.Phase     `help:"Only trades in this phase, such as released." placeholder:"PHASE"`
	From    types.Time      `help:"Only trades agreed then or later." placeholder:"TIME"`
	Until   types.Time      `help:"Only trades agreed before." placeholder:"TIME"`
	pageFlags
}

func (c *marketTradesCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	told, err := s.node.TradeHistory(ctx, client.TradeFilter{
		Party: c.Party, Role: c.Role, Product: c.Product, Phase: c.Phase, From: c.From, Until: c.Until,
	}, c.page())
	if err != nil {
		return err
	}
	return a.show(told, func(p *page) {
		if len(told.Trades) == 0 {
			p.line("There are no such trades up to block %d.", told.At.Height)
			p.since(told.Since)
			return
		}
		p.row("agreed", "phase", "quantity", "price", "by auction", "trade")
		for i := range told.Trades {
			trade := &told.Trades[i]
			matched := "no"
			if trade.Matched {
				matched = "yes"
			}
			p.row(strings.ReplaceAll(stamp(trade.AgreedAt), " ", fixedSpace), trade.Phase.String(), quantity(trade.Quantity, trade.Product.Unit), s.money(trade.Product.Asset, trade.Price),
				matched, short(trade.ID))
		}
		p.more(told.Next)
		p.since(told.Since)
	})
}

type marketConductCmd struct {
	lookFlags
	Key types.PublicKey `arg:"" find:"" help:"The key, or its beginning."`
}

// conduct holds the trades and the records of a key.
type conduct struct {
	Trades  history.Member  `json:"trades"`
	Records wire.KeyRecords `json:"records"`
}

func (c *marketConductCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	var known conduct
	if known.Trades, err = s.node.Conduct(ctx, c.Key, client.Page{}); err != nil {
		return err
	}
	if known.Records, err = s.node.Records(ctx, c.Key, client.Page{}); err != nil {
		return err
	}
	return a.show(known, func(p *page) {
		if len(known.Trades.Assets) == 0 {
			p.line("The key has no trades up to block %d.", known.Trades.At.Height)
			p.since(known.Trades.Since)
			return
		}
		for i := range known.Trades.Assets {
			s.conduct(p, &known.Trades.Assets[i])
		}
		for i := range known.Records.Records {
			record := &known.Records.Records[i]
			p.line("By value it kept %[2]d %% of its matches paid in %[1]s: an order can demand such a record.", s.code(record.Asset), record.Percent)
		}
		p.line("A record can be forged by trades with oneself: it informs, and proves nothing.")
		p.since(known.Trades.Since)
	})
}

// conduct prints the outcomes of a key's trades in one asset.
func (s *session) conduct(p *page, told *history.Statistics) {
	producer, consumer := &told.AsProducer, &told.AsConsumer
	p.row("paid in "+s.code(told.Asset), "as producer", "as consumer")
	for _, row := range []struct {
		what string
		of   func(*history.Conduct) history.Tally
	}{
		{"trades", (*history.Conduct).All},
		{"open", func(c *history.Conduct) history.Tally { return c.Open }},
		{"released", func(c *history.Conduct) history.Tally { return c.Released }},
		{"split, as both wished", func(c *history.Conduct) history.Tally { return c.Split }},
		{"lapsed: not paid", func(c *history.Conduct) history.Tally { return c.Lapsed }},
		{"refunded: not delivered", func(c *history.Conduct) history.Tally { return c.Refunded }},
		{"disputed: by meter or arbiter", (*history.Conduct).Disputed},
	} {
		p.row(row.what, tally(row.of(producer)), tally(row.of(consumer)))
	}
	p.row("excused: the chain stood still", fmt.Sprint(producer.Excused), fmt.Sprint(consumer.Excused))
	p.line("")
}

func tally(t history.Tally) string { return fmt.Sprint(t.Trades) }

type orderFillsCmd struct {
	walletFlags
	Key     *types.PublicKey `find:"" help:"Orders of this key instead of the wallet's." placeholder:"KEY"`
	Product types.ProductID  `help:"Only for this product." placeholder:"ID"`
	pageFlags
}

func (c *orderFillsCmd) Run(ctx context.Context, a *app) error {
	s, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
	if err != nil {
		return err
	}
	told, err := s.node.Fills(ctx, key, c.Product, c.page())
	if err != nil {
		return err
	}
	return a.show(told, func(p *page) {
		if len(told.Fills) == 0 {
			p.line("No order of this key has come to an auction up to block %d.", told.At.Height)
			p.since(told.Since)
			return
		}
		p.row("from", "side", "asked", "filled", "for", "locked", "came back", "left out", "product")
		for i := range told.Fills {
			fill := &told.Fills[i]
			goods := fill.Product.Goods(1, types.Flow{})
			left := fill.Excluded + fill.Void
			if left == "" {
				left = "-"
			}
			p.row(slotBegin(&goods), fill.Side.String(), quantity(fill.Quantity, fill.Product.Unit), quantity(fill.Filled, fill.Product.Unit),
				s.total(fill.Product.Asset, fill.Value), s.money(fill.Product.Asset, fill.Stake),
				s.money(fill.Product.Asset, fill.Stake-min(fill.Used, fill.Stake)), left, short(fill.ProductID))
		}
		p.more(told.Next)
		p.since(told.Since)
	})
}

// total formats a sum of money, which may be more than any one amount.
func (s *session) total(asset types.AssetID, total types.Total) string {
	if total.Hi == 0 {
		return s.money(asset, types.Amount(total.Lo))
	}
	return total.String() + " smallest units of " + s.code(asset)
}
