package evidence

import (
	"slices"

	"lockstep/meter"
)

// A Cost holds the sums of money in a charge detail record, before taxes where it separates them.
type Cost struct {
	Currency   string
	Total      *meter.Decimal
	Decimals   int // digits behind the point that the currency has
	Parts      []Part
	Currencies []string // of the tariffs
	Price      *Price   // nil unless one unconditional price decides the cost of the energy
}

// A Part is one of the sums that make up the total.
type Part struct {
	Name   string
	Amount meter.Decimal
}

// A Price is the price of a kWh, and the energy to whose multiples it is counted up.
type Price struct {
	PerKWh meter.Decimal
	StepWh meter.Decimal // 0 for none
	Whole  bool          // nothing else is charged
}

const energyPart = "total_energy_cost"

// whole lists the currencies of ISO 4217 without a minor unit.
var whole = []string{ //nolint:gochecknoglobals // a constant table
	"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
}

// readCost reads the sums of a charge detail record; nil if it states none.
func readCost(cdr *node) *Cost {
	c := &Cost{Currency: cdr.at("currency").str(), Decimals: 2}
	if slices.Contains(whole, c.Currency) {
		c.Decimals = 0
	}
	if total, ok := amountOf(cdr.member("total_cost")); ok {
		c.Total = &total
	}
	for _, name := range []string{"total_fixed_cost", energyPart, "total_time_cost", "total_parking_cost", "total_reservation_cost"} {
		if amount, ok := amountOf(cdr.member(name)); ok {
			c.Parts = append(c.Parts, Part{name, amount})
		}
	}
	if c.Total == nil && len(c.Parts) == 0 {
		return nil
	}
	c.readTariffs(cdr.at("tariffs").list())
	return c
}

// amountOf reads a Price of OCPI before taxes: a number (2.1), excl_vat (2.2) or before_taxes (2.3).
func amountOf(n *node) (meter.Decimal, bool) {
	if n == nil {
		return meter.Decimal{}, false
	}
	for _, name := range []string{"excl_vat", "before_taxes"} {
		if m := n.member(name); m != nil {
			return m.number()
		}
	}
	return n.number()
}

// readTariffs notes the tariffs' currencies, and the price of energy if exactly one price without a condition is charged for it.
func (c *Cost) readTariffs(tariffs []*node) {
	var prices []*Price
	alone, conditional := true, false
	for _, tariff := range tariffs {
		if currency := tariff.at("currency").str(); currency != "" {
			c.Currencies = append(c.Currencies, currency)
		}
		for _, element := range tariff.at("elements").list() {
			if r := element.member("restrictions"); r != nil && len(r.items) > 0 {
				conditional = true
			}
			for _, component := range element.at("price_components").list() {
				price, ok := component.at("price").number()
				switch {
				case !ok:
					conditional = true
				case component.at("type").str() == "ENERGY":
					step, _ := component.at("step_size").number()
					prices = append(prices, &Price{PerKWh: price, StepWh: step})
				default:
					alone = false
				}
			}
		}
		if tariff.member("min_price") != nil || tariff.member("max_price") != nil {
			alone = false
		}
	}
	if len(prices) == 1 && !conditional {
		c.Price = prices[0]
		c.Price.Whole = alone
	}
}

// of is the cost of an energy at a price: the energy is counted up to whole steps if they are larger than 1 Wh.
func (p *Price) of(wh meter.Decimal) meter.Decimal {
	if step, ok := p.StepWh.Whole(); ok && step > 1 {
		if energy, ok := wh.Whole(); ok && energy < 1<<62 {
			rest := energy % step
			if fraction := wh.Cmp(wattHours(energy)) > 0; rest != 0 || fraction {
				energy += step - rest
			}
			wh = wattHours(energy)
		}
	}
	return wh.Mul(p.PerKWh).Shift(-3)
}

// judge compares the sums with each other and with the signed energy; wh is nil where no energy is proven.
func (c *Cost) judge(wh *meter.Decimal) Verdict {
	for _, currency := range c.Currencies {
		if currency != c.Currency {
			return disagrees(CheckCurrency, CodeCurrency, "the record is in %.12q and its tariff in %.12q", c.Currency, currency)
		}
	}
	if len(c.Parts) > 0 && c.Total != nil {
		var sum meter.Decimal
		for _, part := range c.Parts {
			sum = sum.Add(part.Amount)
		}
		if !c.near(sum, *c.Total) {
			return disagrees(CheckCurrency, CodeTotal, "total_cost is %v %s and its parts add up to %v", *c.Total, c.Currency, sum)
		}
	}
	if wh == nil || c.Price == nil {
		if c.Total == nil || len(c.Parts) == 0 {
			return Verdict{Check: CheckCurrency, State: Unstated, Code: CodeUnstated, Why: "no single price a kWh decides the cost, so it can't be computed from the energy"}
		}
		return agrees(CheckCurrency, "total_cost %v %s is the sum of its parts", *c.Total, c.Currency)
	}
	cost, stated, name := c.Price.of(*wh), c.Total, "total_cost"
	for _, part := range c.Parts {
		if part.Name == energyPart {
			stated, name = &part.Amount, energyPart
		}
	}
	if name != energyPart && !c.Price.Whole {
		stated = nil
	}
	if stated == nil {
		return Verdict{Check: CheckCurrency, State: Unstated, Code: CodeUnstated, Why: "no sum for the energy alone is stated"}
	}
	if !c.near(cost, *stated) {
		return disagrees(CheckCurrency, CodeTotal, "%s is %v %s, and the signed %v kWh at %v are %v", name, *stated, c.Currency, wh.Shift(-3), c.Price.PerKWh, cost)
	}
	return agrees(CheckCurrency, "%s %v %s is the signed %v kWh at %v", name, *stated, c.Currency, wh.Shift(-3), c.Price.PerKWh)
}

// near allows for rounding to the currency's smallest unit.
func (c *Cost) near(a, b meter.Decimal) bool {
	one := wattHours(1)
	return a.Sub(b).Abs().Cmp(one.Shift(-c.Decimals)) < 0
}
