package sim

import "lockstep/internal/sim/rules"

// PriceRow is a row of the table by which a person finds a price.
type PriceRow = priceRow

// Points are the rows of a round's table.
func (r *Round) Points() []PriceRow { return r.points() }

// Choose finds the slot to spell out.
func (r *Report) Choose(clock string) (*Cleared, error) { return r.choose(clock) }

// Euros and Signed write sums.
func Euros(sum uint64) string    { return euros(sum) }
func Signed(amount int64) string { return signed(amount) }

// Book returns the orders of a slot by the households' own figures.
func Book(profile *Profile, houses []Household) func(slot int) []rules.Bid {
	d := newCompared(profile, houses)
	return func(slot int) []rules.Bid { return d.book(slot, make([]int, len(houses))) }
}
