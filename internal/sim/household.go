package sim

import (
	"maps"
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

// View is a household's knowledge when it decides. Households are named by their place in the community.
type View struct {
	Me    int
	Open  []Outlook    // the auctions that take its orders
	Purse types.Amount // spendable now
	Deals []Deal       // its own trades that are not over
}

// Outlook is a household's forecast for a slot.
type Outlook struct {
	Slot          int
	Surplus, Need uint64 // Wh; one of them is zero
}

// Deal is a trade that an auction gave a household.
type Deal struct {
	ID            types.TradeID
	Slot          int
	Seller, Buyer int
	Phase         types.Phase
	Trade         types.Trade // as the ledger has it

	Ended   bool // the slot is over
	Kept    bool // the household keeps its word in it
	Read    bool // the seller's gateway has posted its readings
	Short   bool // the part of it that is this trade's is less than its quantity
	Overdue bool // reading-by has passed
	Expired bool // confirm-by has passed
}

// Memory lists the trades of sellers whose meter was not read for the household and of buyers that did not release.
type Memory struct{ undelivered, unreleased map[types.TradeID]bool }

// patience is how often others may fail a household before its orders demand a record. demanded is the record then.
const (
	patience = 2
	demanded = 80
)

// Effect is a thing that a household wants done. The set is closed: [Order], [Meter], [Confirm], [Close].
//
//sumtype:decl
type Effect interface{ isEffect() }

// Order is a bid or an offer in the auction of a slot.
type Order struct {
	Slot      int
	Side      types.Side
	Quantity  uint64
	Limit     uint64 // of a Wh
	MinRecord uint8
}

// Meter posts the gateway's readings of a slot.
type Meter struct{ Slot int }

// Confirm releases a trade.
type Confirm struct{ Deal Deal }

// Close settles a trade by its readings.
type Close struct{ Deal Deal }

func (Order) isEffect()   {}
func (Meter) isEffect()   {}
func (Confirm) isEffect() {}
func (Close) isEffect()   {}

// stake is all that the order locks.
func (o *Order) stake() types.Amount {
	if o.Side == types.Sell {
		return types.Amount(o.Quantity) * lotBond
	}
	return types.Amount(o.Quantity) * (types.Amount(o.Limit) + lotDeposit)
}

// Step decides. It is pure: the same household with the same memory and view does the same. An order is the whole of a trade's begin: the
// auction makes trades that are paid and delivered. It waits for money when the purse can't fund it.
func (h *Household) Step(memory Memory, view View) (Memory, []Effect) {
	memory = memory.after(view)
	var effects []Effect
	purse := view.Purse
	for _, outlook := range view.Open {
		order := h.order(memory, outlook)
		if left, enough := purse.Sub(order.stake()); enough {
			purse = left
			effects = append(effects, order)
		}
	}
	read := map[int]bool{}
	for _, deal := range view.Deals {
		buyer := deal.Buyer == view.Me
		switch {
		case deal.Phase != types.PhaseDelivered:
		case deal.Expired:
			if buyer != deal.Read { // the one that gains by it: the buyer, unless the meter was read
				effects = append(effects, Close{deal})
			}
		case buyer:
			if deal.Read && !deal.Short && deal.Kept {
				effects = append(effects, Confirm{deal})
			}
		case deal.Ended && !deal.Read && !deal.Overdue && !read[deal.Slot] && deal.Kept:
			read[deal.Slot] = true
			effects = append(effects, Meter{deal.Slot})
		}
	}
	return memory, effects
}

// order is a household's order for a slot: its limit is the utility's price, so any match is a gain.
func (h *Household) order(memory Memory, outlook Outlook) Order {
	order := Order{Slot: outlook.Slot, Side: types.Bid, Quantity: outlook.Need, Limit: h.Tariff}
	failures := len(memory.undelivered)
	if outlook.Surplus > 0 {
		order.Side, order.Quantity, order.Limit = types.Sell, outlook.Surplus, h.FeedIn
		failures = len(memory.unreleased)
	}
	if failures >= patience {
		order.MinRecord = demanded
	}
	return order
}

// after adds the breaches in the view: a seller's meter was not read though there was time, or it was read in full and the buyer did not
// release.
func (m Memory) after(view View) Memory {
	next := Memory{undelivered: maps.Clone(m.undelivered), unreleased: maps.Clone(m.unreleased)}
	if next.undelivered == nil {
		next = Memory{undelivered: map[types.TradeID]bool{}, unreleased: map[types.TradeID]bool{}}
	}
	for _, deal := range view.Deals {
		switch {
		case deal.Buyer == view.Me && deal.Phase == types.PhaseDelivered && !deal.Read && deal.Overdue:
			next.undelivered[deal.ID] = true
		case deal.Seller == view.Me && deal.Phase == types.PhaseDelivered && deal.Read && !deal.Short && deal.Overdue:
			next.unreleased[deal.ID] = true
		}
	}
	return next
}

// Honest returns households that keep their word, under a sky without the cloud.
func Honest(houses []Household) []Household {
	honest := slices.Clone(houses)
	for i := range honest {
		honest[i].DeliversUntil, honest[i].ReleasesUntil, honest[i].Cloud = faithful, faithful, Slots{}
	}
	return honest
}
