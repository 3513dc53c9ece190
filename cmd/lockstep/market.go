package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"lockstep/market"
	"lockstep/types"
	"lockstep/wallet"
)

type marketCmd struct {
	Show     marketShowCmd     `cmd:"" help:"Print the rules of the ledger's auctions: lots, price steps, ceilings, stakes and times."`
	Products marketProductsCmd `cmd:"" help:"List the products that are open to orders, by gate."`
	Book     marketBookCmd     `cmd:"" help:"Print a product's order book and the result of an auction now; once it is cleared, the actual result."`
	Audit    marketAuditCmd    `cmd:"" help:"Recompute an auction from its orders, and compare every price, pair and trade."`
	History  marketHistoryCmd  `cmd:"" help:"List the auctions that were held, with prices and volumes, or sum them up by hour or day."`
	Trades   marketTradesCmd   `cmd:"" help:"List the trades of all keys, by party, product, phase and time."`
	Conduct  marketConductCmd  `cmd:"" help:"Print the outcomes of all trades of a key, and its record from auctions."`
	Clear    marketClearCmd    `cmd:"" help:"Clear an auction of the orders in a file: one price for all, by the rule of the ledger."`
}

type marketClearCmd struct {
	File string `arg:"" help:"CSV with a header: id, side (bid or offer), quantity, price (of one unit), and optionally owner and min_fill; - for standard input."`
	Lot  uint64 `help:"Units of a lot: quantities and smallest fills are whole lots. 1 unless given." default:"1" placeholder:"N"`
	Tick string `help:"Step of the prices of one unit: limits are whole steps, and so is the result. 1 unless given." default:"1" placeholder:"PRICE"`
}

type clearing struct {
	Price   *string           `json:"price"`         // of one unit; null when nothing is traded
	Low     string            `json:"low,omitempty"` // prices of the same volume and imbalance, of which it is one
	High    string            `json:"high,omitempty"`
	Volume  uint64            `json:"volume"`
	Fills   map[string]uint64 `json:"fills"` // by id; orders that get nothing are not there
	Welfare string            `json:"welfare"`
	Netted  uint64            `json:"netted"` // trades of owners with themselves, left out
}

func (c *marketClearCmd) Run(a *app) error {
	orders, err := a.orders(c.File)
	if err != nil {
		return err
	}
	shown, err := c.clear(orders)
	if err != nil {
		return err
	}
	return a.show(shown, func(p *page) {
		if shown.Price == nil {
			p.line("No bid meets an offer: nothing is traded.")
			return
		}
		p.line("Price %s, volume %d, welfare %s\n", *shown.Price, shown.Volume, shown.Welfare)
		p.row("order", "side", "limit", "asked", "gets")
		for _, o := range orders {
			p.row(o.id, o.side.String(), o.price.String(), fmt.Sprint(o.quantity), fmt.Sprint(shown.Fills[o.id]))
		}
	})
}

// clear clears the orders by the rule of the ledger, in lots and ticks.
func (c *marketClearCmd) clear(orders []fileOrder) (shown clearing, err error) {
	rate, err := types.ParseRate(c.Tick)
	if err != nil || rate.Mantissa == 0 {
		return shown, misuse("--tick %q is not a step of prices: write a number such as 0.01", c.Tick)
	}
	tick := exactly(rate)
	list := make([]market.Order, len(orders))
	for i := range orders {
		if list[i], err = orders[i].lots(c.Lot, tick); err != nil {
			return shown, fmt.Errorf("orders, line %d: %w", orders[i].line, err)
		}
	}
	result, err := market.Clear(list)
	if err != nil {
		return shown, err
	}
	shown = clearing{Volume: result.Volume * c.Lot, Fills: map[string]uint64{}, Netted: result.Netted * c.Lot}
	for _, fill := range result.Fills {
		shown.Fills[fill.ID] = fill.Lots * c.Lot
	}
	price := func(ticks *big.Int) string { return market.Decimal(new(big.Rat).Mul(tick, new(big.Rat).SetInt(ticks))) }
	welfare := result.Welfare.Big() // of lots, at prices of one unit
	shown.Welfare = price(welfare.Mul(welfare, new(big.Int).SetUint64(c.Lot)))
	if result.Volume > 0 {
		text := price(new(big.Int).SetUint64(result.Price))
		shown.Price = &text
		shown.Low, shown.High = price(new(big.Int).SetUint64(result.Low)), price(new(big.Int).SetUint64(result.High))
	}
	return shown, nil
}

// fileOrder is a line of a file of orders.
type fileOrder struct {
	line      int
	id, owner string // no owner: one of its own
	side      types.Side
	quantity  uint64
	minFill   uint64 // 0: any part
	price     types.Rate
}

