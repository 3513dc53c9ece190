package sim

import (
	"math/rand/v2"
	"slices"

	"lockstep/types"
)

// Household is a house of the community: its size, its utility's prices, and how long it keeps its word.
type Household struct {
	Name   string
	Kind   Customer
	Annual uint64       // its use, in kWh a year
	Roof   Roof         // empty: it makes nothing
	Power  uint64       // of its panels, in W
	Tariff uint64       // the utility's price for a Wh, in smallest units of the money: it bids no more
	FeedIn uint64       // the grid's price for a Wh that it feeds in: it asks no less; zero without a roof
	Purse  types.Amount // its money at the beginning of the day

	DeliversUntil int   // the quarter-hour from which on it sells and feeds nothing in
	ReleasesUntil int   // the quarter-hour from which on it takes deliveries and shows no secret
	Cloud         Slots // while it stands over the roof, a part of the forecast does not come
}

// Slots are the slots from one on, up to another without it.
type Slots struct{ From, To int }

func (s Slots) has(slot int) bool { return s.From <= slot && slot < s.To }

// CloudPercent is the part of a surplus that remains under a cloud. TownSize is the number of the households.
const (
	CloudPercent = 60
	TownSize     = 12
)

// Patience is how many trades may fail a household of the town before its orders demand a record, and DemandedRecord is that record, in
// hundredths.
const (
	Patience       = 2
	DemandedRecord = 80
)

// faithful is the end of the day: a household that always keeps its word.
const faithful = SlotsPerDay

// Sizes of the house in a file of measured figures, to which the others are scaled.
const (
	measuredAnnual = 4_200 // kWh a year
	measuredPower  = 6_000 // W
)

// Two break their word: Birch sells and feeds nothing in from ten o'clock on, Loom shows no secret from noon on. Over Cedar a cloud
// comes that nobody had foreseen.
const (
	defaulter, defaultsFrom   = 1, 10 * 4
	withholder, withholdsFrom = 11, 12 * 4
	clouded                   = 2
)

// Households returns the twelve houses: four with a roof, then eight without. The first has the size given; the seed varies
// the others by up to a tenth, so that another seed is another day. Two of them break their word, see the constants above.
//
// The utility's price depends on the contract: 26 to 36 ct/kWh for dwellings, 22 to 26 for businesses. The grid's price
// depends on the year in which a roof was built: 6 to 12 ct/kWh.
func Households(seed uint64) []Household {
	houses := []Household{
		{Name: "Alder", Kind: Dwelling, Annual: measuredAnnual, Roof: EastRoof, Power: measuredPower, Tariff: 331, FeedIn: 82},
		{Name: "Birch", Kind: Dwelling, Annual: 3_600, Roof: SouthRoof, Power: 9_000, Tariff: 318, FeedIn: 71},
		{Name: "Cedar", Kind: Dwelling, Annual: 5_000, Roof: WestRoof, Power: 8_000, Tariff: 342, FeedIn: 96},
		{Name: "Dairy", Kind: Business, Annual: 16_000, Roof: SouthRoof, Power: 14_000, Tariff: 248, FeedIn: 114},
		{Name: "Elm", Kind: Dwelling, Annual: 2_400, Tariff: 355},
		{Name: "Fir", Kind: Dwelling, Annual: 3_100, Tariff: 337},
		{Name: "Ginkgo", Kind: Dwelling, Annual: 4_000, Tariff: 312},
		{Name: "Hazel", Kind: Dwelling, Annual: 1_900, Tariff: 349},
		{Name: "Ivy", Kind: Dwelling, Annual: 3_500, Tariff: 296},
		{Name: "Juniper", Kind: Dwelling, Annual: 2_800, Tariff: 281},
		{Name: "Kiln", Kind: Business, Annual: 22_000, Tariff: 229},
		{Name: "Loom", Kind: Business, Annual: 12_000, Tariff: 255},
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	for i := range houses {
		house := &houses[i]
		house.DeliversUntil, house.ReleasesUntil = faithful, faithful
		if i > 0 {
			house.Annual = vary(chance, house.Annual)
			house.Power = vary(chance, house.Power)
		}
		house.Tariff += chance.Uint64N(spread)
		if house.Purse = types.Amount(house.Annual * purseOfConsumer); house.Roof != NoRoof {
			house.FeedIn += chance.Uint64N(spread)
			house.Purse = purseOfProducer
		}
	}
	houses[defaulter].DeliversUntil, houses[withholder].ReleasesUntil = defaultsFrom, withholdsFrom
	houses[clouded].Cloud = Slots{17*4 + 2, 18*4 + 2}
	return houses
}

// spread is the small range in which the seed varies the price of a Wh; it keeps the limits of the houses apart.
const spread = 5

// Money to begin the day with, in millionths of the money. Several slots are under way at once: a bid locks its limit until the auction, a
// trade its price until the release, an offer and its trades a bond of the highest price that there can be.
const (
	purseOfConsumer = 4_000 // for each kWh a year
	purseOfProducer = 150_000_000
)

func vary(chance *rand.Rand, size uint64) uint64 {
	percent := 90 + chance.Uint64N(21)
	return size * percent / 100
}

// Honest returns households that keep their word, under a sky without the cloud.
func Honest(houses []Household) []Household {
	honest := slices.Clone(houses)
	for i := range honest {
		honest[i].DeliversUntil, honest[i].ReleasesUntil, honest[i].Cloud = faithful, faithful, Slots{}
	}
	return honest
}

// house is a household with its day.
type house struct {
	Household
	place     int
	load, sun Day
}

// housesOf gives households the day of a profile.
func housesOf(profile *Profile, households []Household) []house {
	houses := make([]house, len(households))
	for place, h := range households {
		houses[place] = house{h, place, profile.Load(h.Kind, h.Annual), profile.Sun(h.Roof, h.Power)}
	}
	return houses
}

// foreseen is the household's expected surplus or need in a quarter-hour, in Wh.
func (h *house) foreseen(quarter int) (surplus, need uint64) {
	sun, load := h.sun[quarter], h.load[quarter]
	return sun - min(sun, load), load - min(sun, load)
}

// traded lists the quarter-hours of a part of a day in which a household has a surplus, so that something can be traded.
func traded(houses []house, from, to int) (quarters []int) {
	for quarter := from; quarter < to; quarter++ {
		if slices.ContainsFunc(houses, func(h house) bool { surplus, _ := h.foreseen(quarter); return surplus > 0 }) {
			quarters = append(quarters, quarter)
		}
	}
	return quarters
}

// clock is when a quarter-hour begins, by the time of the day that is played.
func (p *Profile) clock(quarter int) string {
	from, _ := p.Slot(quarter)
	return from.Std().In(p.Start.Location()).Format("15:04")
}

// CheckSlot checks that a quarter-hour by its begin, such as "12:15", has an auction.
func CheckSlot(profile *Profile, households []Household, clock string) error {
	quarters := traded(housesOf(profile, households), 0, SlotsPerDay)
	if len(quarters) == 0 {
		return badOption("no household has a surplus on this day, so there is no auction to spell out")
	}
	if !slices.ContainsFunc(quarters, func(quarter int) bool { return profile.clock(quarter) == clock }) {
		return noAuction(clock)
	}
	return nil
}

// noAuction is the error of a slot in which nothing is auctioned.
func noAuction(clock string) error {
	return badOption("there is no auction for the slot %q: name the begin of a quarter-hour with sun, such as 12:15", clock)
}
