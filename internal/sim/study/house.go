package study

import (
	"fmt"
	"math"
	"math/rand/v2"

	"lockstep/internal/sim"
	"lockstep/types"
)

// house is a household with its energy in each slot, in Wh, and its conduct.
type house struct {
	name string
	roof bool
	use  []uint64 // of all that runs in it
	sun  []uint64 // made on its roof, as foreseen

	surplus []uint64 // foreseen, after own use and the battery
	need    []uint64
	fed     []uint64 // fed in, under the clouds that came

	tariff, feedIn uint64       // smallest units of the money for a Wh
	purse          types.Amount // its money at the beginning
	perDay         types.Amount // that its agent agrees to pay in any 24 hours; zero: no limit

	// The slots from which on it breaks its word, or its meter is broken; never for a faithful household.
	defaultsFrom, withholdsFrom, brokenFrom int
	offline                                 bool // in the hours of the scenario
}

// profile is the day whose energy the households share, unless theirs was measured.
func (s *Scenario) profile() (*sim.Profile, error) {
	if s.Day != nil {
		return s.Day, nil
	}
	return sim.Standard(s.Season)
}

// houses makes the households of a scenario. Each has a source of chance of its own, so one more household changes none of the others.
func (s *Scenario) houses() (houses []*house, begin int, err error) {
	var measured []*measured
	if s.Profiles != "" {
		if measured, begin, err = readProfiles(s.Profiles); err != nil {
			return nil, 0, err
		}
		if s.Households > len(measured) {
			return nil, 0, fault("households %d: %s has %d houses", s.Households, s.Profiles, len(measured))
		}
		if most := len(measured[0].use); s.Slots > most {
			return nil, 0, fault("slots %d: %s has %d quarter-hours of each house", s.Slots, s.Profiles, most)
		}
	}
	profile, err := s.profile()
	if err != nil {
		return nil, 0, err
	}
	if s.Town {
		return s.town(profile), 0, nil
	}
	days := (begin+s.Slots)/sim.SlotsPerDay + 1
	sky := make([]uint64, days)
	for day := range sky {
		sky[day] = s.Sky.draw(rand.New(rand.NewPCG(s.Seed, uint64(day)+skies))) // the same for all of a region
	}
	for i := range s.Households {
		chance := s.chance(uint64(i))
		h := s.draw(chance, profile, begin, sky)
		h.name = fmt.Sprintf("House %d", i+1)
		if measured != nil {
			m := measured[i]
			h.name, h.roof, h.use, h.sun = m.name, m.roof(), m.use[:s.Slots], m.sun[:s.Slots]
		}
		s.cheat(chance, h, begin)
		s.balance(chance, h)
		s.cloud(chance, h, begin)
		const cent = 10_000
		h.perDay, h.purse = types.Amount(s.PerDay.draw(chance))*cent, purse
		houses = append(houses, h)
	}
	return houses, begin, nil
}

// never is after the last slot of any scenario.
const never = math.MaxInt

// first is the first slot of a time of day, when the first of all slots is a quarter-hour of the day.
func first(clock string, begin int) int {
	return (quarter(clock) - begin + sim.SlotsPerDay) % sim.SlotsPerDay
}

// town makes the households of the demonstration, with the plan of their day.
func (s *Scenario) town(standard *sim.Profile) (houses []*house) {
	from := func(quarter int) int {
		if quarter >= sim.SlotsPerDay {
			return never
		}
		return quarter
	}
	for _, t := range s.townHouses() {
		h := &house{
			name: t.Name, roof: t.Roof != sim.NoRoof, tariff: t.Tariff, feedIn: t.FeedIn, use: make([]uint64, s.Slots), sun: make([]uint64, s.Slots),
			surplus: make([]uint64, s.Slots), need: make([]uint64, s.Slots), fed: make([]uint64, s.Slots),
			purse: t.Purse, defaultsFrom: from(t.DeliversUntil), withholdsFrom: from(t.ReleasesUntil), brokenFrom: never,
		}
		load, sun := standard.Load(t.Kind, t.Annual), standard.Sun(t.Roof, t.Power)
		for n := range s.Slots {
			q := n % sim.SlotsPerDay
			h.use[n], h.sun[n] = load[q], sun[q]
			own := min(h.use[n], h.sun[n])
			h.surplus[n], h.need[n] = h.sun[n]-own, h.use[n]-own
			if h.fed[n] = h.surplus[n]; t.Cloud.From <= n && n < t.Cloud.To {
				h.fed[n] = h.surplus[n] * sim.CloudPercent / percent
			}
		}
		houses = append(houses, h)
	}
	return houses
}

// skies keeps the chance of the days apart from that of the households, communityChance that of a community from its households'.
const (
	skies           = 1 << 32
	communityChance = maxHouseholds
)

// chance is the source of chance of one household of the community.
func (s *Scenario) chance(household uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(s.place)*(maxHouseholds+1)+household))
}