// lots returns the order in lots and ticks.
func (o *fileOrder) lots(lot uint64, tick *big.Rat) (order market.Order, err error) {
	order = market.Order{ID: o.id, Owner: o.owner, Side: o.side, Lots: o.quantity / lot, MinFill: o.minFill / lot}
	for _, number := range []struct {
		of   string
		n    uint64
		most uint64
	}{{"quantity", o.quantity, types.MaxQuantity}, {"min_fill", o.minFill, o.quantity}} {
		off := (*wallet.OffGrid)(nil)
		if err := wallet.CheckLots(&types.Grid{Lot: lot}, number.n, number.most); errors.As(err, &off) {
			return order, types.Refuse(types.CodeOrder, "%s %d is not a whole number of lots of %d: %s", number.of, number.n, lot, nearest(off.Nearest, strconv.FormatUint))
		}
	}
	ticks := new(big.Rat).Quo(exactly(o.price), tick)
	if !ticks.IsInt() {
		return order, types.Refuse(types.CodeOrder, "price %s is not a whole number of steps of %s: %s; or give the step of the prices by --tick, such as %s",
			o.price, market.Decimal(tick), o.nearestPrices(ticks, tick), types.Rate{Mantissa: 1, Exponent: max(o.price.Exponent, 1)})
	}
	if !ticks.Num().IsUint64() {
		return order, fmt.Errorf("price %s is more ticks of %s than can be counted: take larger ones", o.price, market.Decimal(tick))
	}
	order.Limit = ticks.Num().Uint64()
	return order, nil
}

// nearestPrices names the steps around a price that is none. A bid at zero is none either.
func (o *fileOrder) nearestPrices(ticks, tick *big.Rat) string {
	below := new(big.Int).Quo(ticks.Num(), ticks.Denom())
	steps := []*big.Int{below, new(big.Int).Add(below, big.NewInt(1))}
	if below.Sign() == 0 && o.side == types.Bid {
		steps = steps[1:]
	}
	return nearest(steps, func(step *big.Int, _ int) string {
		return market.Decimal(new(big.Rat).Mul(tick, new(big.Rat).SetInt(step)))
	})
}

// nearest lists one or two values that are on a grid, beside one that is not.
func nearest[T any](values []T, text func(T, int) string) string {
	if len(values) == 1 {
		return text(values[0], 10) + " is the nearest"
	}
	return text(values[0], 10) + " and " + text(values[1], 10) + " are the nearest"
}

// maxOrdersFile bounds a file of orders: the most orders of an auction, each well below 256 bytes.
const maxOrdersFile = types.MaxBook * 256

func (a *app) orders(path string) ([]fileOrder, error) {
	text, err := a.input(path, maxOrdersFile)
	if err != nil {
		return nil, err
	}
	return readOrders(bytes.NewReader(text))
}

// readOrders reads a CSV. Its errors name the line.
func readOrders(source io.Reader) ([]fileOrder, error) {
	reader := csv.NewReader(source)
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header of the orders: %w", err)
	}
	columns, err := orderColumns(header)
	if err != nil {
		return nil, err
	}
	var orders []fileOrder
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return orders, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the orders: %w", err)
		}
		line, _ := reader.FieldPos(0)
		order, err := parseOrder(columns, record)
		if err == nil && len(orders) == types.MaxBook {
			err = fmt.Errorf("more than the %d orders of one auction", types.MaxBook)
		}
		if err != nil {
			return nil, fmt.Errorf("orders, line %d: %w", line, err)
		}
		order.line = line
		orders = append(orders, order)
	}
}

func orderColumns(header []string) (map[string]int, error) {
	known := []string{"id", "side", "quantity", "price", "owner", "min_fill"}
	columns := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("column %q of the orders is not known: there are %s", name, strings.Join(known, ", "))
		}
		if _, twice := columns[name]; twice {
			return nil, fmt.Errorf("column %q of the orders is there twice", name)
		}
		columns[name] = i
	}
	for _, name := range known[:4] {
		if _, there := columns[name]; !there {
			return nil, fmt.Errorf("the orders have no column %q", name)
		}
	}
	return columns, nil
}

func parseOrder(columns map[string]int, record []string) (order fileOrder, err error) {
	field := func(name string) string {
		if i, there := columns[name]; there {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	order.id, order.owner = field("id"), field("owner")
	switch side := strings.ToLower(field("side")); side {
	case "bid", "buy":
		order.side = types.Bid
	case "offer", "ask", "sell":
		order.side = types.Sell
	default:
		return order, fmt.Errorf("side %q is neither bid (or buy) nor offer (or sell, ask)", side)
	}
	if order.quantity, err = strconv.ParseUint(field("quantity"), 10, 64); err != nil {
		return order, fmt.Errorf("quantity %q is not a whole number", field("quantity"))
	}
	if text := field("min_fill"); text != "" {
		if order.minFill, err = strconv.ParseUint(text, 10, 64); err != nil {
			return order, fmt.Errorf("min_fill %q is not a whole number", text)
		}
	}
	if strings.HasPrefix(field("price"), "-") {
		return order, belowZero("price", field("price"))
	}
	order.price, err = types.ParseRate(field("price"))
	return order, err
}
