package source

import (
	"math/big"
	"slices"
	"time"

	"lockstep/meter"
)

// A Reading is one value at one moment.
type Reading struct {
	Value    string        // its name
	Measures Quantity      //
	Number   meter.Decimal // W or Wh
	At       int64         // Unix milliseconds: the source's own time if it states one, else that of arrival
	Own      bool          // At is the source's own time
	Steady   int64         // milliseconds of a clock of this process that can't be set, at arrival
	Meter    string        // serial number, if the source states one
	Retained bool          // a message that the broker had kept
	Record   []byte        // the signed record that it was read from, of an OCMF file
}

// An Event is an irregularity of a series.
type Event string

// The events, by the rules of the package comment.
const (
	Taken     Event = "" // a regular reading
	Duplicate Event = "duplicate"
	Late      Event = "late"
	Gap       Event = "gap"
	Waiting   Event = "waiting" // a value that can't follow the last one
	Glitch    Event = "glitch"  // the value before was dropped
	Reset     Event = "reset"
	Exchange  Event = "exchange"
	ClockStep Event = "clock"
	Kept      Event = "retained"
)

// A Sum is the energy of a slot.
type Sum struct {
	From, Until int64    // Unix milliseconds
	Import      *big.Rat // Wh, exactly
	Export      *big.Rat
	Covered     int64 // milliseconds of the slot in which readings followed each other
	Estimated   bool  // a gap or a step of the clock makes the division between slots uncertain
	Incomplete  bool  // energy was left out
}

// Complete tells whether the whole slot was measured.
func (s *Sum) Complete() bool { return s.Covered == s.Until-s.From && !s.Estimated && !s.Incomplete }

// keptSlots bounds the slots of a series: four weeks of quarter-hours.
const keptSlots = 4 * 7 * 96

// A Series turns the readings of one value into energy by slots. It is a pure function of its readings.
type Series struct {
	measures  Quantity
	direction Direction
	gap       int64 // ms
	slot      int64 // ms
	maxPower  *big.Rat

	last    *Reading
	waiting *Reading
	sums    map[int64]*Sum
}

// clockStep is the difference between the wall clock and the steady clock that is no drift, in milliseconds.
const clockStep = 2000

// msPerHour turns W times milliseconds into Wh.
const msPerHour = 3_600_000

// NewSeries returns the series of a value of a checked configuration, with slots of a length.
func (c *Config) NewSeries(v *Value, slot time.Duration) *Series {
	most, err := c.maxPower()
	if err != nil { // Check has refused it
		most = meter.Decimal{}
	}
	return &Series{
		measures: v.Measures, direction: v.Direction, gap: c.MaxGap.Milliseconds(), slot: max(slot.Milliseconds(), 1),
		maxPower: rational(most), sums: map[int64]*Sum{},
	}
}

// rational is an exact decimal as a rational number.
func rational(d meter.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		return new(big.Rat)
	}
	return r
}

// Take counts a reading and returns the irregularity that it shows.
func (s *Series) Take(r Reading) Event {
	if r.Retained {
		return Kept
	}
	if s.last == nil {
		s.last = &r
		return Taken
	}
	if s.last.Meter != r.Meter && s.last.Meter != "" && r.Meter != "" {
		s.restart(&r)
		return Exchange
	}
	if !r.Own && !s.last.Own {
		if off := (r.At - s.last.At) - (r.Steady - s.last.Steady); off > clockStep || off < -clockStep {
			return s.step(&r)
		}
	}
	switch {
	case r.At == s.last.At:
		return Duplicate
	case r.At < s.last.At || s.waiting != nil && r.At <= s.waiting.At:
		return Late
	case s.measures == Power:
		return s.takePower(&r)
	}
	return s.takeRegister(&r)
}

// restart begins anew at a reading; nothing is counted before it.
func (s *Series) restart(r *Reading) {
	s.at(r.At).Incomplete = true
	if s.last != nil {
		s.at(s.last.At).Incomplete = true
	}
	s.last, s.waiting = r, nil
}

// step takes the first reading after this machine's clock was set.
func (s *Series) step(r *Reading) Event {
	sum := s.at(r.At)
	if s.measures == Energy && s.follows(s.last, r, max(r.Steady-s.last.Steady, 1)) {
		sum.Estimated = true
		s.count(sum, new(big.Rat).Sub(rational(r.Number), rational(s.last.Number)))
		s.last, s.waiting = r, nil
		return ClockStep
	}
	s.restart(r)
	return ClockStep
}

