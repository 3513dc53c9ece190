package sim

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"lockstep/types"
)

// SlotsPerDay is the number of quarter-hours of a day.
const SlotsPerDay = 96

const slotLength = 15 * time.Minute

// Day is an amount of energy in each quarter-hour of a day, in Wh.
type Day [SlotsPerDay]uint64

// Sum is the energy of the whole day in Wh.
func (d *Day) Sum() uint64 {
	var total uint64
	for _, wh := range d {
		total += wh
	}
	return total
}

// Profile is a day's energy of the houses of a community: the use of each kind of customer, the production of each kind of roof.
// Households scale it to their size.
type Profile struct {
	Source   string // for people: the source of the figures
	Start    time.Time
	loads    map[Customer]Day
	roofs    map[Roof]Day
	perLoad  uint64 // the customer's annual kWh that the loads are of
	perPower uint64 // the roof's power in W that the roofs' days are of
	measured bool   // of one house, whichever way its roof looks
}

// Customer is a kind of load.
type Customer string

// The kinds of customers.
const (
	Dwelling Customer = "household"
	Business Customer = "business"
)

// Roof is the side to which a roof's panels look; empty for a house without any.
type Roof string

// The kinds of roofs.
const (
	NoRoof    Roof = ""
	EastRoof  Roof = "east"
	SouthRoof Roof = "south"
	WestRoof  Roof = "west"
	SomeRoof  Roof = "roof" // in reports on a measured day
)

// tables are a season's figures: loads in Wh of a customer of 1,000,000 kWh a year, roofs in Wh of 1,000 kW of panels.
type tables struct {
	household, business, east, south, west Day
}

const (
	tableAnnual = 1_000_000 // kWh a year
	tablePower  = 1_000_000 // W
)

// The seasons of the standard profiles.
const (
	Summer = "summer"
	Winter = "winter"
)

// Standard returns the standard profiles of a season's working day, cloudless.
func Standard(season string) (*Profile, error) {
	var figures tables
	var start time.Time
	switch season {
	case Summer:
		figures = summerTables()
		start = time.Date(2026, time.June, 15, 0, 0, 0, 0, time.FixedZone("CEST", 2*3600))
	case Winter:
		figures = winterTables()
		start = time.Date(2026, time.December, 14, 0, 0, 0, 0, time.FixedZone("CET", 3600))
	default:
		return nil, badOption("%q is not a season: choose %s or %s", season, Summer, Winter)
	}
	return &Profile{
		Source:   "loads by BDEW standard load profiles 2025 (H25, G25, working day), roofs computed for a cloudless sky",
		Start:    start,
		loads:    map[Customer]Day{Dwelling: figures.household, Business: figures.business},
		roofs:    map[Roof]Day{EastRoof: figures.east, SouthRoof: figures.south, WestRoof: figures.west},
		perLoad:  tableAnnual,
		perPower: tablePower,
	}, nil
}

// Load is the day of a customer with a yearly use in kWh.
func (p *Profile) Load(kind Customer, annual uint64) Day {
	return scale(p.loads[kind], annual, p.perLoad)
}

// Sun is the day of a roof with panels of so many W.
func (p *Profile) Sun(roof Roof, watts uint64) Day {
	return scale(p.roofs[roof], watts, p.perPower)
}

// Slot is when a quarter-hour begins and ends.
func (p *Profile) Slot(slot int) (from, until types.Time) {
	begin := p.Start.Add(time.Duration(slot) * slotLength)
	return types.TimeOf(begin), types.TimeOf(begin.Add(slotLength))
}

// scale returns day*size/of, the day's sum rounded to the nearest Wh and shared out by [apportion]. The product must fit
// 64 bits; both sizes and every Day come from tables and readers that bound them.
func scale(day Day, size, of uint64) Day {
	parts := [SlotsPerDay]uint64(day)
	for i := range parts {
		parts[i] *= size
	}
	return apportion(parts, of)
}

// apportion divides parts by unit into whole numbers that add up to the sum of the parts divided by unit and rounded to
// nearest: the largest remainders are rounded up, the earlier of equal ones first. So no energy comes or goes by rounding.
// The unit must be above SlotsPerDay, so that the quotient of the sum fits.
func apportion(parts [SlotsPerDay]uint64, unit uint64) Day {
	var day Day
	var high, low, floor, carry uint64
	remainders := make([]int, SlotsPerDay)
	for i, part := range parts {
		low, carry = bits.Add64(low, part, 0)
		high += carry
		day[i] = part / unit
		floor += day[i]
		remainders[i] = i
	}
	low, carry = bits.Add64(low, unit/2, 0)
	total, _ := bits.Div64(high+carry, low, unit)
	slices.SortStableFunc(remainders, func(a, b int) int {
		return cmp.Compare(parts[b]%unit, parts[a]%unit)
	})
	for _, i := range remainders[:total-floor] {
		day[i]++
	}
	return day
}
