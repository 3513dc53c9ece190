package sim

import (
	"fmt"
	"io"
	"math"
	"slices"

	"lockstep/internal/sim/rules"
	"lockstep/internal/table"
	"lockstep/types"
)

// Comparison is one day of the same households under several ways to share the surplus. No ledger is involved, and
// each household keeps its word: only the rule differs.
type Comparison struct {
	Season     string   `json:"season"` // or the source of the day
	Households int      `json:"households"`
	Load       uint64   `json:"load_wh"`
	Own        uint64   `json:"own_wh"` // of it, from the own roof
	Sun        uint64   `json:"sun_wh"` // made
	Schemes    []Scheme `json:"schemes"`
}

// Scheme is the result of the day under one rule.
type Scheme struct {
	Name    string  `json:"name"`
	Volume  uint64  `json:"volume_wh"` // from house to house
	Welfare int64   `json:"welfare"`   // of all: money saved against the utility alone
	Saved   []int64 `json:"saved"`     // of each household
	Settled bool    `json:"settled"`   // of a strategic one: nobody gains by another shade than its own
}

// fixedPrice is the price of a Wh in a community that splits by shares: about the middle between tariffs and feed-in prices.
const fixedPrice = 190

// Compare plays a day under each rule. The strategic ones are left out unless wanted: they take the longest.
func Compare(profile *Profile, season string, households []Household, strategic bool) *Comparison {
	d := newCompared(profile, households)
	result := &Comparison{Season: season, Households: len(households)}
	for i := range d.members {
		m := &d.members[i]
		result.Load += m.load.Sum()
		result.Sun += m.sun.Sum()
		for slot := range SlotsPerDay {
			result.Own += min(d.members[i].load[slot], d.members[i].sun[slot])
		}
	}
	truth := make([]int, len(households))
	result.Schemes = append(result.Schemes,
		Scheme{Name: "utility alone", Saved: make([]int64, len(households))},
		d.play("static split, equal shares", func(slot int) []rules.Flow { return d.static(slot, func(int) uint64 { return 1 }) }),
		d.play("static split, shares by annual use", func(slot int) []rules.Flow {
			return d.static(slot, func(i int) uint64 { return d.members[i].Annual })
		}),
		d.play("uniform price", func(slot int) []rules.Flow { return rules.Uniform(d.book(slot, truth)) }),
		d.play("pay-as-bid", func(slot int) []rules.Flow { return rules.PayAsBid(d.book(slot, truth)) }),
	)
	if strategic {
		result.Schemes = append(result.Schemes, d.strategic("uniform price, strategic", rules.Uniform), d.strategic("pay-as-bid, strategic", rules.PayAsBid))
	}
	return result
}

// compared is the households with their day.
type compared struct {
	members     []house
	least, most uint64 // the lowest feed-in and the highest tariff, which everybody knows
}

func newCompared(profile *Profile, households []Household) *compared {
	d := &compared{members: housesOf(profile, households), least: math.MaxUint64}
	for i := range d.members {
		m := &d.members[i]
		if d.most = max(d.most, m.Tariff); m.Roof != NoRoof {
			d.least = min(d.least, m.FeedIn)
		}
	}
	return d
}

// shades is the number of steps by which a strategic household can shade its limit, from none to the whole possible gain.
const shades = 5

// book is the orders of a slot when each household shades its limit by some steps: a bid down towards the lowest feed-in, an
// offer up towards the highest tariff. Without any, limits are the utility's prices.
func (d *compared) book(slot int, shade []int) []rules.Bid {
	var book []rules.Bid
	for i := range d.members {
		m := &d.members[i]
		surplus, need := m.foreseen(slot)
		part := uint64(shade[i])
		switch {
		case surplus > 0:
			limit := m.FeedIn + (d.most-m.FeedIn)*part/shades
			book = append(book, rules.Bid{Place: i, Side: types.Sell, Quantity: surplus, Limit: limit})
		case need > 0:
			limit := m.Tariff - (m.Tariff-d.least)*part/shades
			book = append(book, rules.Bid{Place: i, Side: types.Bid, Quantity: need, Limit: limit})
		}
	}
	return book
}

// static splits each surplus by fixed shares.
func (d *compared) static(slot int, weight func(member int) uint64) []rules.Flow {
	surplus, needs, weights := make([]uint64, len(d.members)), make([]uint64, len(d.members)), make([]uint64, len(d.members))
	for i := range d.members {
		surplus[i], needs[i] = d.members[i].foreseen(slot)
		weights[i] = weight(i)
	}
	return rules.Static(surplus, needs, weights, fixedPrice)
}

