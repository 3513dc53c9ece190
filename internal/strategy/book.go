package strategy

import (
	"fmt"
	"math/rand/v2"

	"lockstep/market"
)

// trader has a quantity to sell at no less than its value, or to buy at no more.
type trader struct {
	side        market.Side
	lots, value uint64
}

// game is an auction in which the first traders, all of one side, may deviate and all others are honest.
type game struct {
	kind      Kind
	deviators []trader
	honest    []market.Order
}

// Kind is a kind of market: the ranges from which values are drawn.
type Kind struct {
	Name                string
	offers, bids        [2]uint64
	sellersInAThousand  int
	leastLots, mostLots uint64
}

// Kinds are the kinds of markets that are measured.
func Kinds() []Kind {
	return []Kind{
		{"a community: every bid is above every offer", [2]uint64{70, 120}, [2]uint64{230, 360}, 400, 50, 1500},
		{"an exchange: the limits overlap", [2]uint64{50, 350}, [2]uint64{50, 350}, 500, 50, 1500},
	}
}

// ceiling is the price of a lot that a seller pays, as its bond, for energy that it sold and does not have.
const ceiling = 500

func (k *Kind) trader(draw *rand.Rand, side market.Side) trader {
	values := k.bids
	if side == market.Offer {
		values = k.offers
	}
	return trader{side, k.leastLots + draw.Uint64N(k.mostLots-k.leastLots), values[0] + draw.Uint64N(values[1]-values[0])}
}

func (k *Kind) side(draw *rand.Rand) market.Side {
	if draw.IntN(1000) < k.sellersInAThousand {
		return market.Offer
	}
	return market.Bid
}

// game draws one of n honest traders and so many deviators.
func (k *Kind) game(draw *rand.Rand, n, deviators int) *game {
	g := &game{kind: *k}
	side := k.side(draw)
	for range deviators {
		g.deviators = append(g.deviators, k.trader(draw, side))
	}
	for i := range n {
		t := k.trader(draw, k.side(draw))
		if i == 0 { // there is one to trade with
			t = k.trader(draw, market.Bid+market.Offer-side)
		}
		g.honest = append(g.honest, market.Order{ID: fmt.Sprintf("honest%d", i), Side: t.side, Lots: t.lots, Limit: t.value})
	}
	return g
}

// Rule is a choice among the prices of most volume and least imbalance.
type Rule int

// The rules. Fills are the same under both.
const (
	Pressure Rule = iota // the lowest with surplus supply, the highest with surplus demand
	Middle
)

func (r Rule) String() string {
	return []string{"the price at the market's pressure", "the middle of the interval"}[r]
}

func (r Rule) price(c *market.Clearing) uint64 {
	if r == Middle {
		return c.Low + (c.High-c.Low)/2
	}
	return c.Price
}

// play is the orders of the deviators: of each the true one, as it chooses to place it, and those of second keys.
type play struct {
	own   [][]market.Order // of each deviator
	extra []market.Order
}

func (g *game) honestPlay() play {
	p := play{own: make([][]market.Order, len(g.deviators))}
	for i := range g.deviators {
		p.own[i] = []market.Order{g.order(i, g.deviators[i].value, g.deviators[i].lots)}
	}
	return p
}

func (g *game) order(i int, limit, lots uint64) market.Order {
	return market.Order{ID: fmt.Sprintf("deviator%d-%d", i, limit), Owner: fmt.Sprintf("deviator%d", i), Side: g.deviators[i].side, Lots: lots, Limit: limit}
}

// outcome holds the results of a play under both rules.
type outcome struct {
	clearing *market.Clearing
	gain     [2]int64 // of the deviators together, by rule
}

// result clears the market. Energy that a second key buys is thrown away; energy that it sells is missed, and pays the bond.
func (g *game) result(p *play) outcome {
	orders := append([]market.Order{}, g.honest...)
	for _, own := range p.own {
		orders = append(orders, own...)
	}
	orders = append(orders, p.extra...)
	c, err := market.Clear(orders)
	if err != nil {
		panic(err) // the orders are drawn within all bounds
	}
	filled := make(map[string]market.Fill, len(c.Fills))
	for _, f := range c.Fills {
		filled[f.ID] = f
	}
	o := outcome{clearing: c}
	for rule := range o.gain {
		price := int64(Rule(rule).price(c))
		for i, own := range p.own {
			for _, order := range own {
				lots, value := int64(filled[order.ID].Lots), int64(g.deviators[i].value)
				if order.Side == market.Offer {
					o.gain[rule] += lots * (price - value)
				} else {
					o.gain[rule] += lots * (value - price)
				}
			}
		}
		for _, order := range p.extra {
			if lots := int64(filled[order.ID].Lots); order.Side == market.Offer {
				o.gain[rule] += lots * (price - ceiling)
			} else {
				o.gain[rule] -= lots * price
			}
		}
	}
	return o
}
