package plan

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"lockstep/types"
)

// Situation is all that a strategy knows when it decides about a slot.
type Situation struct {
	From, Until types.Time // the slot, in block time
	Now         types.Time // block time
	Use, Make   History    // energy taken from the grid and fed into it in earlier slots
	Level       *uint64    // of the battery, in Wh; nil if it is not known
	Coming      uint64     // bought for slots that are not over, in Wh
	Bought      []Measured // bought in the last days and for slots to come, by the beginning of the slot
	Tariff      Tariff     // that prices are read from; nil if there is none
}

func (s *Situation) slot() types.Duration { return s.Until.Since(s.From) }

// Want is a quantity with the worst acceptable price. A zero quantity wants nothing.
type Want struct {
	Quantity uint64 // Wh
	Limit    Price
}

// Wish is the decision of a strategy: at most this is bought and sold.
type Wish struct{ Buy, Sell Want }

// Amount returns how much energy of a slot to trade, in Wh.
type Amount func(s *Situation) uint64

// Limit returns the worst acceptable price of a slot; false if none is known, and then nothing is traded.
type Limit func(s *Situation) (Price, bool)

// Side is the strategy of one side of the market.
type Side struct {
	Amount Amount
	Limit  Limit
}

// Strategy decides about a slot. A nil side does not trade.
type Strategy struct{ Buy, Sell *Side }

// Decide returns the wish for a slot.
func (p *Strategy) Decide(s *Situation) Wish {
	return Wish{Buy: p.Buy.want(s), Sell: p.Sell.want(s)}
}

func (p *Side) want(s *Situation) Want {
	if p == nil {
		return Want{}
	}
	limit, known := p.Limit(s)
	if !known {
		return Want{}
	}
	return Want{Quantity: p.Amount(s), Limit: limit}
}

// Fixed is the same quantity in each slot.
func Fixed(wh uint64) Amount { return func(*Situation) uint64 { return wh } }

// FixedLimit is the same limit in each slot.
func FixedLimit(p Price) Limit { return func(*Situation) (Price, bool) { return p, true } }

// Margin is a tariff minus a margin: a buyer pays so much less than its utility asks. A negative margin is added: a seller gets so much
// more than the grid pays.
func Margin(t Tariff, margin Price) Limit {
	return func(s *Situation) (Price, bool) {
		price, known := t.At(s.From)
		return subtract(price, margin), known
	}
}

// Read is the tariff that the agent reads from a utility or from home software, minus a margin.
func Read(margin Price) Limit {
	return func(s *Situation) (Price, bool) {
		if s.Tariff == nil {
			return 0, false
		}
		return Margin(s.Tariff, margin)(s)
	}
}

// subtract returns a-b, at the bounds of a price at most.
func subtract(a, b Price) Price {
	const most = Price(1) << 61
	within := func(p Price) Price { return min(max(p, -most), most) }
	return within(a) - within(b)
}

// History is measured energy by the beginning of its slot, oldest first.
type History []Measured

// Measured is the energy of a slot, in Wh.
type Measured struct {
	From types.Time
	Wh   uint64
}

// With returns the history with the energy of a slot, without slots that began more than a span before it.
func (h History) With(m Measured, keep types.Duration) History {
	next := make(History, 0, len(h)+1)
	for _, old := range h {
		if old.From != m.From && old.From.Add(keep) >= m.From {
			next = append(next, old)
		}
	}
	i, _ := slices.BinarySearchFunc(next, m.From, func(a Measured, from types.Time) int { return cmp.Compare(a.From, from) })
	return slices.Insert(next, i, m)
}

const day = types.Duration(24 * 3600 * 1000)

// Forecast is the median of the same slot of the last days. While no day is known it is another amount.
func Forecast(of func(*Situation) History, days int, unknown Amount) Amount {
	return func(s *Situation) uint64 {
		history := of(s)
		var seen []uint64
		for d := 1; d <= days; d++ {
			back := types.Time(day) * types.Time(d)
			if back > s.From {
				break
			}
			i, found := slices.BinarySearchFunc(history, s.From-back, func(a Measured, from types.Time) int { return cmp.Compare(a.From, from) })
			if found {
				seen = append(seen, history[i].Wh)
			}
		}
		if len(seen) == 0 {
			return unknown(s)
		}
		slices.Sort(seen)
		middle := len(seen) / 2
		if len(seen)%2 == 1 {
			return seen[middle]
		}
		return seen[middle-1] + (seen[middle]-seen[middle-1])/2
	}
}

// Uses is the history of the energy taken from the grid.
func Uses(s *Situation) History { return s.Use }

// Makes is the history of the energy fed into the grid.
func Makes(s *Situation) History { return s.Make }

