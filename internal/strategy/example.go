package strategy

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/market"
)

// Slot is the book of the documentation's worked slot: quantities in Wh, limits in millionths of a euro.
func Slot() []market.Order {
	var orders []market.Order
	for line := range strings.Lines(slot) {
		o := market.Order{Side: market.Bid}
		var side string
		if _, err := fmt.Sscanf(line, "%s %s %d %d", &o.ID, &side, &o.Lots, &o.Limit); err != nil {
			panic(err) // a constant text
		}
		if side == "offer" {
			o.Side = market.Offer
		}
		orders = append(orders, o)
	}
	return orders
}

const slot = `elm bid 75 358
hazel bid 51 353
fir bid 90 337
ginkgo bid 127 312
ivy bid 99 299
juniper bid 76 281
loom bid 664 256
kiln bid 1317 233
birch offer 1365 73
alder offer 971 82
cedar offer 746 96
dairy offer 1414 114
`

// Phantom holds the joint gain of sellers of the slot by a bid of a second key, whose energy they throw away.
type Phantom struct {
	Before, After uint64 // the price for all
	Honest, Gain  int64  // of these sellers, without and with the bid
}

// SlotPhantom adds a bid to the slot.
func SlotPhantom(rule Rule, lots, limit uint64, sellers ...string) Phantom {
	g, p := &game{}, play{}
	for _, o := range Slot() {
		if !slices.Contains(sellers, o.ID) {
			g.honest = append(g.honest, o)
			continue
		}
		g.deviators = append(g.deviators, trader{o.Side, o.Lots, o.Limit})
		p.own = append(p.own, []market.Order{o})
	}
	before := g.result(&p)
	p.extra = []market.Order{{ID: "second key", Side: market.Bid, Lots: lots, Limit: limit}}
	after := g.result(&p)
	return Phantom{rule.price(before.clearing), rule.price(after.clearing), before.gain[rule], after.gain[rule]}
}
