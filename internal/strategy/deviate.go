package strategy

import (
	"slices"

	"lockstep/market"
)

// near is how many limits of others, on each side of the price, a deviator considers: those beyond hardly matter.
const near = 10

// limits are those at which a deviator may place an order: next to the limits of others around the price, and its own value.
func (g *game) limits(c *market.Clearing) []uint64 {
	others := make([]uint64, 0, len(g.honest))
	for i := range g.honest {
		others = append(others, g.honest[i].Limit)
	}
	slices.Sort(others)
	others = slices.Compact(others)
	at, _ := slices.BinarySearch(others, c.Price)
	others = others[max(0, at-near):min(len(others), at+near)]
	var limits []uint64
	for _, limit := range others {
		limits = append(limits, limit, limit+1)
		if limit > 0 {
			limits = append(limits, limit-1)
		}
	}
	for _, d := range g.deviators {
		limits = append(limits, d.value)
	}
	slices.Sort(limits)
	return slices.Compact(limits)
}

// search keeps the best play found for a rule.
type search struct {
	game   *game
	rule   Rule
	limits []uint64
	best   play
	gain   int64
}

func (g *game) search(rule Rule) *search {
	s := &search{game: g, rule: rule, best: g.honestPlay()}
	o := g.result(&s.best)
	s.gain, s.limits = o.gain[rule], g.limits(o.clearing)
	return s
}

func (s *search) try(p play) {
	if gain := s.game.result(&p).gain[s.rule]; gain > s.gain {
		s.best, s.gain = p, gain
	}
}

// with is the best play so far with other orders of one deviator.
func (s *search) with(i int, own ...market.Order) play {
	p := play{own: slices.Clone(s.best.own), extra: s.best.extra}
	p.own[i] = own
	return p
}

// shade moves the limit of one deviator, and withholds a part of its lots.
func (s *search) shade(i int) {
	d := s.game.deviators[i]
	for _, limit := range s.limits {
		for quarters := uint64(1); quarters <= 4; quarters++ {
			s.try(s.with(i, s.game.order(i, limit, max(d.lots*quarters/4, 1))))
		}
	}
}

// split places half of the lots, or all but one, at another limit.
func (s *search) split(i int) {
	d := s.game.deviators[i]
	for _, limit := range s.limits {
		for _, part := range []uint64{1, d.lots / 2, d.lots - 1} {
			if limit != d.value && part > 0 && part < d.lots {
				s.try(s.with(i, s.game.order(i, d.value, d.lots-part), s.game.order(i, limit, part)))
			}
		}
	}
}

// crumb adds one lot of a second key.
func (s *search) crumb() { s.second([]uint64{1}) }

// phantom adds an order of a second key that is large enough to move the price: it turns the imbalance, or is a part of the volume.
func (s *search) phantom() {
	c := s.game.result(&s.best).clearing
	var lots []uint64
	for _, tenths := range []uint64{1, 3, 10} {
		lots = append(lots, max(c.Volume*tenths/10, 1))
	}
	for _, side := range []market.Side{market.Bid, market.Offer} {
		willing := uint64(0)
		for i := range s.game.honest {
			if o := &s.game.honest[i]; o.Side == side && (side == market.Offer) == (o.Limit <= c.Price) {
				willing += o.Lots
			}
		}
		if willing > c.Volume {
			lots = append(lots, willing-c.Volume+1)
		}
	}
	s.second(lots)
}

func (s *search) second(sizes []uint64) {
	for _, side := range []market.Side{market.Bid, market.Offer} {
		for _, lots := range sizes {
			for k, limit := range s.limits {
				if lots == 1 || k%3 == 0 {
					p := s.best
					p.extra = []market.Order{{ID: "second key", Side: side, Lots: lots, Limit: limit}}
					s.try(p)
				}
			}
		}
	}
}

// Best holds the gains of the best deviation of each kind and of honest orders, in units of money over many games.
type Best struct {
	Honest, Blind                     int64
	Shade, Split, Crumb, Phantom, All int64 // by traders that see the orders of all others
}

// blindSteps are the steps by which traders that know no order of the others shade their limits, up to halfway to the far end of the other
// side's values.
const blindSteps = 10

// blind shades all limits by so many steps and places so many quarters of the lots.
func (g *game) blind(steps, quarters uint64) play {
	p := g.honestPlay()
	for i, d := range g.deviators {
		limit := d.value
		if d.side == market.Offer && d.value < g.kind.bids[1] {
			limit += (g.kind.bids[1] - d.value) * steps / (2 * blindSteps)
		} else if d.side == market.Bid && d.value > g.kind.offers[0] {
			limit -= (d.value - g.kind.offers[0]) * steps / (2 * blindSteps)
		}
		p.own[i] = []market.Order{g.order(i, limit, max(d.lots*quarters/4, 1))}
	}
	return p
}

// measure adds the games up under a rule. The kinds of deviations are measured one by one for a single deviator; All tries them on top of
// each other.
func measure(games []*game, rule Rule) Best {
	var b Best
	for steps := range uint64(blindSteps + 1) {
		for quarters := uint64(4); quarters >= 2; quarters-- {
			sum := int64(0)
			for _, g := range games {
				p := g.blind(steps, quarters)
				sum += g.result(&p).gain[rule]
			}
			if steps == 0 && quarters == 4 {
				b.Honest = sum
			}
			b.Blind = max(b.Blind, sum)
		}
	}
	for _, g := range games {
		s := g.search(rule)
		start := *s
		alone := func(into *int64, deviate func()) {
			*s = start
			deviate()
			*into += s.gain
		}
		if len(g.deviators) == 1 {
			alone(&b.Shade, func() { s.shade(0) })
			alone(&b.Split, func() { s.split(0) })
			alone(&b.Crumb, s.crumb)
			alone(&b.Phantom, s.phantom)
		}
		alone(&b.All, func() {
			for range 2 {
				for i := range g.deviators {
					s.shade(i)
				}
			}
			s.crumb()
			s.phantom()
		})
	}
	return b
}

// percent returns the gain of a deviation as a share of the gain of honest orders.
func percent(gain, honest int64) float64 { return 100 * float64(gain-honest) / float64(honest) }