// Percent is a part of another amount, rounded down.
func Percent(of Amount, percent uint64) Amount {
	return func(s *Situation) uint64 { return times(of(s), percent, 100) }
}

// Battery is a household's battery. Energy counts in Wh and power in W.
type Battery struct {
	Capacity uint64
	Reserve  uint64 // that stays in it
	Power    uint64 // that it takes and gives at most
}

// Covers is the energy that is still needed once the battery has given its charge above the reserve. While the level is not known the
// battery gives nothing.
func (b Battery) Covers(need Amount) Amount {
	return func(s *Situation) uint64 {
		wants := need(s)
		if s.Level == nil {
			return wants
		}
		return wants - min(wants, b.perSlot(s), *s.Level-min(*s.Level, b.Reserve))
	}
}

// Keeps is the surplus that is left once the battery has taken all that fits. While the level is not known nothing is sold: the battery
// might take all of it.
func (b Battery) Keeps(surplus Amount) Amount {
	return func(s *Situation) uint64 {
		if s.Level == nil {
			return 0
		}
		has := surplus(s)
		return has - min(has, b.perSlot(s), b.Capacity-min(b.Capacity, *s.Level))
	}
}

func (b Battery) perSlot(s *Situation) uint64 { return energy(b.Power, s.slot()) }

// ChargeByPrice buys energy in the cheapest slots of the prices that are read, until the next time of a day by which it is needed.
type ChargeByPrice struct {
	Need  Amount // Wh in all
	Once  bool   // the need is that of a day until By: energy that was bought for this day is a part of it
	Power uint64 // W
	By    ByTime // its bands are the times; their prices do not count
	// Tariff is that of the prices; nil: the one that is read.
	Tariff Tariff
}

// Amount is the quantity of a slot: full power in the cheapest slots, the rest in the last of them, nothing in the others.
func (c ChargeByPrice) Amount(s *Situation) uint64 {
	each, need, tariff := energy(c.Power, s.slot()), c.Need(s), c.Tariff
	if tariff == nil {
		tariff = s.Tariff
	}
	if each == 0 || need == 0 || tariff == nil || s.slot() == 0 {
		return 0
	}
	type slot struct {
		from  types.Time
		price Price
	}
	bought := func(from types.Time) bool {
		return c.Once && from != s.From && slices.ContainsFunc(s.Bought, func(m Measured) bool { return m.From == from })
	}
	var slots []slot
	first := s.Now - s.Now%types.Time(s.slot()) + types.Time(s.slot())
	until := c.deadline(first)
	begin := types.TimeOf(until.Std().In(c.By.Zone).AddDate(0, 0, -1))
	for _, m := range s.Bought {
		if c.Once && m.From != s.From && m.From >= begin && m.From < until {
			need -= min(need, m.Wh)
		}
	}
	for from := first; from < until; from += types.Time(s.slot()) {
		if price, known := tariff.At(from); known && !bought(from) {
			slots = append(slots, slot{from, price})
		}
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.price, b.price) })
	for _, slot := range slots {
		if slot.from == s.From {
			return min(each, need)
		}
		need -= min(each, need)
	}
	return 0
}

// deadline is the first of the times that comes after a moment. A day on which the clocks are changed has them at its own hours.
func (c ChargeByPrice) deadline(after types.Time) types.Time {
	year, month, today := after.Std().In(c.By.Zone).Date()
	best := after.Add(day)
	for _, band := range c.By.Bands {
		for _, date := range []int{today, today + 1} {
			if at := types.TimeOf(time.Date(year, month, date, 0, band.Minute, 0, 0, c.By.Zone)); at > after && at < best {
				best = at
			}
		}
	}
	return best
}

// Missing is the energy that a battery lacks up to a level, less the energy that was bought already; nothing while its level is not known.
func Missing(target uint64) Amount {
	return func(s *Situation) uint64 {
		if s.Level == nil {
			return 0
		}
		missing := target - min(target, *s.Level)
		return missing - min(missing, s.Coming)
	}
}

// Sum adds two amounts.
func Sum(a, b Amount) Amount {
	return func(s *Situation) uint64 {
		sum, carry := bits.Add64(a(s), b(s), 0)
		if carry != 0 {
			return 1<<64 - 1
		}
		return sum
	}
}

// energy is a power over a time, in Wh, rounded down.
func energy(watts uint64, span types.Duration) uint64 { return times(watts, uint64(span), 3_600_000) }

// times returns a*b/c rounded down, at most the largest number.
func times(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	if high >= c {
		return 1<<64 - 1
	}
	quotient, _ := bits.Div64(high, low, c)
	return quotient
}