// takePower counts the last value until this one.
func (s *Series) takePower(r *Reading) Event {
	event, until := Taken, r.At
	if until-s.last.At > s.gap {
		event, until = Gap, s.last.At+s.gap
		s.mark(until, r.At, func(sum *Sum) { sum.Incomplete = true })
	}
	power := rational(s.last.Number)
	if s.direction != Net && power.Sign() < 0 {
		power.SetInt64(0) // the other direction, such as an inverter's own consumption at night
	}
	s.divide(s.last.At, until, func(sum *Sum, ms int64) {
		s.count(sum, new(big.Rat).Mul(power, big.NewRat(ms, msPerHour)))
		sum.Covered += ms
	})
	s.last = r
	return event
}

// follows tells whether a register can have gone from one reading to another in so many milliseconds.
func (s *Series) follows(from, to *Reading, ms int64) bool {
	rise := new(big.Rat).Sub(rational(to.Number), rational(from.Number))
	most := new(big.Rat).Mul(s.maxPower, big.NewRat(ms, msPerHour))
	return rise.Sign() >= 0 && rise.Cmp(most) <= 0
}

func (s *Series) takeRegister(r *Reading) Event {
	event := Taken
	switch {
	case s.follows(s.last, r, r.At-s.last.At):
		if s.waiting != nil {
			event = Glitch
		}
	case s.waiting == nil || !s.follows(s.waiting, r, r.At-s.waiting.At):
		s.waiting = r
		return Waiting
	default: // the register was reset, or is another one
		event = Reset
		waited := s.waiting
		s.mark(s.last.At, waited.At, func(sum *Sum) { sum.Incomplete = true })
		s.restart(waited)
	}
	wide := r.At-s.last.At > s.gap
	if wide && event == Taken {
		event = Gap
	}
	difference, whole := new(big.Rat).Sub(rational(r.Number), rational(s.last.Number)), r.At-s.last.At
	s.divide(s.last.At, r.At, func(sum *Sum, ms int64) {
		s.count(sum, new(big.Rat).Mul(difference, big.NewRat(ms, whole)))
		sum.Covered += ms
		sum.Estimated = sum.Estimated || wide
	})
	s.last, s.waiting = r, nil
	return event
}

// count adds energy to a slot, in the value's direction.
func (s *Series) count(sum *Sum, wh *big.Rat) {
	switch export := s.direction == Export || s.direction == Net && wh.Sign() < 0; {
	case export && s.direction == Net:
		sum.Export.Sub(sum.Export, wh)
	case export:
		sum.Export.Add(sum.Export, wh)
	default:
		sum.Import.Add(sum.Import, wh)
	}
}

// at returns the sum of the slot of a moment.
func (s *Series) at(ms int64) *Sum {
	from := ms - ((ms%s.slot)+s.slot)%s.slot
	sum := s.sums[from]
	if sum == nil {
		sum = &Sum{From: from, Until: from + s.slot, Import: new(big.Rat), Export: new(big.Rat)}
		s.sums[from] = sum
		if len(s.sums) > keptSlots {
			s.forget()
		}
	}
	return sum
}

// forget leaves out the oldest slot.
func (s *Series) forget() {
	oldest := int64(0)
	first := true
	for from := range s.sums {
		if first || from < oldest {
			oldest, first = from, false
		}
	}
	delete(s.sums, oldest)
}

// divide visits the slots between two moments with the time in each. Of a very long time only the last slots are visited.
func (s *Series) divide(from, until int64, visit func(sum *Sum, ms int64)) {
	from = max(from, until-keptSlots*s.slot)
	for from < until {
		sum := s.at(from)
		end := min(sum.Until, until)
		visit(sum, end-from)
		from = end
	}
}

func (s *Series) mark(from, until int64, visit func(sum *Sum)) {
	s.divide(from, until, func(sum *Sum, _ int64) { visit(sum) })
}

// Slot returns the sum of the slot that begins at a moment; false if no reading touched it.
func (s *Series) Slot(from int64) (Sum, bool) {
	sum := s.sums[from]
	if sum == nil {
		return Sum{}, false
	}
	return copySum(sum), true
}

// Slots returns the sums of all slots, in their order.
func (s *Series) Slots() []Sum {
	var all []Sum
	for _, sum := range s.sums {
		all = append(all, copySum(sum))
	}
	slices.SortFunc(all, func(a, b Sum) int { return int(min(max(a.From-b.From, -1), 1)) })
	return all
}

func copySum(s *Sum) Sum {
	c := *s
	c.Import, c.Export = new(big.Rat).Set(s.Import), new(big.Rat).Set(s.Export)
	return c
}