// draw draws a value of a range.
func (r Range) draw(chance *rand.Rand) uint64 { return r.From + chance.Uint64N(r.To-r.From+1) }

// among reports whether a household is among a share.
func among(chance *rand.Rand, share uint64) bool { return chance.Uint64N(percent) < share }

// draw draws a household's size, its devices and its tariffs.
func (s *Scenario) draw(chance *rand.Rand, standard *sim.Profile, begin int, sky []uint64) *house {
	const units = 10 // smallest units for a Wh are ten to a ct/kWh
	h := &house{use: make([]uint64, s.Slots), sun: make([]uint64, s.Slots)}
	load := standard.Load(sim.Dwelling, s.Use.draw(chance))
	power, facing := s.Roofs.Power.draw(chance), s.Roofs.Facing[chance.IntN(len(s.Roofs.Facing))]
	h.roof = among(chance, s.Roofs.Share)
	var roof sim.Day
	if h.roof {
		roof = standard.Sun(sim.Roof(facing), power)
	}
	h.tariff = Range{s.Tariffs.Buy.From * units, s.Tariffs.Buy.To * units}.draw(chance)
	h.feedIn = Range{s.Tariffs.FeedIn.From * units, s.Tariffs.FeedIn.To * units}.draw(chance)
	for n := range s.Slots {
		at := begin + n
		h.use[n] = load[at%sim.SlotsPerDay]
		h.sun[n] = roof[at%sim.SlotsPerDay] * sky[at/sim.SlotsPerDay] / percent
	}
	for _, device := range []*Load{&s.HeatPumps, &s.Cars} {
		daily, has := device.Daily.draw(chance), among(chance, device.Share)
		if has {
			device.add(h.use, begin, daily)
		}
	}
	return h
}

// add spreads a day's use of a device evenly over its hours; the rest of the division goes to the first of them.
func (l *Load) add(use []uint64, begin int, daily uint64) {
	from, until := quarter(l.From), quarter(l.Until)
	length := until - from
	if length <= 0 { // over midnight
		length += sim.SlotsPerDay
	}
	for n := range use {
		place := (begin + n - from + sim.SlotsPerDay) % sim.SlotsPerDay
		if place >= length {
			continue
		}
		use[n] += daily / uint64(length)
		if uint64(place) < daily%uint64(length) {
			use[n]++
		}
	}
}

// cheat draws the conduct of a household: its broken promises, the hours in which it is away, and the end of its meter.
func (s *Scenario) cheat(chance *rand.Rand, h *house, begin int) {
	undelivered, withheld := among(chance, s.Cheats.Undelivered), among(chance, s.Cheats.Withheld)
	offline, broken := among(chance, s.Offline.Share), among(chance, s.Meters.Share)
	h.defaultsFrom, h.withholdsFrom, h.brokenFrom, h.offline = never, never, never, offline
	if undelivered && h.roof {
		h.defaultsFrom = first(s.Cheats.From, begin)
	}
	if withheld {
		h.withholdsFrom = first(s.Cheats.From, begin)
	}
	if broken && h.roof {
		h.brokenFrom = first(s.Meters.From, begin)
	}
}

// balance lets a battery keep a household's sun for its own use, and enters the rest of each slot, which is to trade.
func (s *Scenario) balance(chance *rand.Rand, h *house) {
	const slotsPerHour = 4
	capacity, has := s.Batteries.Capacity.draw(chance), among(chance, s.Batteries.Share)
	h.surplus, h.need = make([]uint64, s.Slots), make([]uint64, s.Slots)
	var level uint64
	for n := range s.Slots {
		own := min(h.use[n], h.sun[n])
		surplus, need := h.sun[n]-own, h.use[n]-own
		if has && h.roof {
			in := min(surplus, capacity-level, s.Batteries.Power/slotsPerHour)
			level, surplus = level+in, surplus-in
			out := min(need, level, s.Batteries.Power/slotsPerHour)
			level, need = level-out, need-out
		}
		h.surplus[n], h.need[n] = surplus, need
	}
}

// cloud takes the energy away that clouds keep off a roof.
func (s *Scenario) cloud(chance *rand.Rand, h *house, begin int) {
	h.fed = append([]uint64(nil), h.surplus...)
	for i := range s.Clouds {
		cloud := &s.Clouds[i]
		if !among(chance, cloud.Roofs) {
			continue
		}
		for n := range h.fed {
			if within(cloud.From, cloud.Until, begin+n) {
				h.fed[n] = h.surplus[n] * cloud.Remains / percent
			}
		}
	}
}

// within reports whether a quarter-hour is in a span of each day.
func within(from, until string, at int) bool {
	q, begin, end := at%sim.SlotsPerDay, quarter(from), quarter(until)
	if begin < end {
		return begin <= q && q < end
	}
	return q >= begin || q < end
}