// play adds a day up.
func (d *compared) play(name string, share func(slot int) []rules.Flow) Scheme {
	s := Scheme{Name: name, Saved: make([]int64, len(d.members)), Settled: true}
	for slot := range SlotsPerDay {
		for _, f := range share(slot) {
			seller, buyer := &d.members[f.Seller], &d.members[f.Buyer]
			s.Volume += f.Wh
			s.Welfare += int64(f.Wh * (buyer.Tariff - seller.FeedIn))
			s.Saved[f.Seller] += int64(f.Price) - int64(f.Wh*seller.FeedIn)
			s.Saved[f.Buyer] += int64(f.Wh*buyer.Tariff) - int64(f.Price)
		}
	}
	return s
}

// strategic lets one household after the other choose the shade that is best for it over the day, given those of the others,
// until nobody changes its mind or all have chosen so often.
func (d *compared) strategic(name string, clear func([]rules.Bid) []rules.Flow) Scheme {
	const rounds = 12
	shade := make([]int, len(d.members))
	day := func() Scheme { return d.play(name, func(slot int) []rules.Flow { return clear(d.book(slot, shade)) }) }
	settled := false
	for round := 0; round < rounds && !settled; round++ {
		settled = true
		for i := range d.members {
			chosen, best := shade[i], day().Saved[i]
			for shade[i] = range shades + 1 {
				if saved := day().Saved[i]; saved > best {
					chosen, best, settled = shade[i], saved, false
				}
			}
			shade[i] = chosen
		}
	}
	s := day()
	s.Settled = settled
	return s
}

// SelfSufficiency is the part of the households' use that comes from their own roofs and from each other.
func (c *Comparison) SelfSufficiency(s *Scheme) float64 { return ratio(c.Own+s.Volume, c.Load) }

// SelfConsumption is the part of the roofs' energy that the households use.
func (c *Comparison) SelfConsumption(s *Scheme) float64 { return ratio(c.Own+s.Volume, c.Sun) }

func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Gini tells how unevenly the savings are spread: 0 for all the same, towards 1 for all to one. It is that of sums of which
// none is negative; nothing at all is spread evenly.
func (s *Scheme) Gini() float64 {
	sorted := slices.Sorted(slices.Values(s.Saved))
	var sum, weighted float64
	for i, saved := range sorted {
		sum += float64(saved)
		weighted += float64(i+1) * float64(saved)
	}
	if sum <= 0 {
		return 0
	}
	n := float64(len(sorted))
	return 2*weighted/(n*sum) - (n+1)/n
}

// WriteText writes the comparison as a table.
func (c *Comparison) WriteText(to io.Writer) error {
	w := table.New(to, append([]table.Column{{}}, slices.Repeat([]table.Column{{Right: true}}, 6)...)...)
	w.Line("%s, %d households: they use %s kWh, their roofs make %s kWh\n", c.Season, c.Households, kilowattHours(c.Load), kilowattHours(c.Sun))
	w.Row("", "traded", "self-", "self-", "welfare", "saved by a household, EUR", "")
	w.Row("", "kWh", "suff.", "cons.", "EUR", "least  median    most", "Gini")
	for i := range c.Schemes {
		s := &c.Schemes[i]
		name := s.Name
		if !s.Settled && i > 0 {
			name += " *"
		}
		sorted := slices.Sorted(slices.Values(s.Saved))
		spread := fmt.Sprintf("%7.2f %7.2f %7.2f", eur(sorted[0]), eur(sorted[len(sorted)/2]), eur(sorted[len(sorted)-1]))
		w.Row(name, kilowattHours(s.Volume), fmt.Sprintf("%.1f%%", 100*c.SelfSufficiency(s)),
			fmt.Sprintf("%.1f%%", 100*c.SelfConsumption(s)), fmt.Sprintf("%.2f", eur(s.Welfare)), spread, fmt.Sprintf("%.2f", s.Gini()))
	}
	if slices.ContainsFunc(c.Schemes[1:], func(s Scheme) bool { return !s.Settled }) {
		w.Line("* they went on changing their limits: this is where they stood when all had chosen twelve times")
	}
	return w.Flush()
}

func eur(amount int64) float64 { return float64(amount) / 1e6 }
