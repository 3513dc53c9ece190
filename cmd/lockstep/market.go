package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lockstep/market"
	"lockstep/types"
)

type marketCmd struct {
	Products marketProductsCmd `cmd:"" help:"List the products that are open to orders, by gate."`
	Book     marketBookCmd     `cmd:"" help:"Print a product's order book and the result of an auction now; once it is cleared, the actual result."`
	Audit    marketAuditCmd    `cmd:"" help:"Recompute an auction from its orders, and compare every price, pair and trade."`
	History  marketHistoryCmd  `cmd:"" help:"List the auctions that were held, with prices and volumes, or sum them up by hour or day."`
	Trades   marketTradesCmd   `cmd:"" help:"List the trades of all keys, by party, product, phase and time."`
	Conduct  marketConductCmd  `cmd:"" help:"Print the outcomes of all trades of a key, and its record from auctions."`
	Clear    marketClearCmd    `cmd:"" help:"Clear an auction of the orders in a file: one price for all, at the largest volume."`
}

type marketClearCmd struct {
	File string `arg:"" help:"CSV with a header: id, side (bid or offer), quantity, price, and optionally owner and min_fill; - for standard input."`
}

type clearing struct {
	Price   *string           `json:"price"` // of one unit; null when nothing is traded
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
	result, err := market.Clear(orders)
	if err != nil {
		return err
	}
	shown := clearing{Volume: result.Volume, Fills: map[string]uint64{}, Welfare: market.Decimal(result.Welfare), Netted: result.Netted}
	for _, fill := range result.Fills {
		shown.Fills[fill.ID] = fill.Quantity
	}
	if result.Price != nil {
		price := market.Decimal(result.Price)
		shown.Price = &price
	}
	return a.show(shown, func(p *page) {
		if shown.Price == nil {
			p.line("No bid meets an offer: nothing is traded.")
			return
		}
		p.line("Price %s, volume %d, welfare %s\n", *shown.Price, shown.Volume, shown.Welfare)
		p.row("order", "side", "limit", "asked", "gets")
		for _, o := range orders {
			side := "bid"
			if o.Side == market.Offer {
				side = "offer"
			}
			p.row(o.ID, side, o.Price.String(), fmt.Sprint(o.Quantity), fmt.Sprint(shown.Fills[o.ID]))
		}
	})
}

// maxOrdersFile bounds a file of orders: the most orders of an auction, each well below 256 bytes.
const maxOrdersFile = market.MaxOrders * 256

func (a *app) orders(path string) ([]market.Order, error) {
	text, err := a.input(path, maxOrdersFile)
	if err != nil {
		return nil, err
	}
	return readOrders(bytes.NewReader(text))
}

// readOrders reads a CSV. Its errors name the line.
func readOrders(source io.Reader) ([]market.Order, error) {
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
	var orders []market.Order
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
		if err != nil {
			return nil, fmt.Errorf("orders, line %d: %w", line, err)
		}
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

func parseOrder(columns map[string]int, record []string) (order market.Order, err error) {
	field := func(name string) string {
		if i, there := columns[name]; there {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	order.ID, order.Owner = field("id"), field("owner")
	switch side := strings.ToLower(field("side")); side {
	case "bid", "buy":
		order.Side = market.Bid
	case "offer", "ask", "sell":
		order.Side = market.Offer
	default:
		return order, fmt.Errorf("side %q is neither bid (or buy) nor offer (or sell, ask)", side)
	}
	if order.Quantity, err = strconv.ParseUint(field("quantity"), 10, 64); err != nil {
		return order, fmt.Errorf("quantity %q is not a whole number", field("quantity"))
	}
	if text := field("min_fill"); text != "" {
		if order.MinFill, err = strconv.ParseUint(text, 10, 64); err != nil {
			return order, fmt.Errorf("min_fill %q is not a whole number", text)
		}
	}
	order.Price, err = types.ParseRate(field("price"))
	return order, err
}
