package plan

import (
	"cmp"
	"slices"
	"time"

	"lockstep/types"
)

// Tariff is the price of the grid by time.
type Tariff interface {
	// At returns the price of the slot that begins at a moment; false if it is not known.
	At(from types.Time) (Price, bool)
}

// Flat is one price at all times.
type Flat Price

// At implements [Tariff].
func (f Flat) At(types.Time) (Price, bool) { return Price(f), true }

// Band is a price from a minute of the day on.
type Band struct {
	Minute int // since midnight
	Price  Price
}

// ByTime is a price by the time of the day in a time zone. The first band begins at midnight.
type ByTime struct {
	Bands []Band
	Zone  *time.Location
}

// At implements [Tariff].
func (b ByTime) At(from types.Time) (Price, bool) {
	local := from.Std().In(b.Zone)
	minute := local.Hour()*60 + local.Minute()
	for _, band := range slices.Backward(b.Bands) {
		if band.Minute <= minute {
			return band.Price, true
		}
	}
	return 0, false
}

// Point is a price from a moment until another.
type Point struct {
	From, Until types.Time
	Price       Price
}

// Curve is a list of prices in the order of time, as utilities publish them.
type Curve []Point

// At implements [Tariff].
func (c Curve) At(from types.Time) (Price, bool) {
	i, found := slices.BinarySearchFunc(c, from, func(p Point, from types.Time) int { return cmp.Compare(p.From, from) })
	if !found {
		i--
	}
	if i < 0 || from >= c[i].Until {
		return 0, false
	}
	return c[i].Price, true
}

// Join returns the curve with newer points in place of the older ones that they overlap. Points that ended before a moment are dropped.
func (c Curve) Join(newer Curve, now types.Time) Curve {
	var all Curve
	for _, p := range c {
		overlaps := slices.ContainsFunc(newer, func(n Point) bool { return n.From < p.Until && p.From < n.Until })
		if !overlaps && p.Until > now {
			all = append(all, p)
		}
	}
	for _, p := range newer {
		if p.Until > now && p.Until > p.From {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b Point) int { return cmp.Compare(a.From, b.From) })
	all = slices.CompactFunc(all, func(a, b Point) bool { return a.From == b.From })
	return all[:min(len(all), maxCurve)]
}

// maxCurve bounds the points of a curve: more than a week of them is of no use, and a publisher could send new ones without an end.
const maxCurve = 4096
