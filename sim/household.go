package sim

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"lockstep/types"
)

// Household is a house of the community: its size, what it asks for its energy, and how long it keeps its word.
type Household struct {
	Name   string
	Kind   Customer
	Annual uint64       // what it draws, in kWh a year
	Roof   Roof         // empty: it makes nothing
	Power  uint64       // of its panels, in W
	Price  uint64       // what it asks for a Wh, in smallest units of the money
	Purse  types.Amount // what it begins the day with

	DeliversUntil int // the slot from which on it takes payments and delivers nothing
	ReleasesUntil int // the slot from which on it takes deliveries and shows no secret
}

// faithful is the end of the day: a household that always keeps its word.
const faithful = SlotsPerDay

// What the house of a file of measured figures counts as, so that the others can be scaled to it.
const (
	measuredAnnual = 4_200 // kWh a year
	measuredPower  = 6_000 // W
)

// Two break their word: Birch delivers nothing from noon on, Loom shows no secret from two o'clock on.
const (
	defaulter, defaultsFrom   = 1, 12 * 4
	withholder, withholdsFrom = 11, 14 * 4
)

// Households returns the twelve houses: four with a roof, then eight without. The first has the size given; the seed varies
// the others by up to a tenth, so that another seed is another day. Two of them break their word, see the constants above.
func Households(seed uint64) []Household {
	houses := []Household{
		{Name: "Alder", Kind: Dwelling, Annual: measuredAnnual, Roof: EastRoof, Power: measuredPower, Price: 206},
		{Name: "Birch", Kind: Dwelling, Annual: 3_600, Roof: SouthRoof, Power: 9_000, Price: 198},
		{Name: "Cedar", Kind: Dwelling, Annual: 5_000, Roof: WestRoof, Power: 8_000, Price: 202},
		{Name: "Dairy", Kind: Business, Annual: 16_000, Roof: SouthRoof, Power: 14_000, Price: 211},
		{Name: "Elm", Kind: Dwelling, Annual: 2_400},
		{Name: "Fir", Kind: Dwelling, Annual: 3_100},
		{Name: "Ginkgo", Kind: Dwelling, Annual: 4_000},
		{Name: "Hazel", Kind: Dwelling, Annual: 1_900},
		{Name: "Ivy", Kind: Dwelling, Annual: 3_500},
		{Name: "Juniper", Kind: Dwelling, Annual: 2_800},
		{Name: "Kiln", Kind: Business, Annual: 22_000},
		{Name: "Loom", Kind: Business, Annual: 12_000},
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	for i := range houses {
		house := &houses[i]
		house.DeliversUntil, house.ReleasesUntil = faithful, faithful
		if i > 0 {
			house.Annual = vary(chance, house.Annual)
			house.Power = vary(chance, house.Power)
		}
		house.Purse = types.Amount(house.Annual * purseOfConsumer)
		if house.Roof != NoRoof {
			house.Purse = purseOfProducer
		}
	}
	houses[defaulter].DeliversUntil, houses[withholder].ReleasesUntil = defaultsFrom, withholdsFrom
	return houses
}

// Money to begin the day with, in millionths of the money. A consumer can pay for about twice a day's energy. A producer
// has so little that its bonds and its own purchases must come out of what it earns.
const (
	purseOfConsumer = 1_000 // for each kWh a year
	purseOfProducer = 200_000
)

func vary(chance *rand.Rand, size uint64) uint64 {
	percent := 90 + chance.Uint64N(21)
	return size * percent / 100
}

// Of a price, in percent: what a consumer deposits and a producer stakes.
const (
	depositPercent = 10
	bondPercent    = 10
)

// percentOf is a share of a price of a Wh, exactly.
func percentOf(price, percent uint64) types.Rate {
	rate := types.Rate{Mantissa: price * percent, Exponent: 2}
	for rate.Exponent > 0 && rate.Mantissa%10 == 0 {
		rate.Mantissa, rate.Exponent = rate.Mantissa/10, rate.Exponent-1
	}
	return rate
}

// Moment is a part of a quarter-hour. A household decides once in each.
type Moment int

// The moments of a quarter-hour, in order.
const (
	Offering Moment = iota
	Taking
	Delivering
	Releasing
	Looking // back: who kept its word?
)

// View is what a household knows when it decides. Households are named by their place in the community.
type View struct {
	Slot          int
	Moment        Moment
	Me            int
	Surplus, Need uint64       // Wh of this slot; one of them is zero
	Purse         types.Amount // spendable now
	Quotes        []Quote      // the offers that stand, while taking
	Deals         []Deal       // its own trades of this slot
}

// Quote is an offer as a consumer sees it.
type Quote struct {
	ID     types.OfferID
	Seller int
	Terms  types.Offer
	Left   uint64 // Wh
}

// Deal is a trade of this slot.
type Deal struct {
	ID            types.TradeID
	Seller, Buyer int
	Phase         types.Phase
	Trade         types.Trade // as the ledger has it
}

// Memory is what a household keeps in mind of the others: how often each broke its word to it.
type Memory struct{ broken map[int]int }

// patience is how often a seller may fail a buyer before the buyer leaves its offers alone. A seller has none: it delivers
// nothing more to a buyer that once kept the secret.
const patience = 2

// Effect is a thing that a household wants done. The set is closed: [Sell], [Buy], [HandOver], [Confirm].
//
//sumtype:decl
type Effect interface{ isEffect() }

// Sell offers energy of the slot.
type Sell struct {
	Quantity uint64
	Price    uint64
}

// Buy takes a part of an offer and pays for it.
type Buy struct {
	Quote    Quote
	Quantity uint64
}

// HandOver delivers a trade: the energy flows, and the ledger is told.
type HandOver struct{ Deal Deal }

// Confirm releases a trade.
type Confirm struct{ Deal Deal }

func (Sell) isEffect()     {}
func (Buy) isEffect()      {}
func (HandOver) isEffect() {}
func (Confirm) isEffect()  {}

// Step decides. It is pure: the same household with the same memory and view does the same.
func (h *Household) Step(memory Memory, view View) (Memory, []Effect) {
	switch view.Moment {
	case Offering:
		if view.Surplus == 0 {
			return memory, nil
		}
		return memory, []Effect{Sell{Quantity: view.Surplus, Price: h.Price + hourly(view.Slot)}}
	case Taking:
		return memory, buy(memory, view)
	case Delivering:
		return memory, h.handOver(memory, view)
	case Releasing:
		return memory, h.confirm(view)
	case Looking:
		return memory.after(view), nil
	}
	return memory, nil
}

// hourly is what a Wh costs more for each hour that the slot is away from one o'clock, when the sun is highest.
func hourly(slot int) uint64 {
	const noon = 13 * 4
	return uint64(max(slot-noon, noon-slot)) / 4
}

// buy takes the cheapest energy first, until the need is met or the money is used up.
func buy(memory Memory, view View) []Effect {
	quotes := slices.Clone(view.Quotes)
	slices.SortStableFunc(quotes, func(a, b Quote) int {
		return cmp.Or(cmp.Compare(a.Terms.Price.Mantissa, b.Terms.Price.Mantissa), cmp.Compare(a.Seller, b.Seller))
	})
	need, purse := view.Need, view.Purse
	var effects []Effect
	for _, quote := range quotes {
		quantity := min(need, quote.Left)
		if quote.Seller == view.Me || memory.broken[quote.Seller] >= patience || quantity == 0 {
			continue
		}
		agreement, err := quote.Terms.Agreement(quantity, types.PublicKey{}, 0)
		if err != nil {
			continue
		}
		left, enough := purse.Sub(agreement.Price + agreement.Deposit)
		if !enough {
			continue
		}
		need, purse = need-quantity, left
		effects = append(effects, Buy{Quote: quote, Quantity: quantity})
	}
	return effects
}

func (h *Household) handOver(memory Memory, view View) []Effect {
	if view.Slot >= h.DeliversUntil {
		return nil
	}
	purse := view.Purse
	var effects []Effect
	for _, deal := range view.Deals {
		if deal.Seller != view.Me || deal.Phase != types.PhasePaid || memory.broken[deal.Buyer] > 0 {
			continue
		}
		if left, enough := purse.Sub(deal.Trade.Agreement.Bond); enough {
			purse = left
			effects = append(effects, HandOver{deal})
		}
	}
	return effects
}

func (h *Household) confirm(view View) []Effect {
	if view.Slot >= h.ReleasesUntil {
		return nil
	}
	var effects []Effect
	for _, deal := range view.Deals {
		if deal.Buyer == view.Me && deal.Phase == types.PhaseDelivered {
			effects = append(effects, Confirm{deal})
		}
	}
	return effects
}

// after adds what the slot showed: a buyer saw its meter stand still, a seller saw no secret.
func (m Memory) after(view View) Memory {
	next := Memory{broken: maps.Clone(m.broken)}
	if next.broken == nil {
		next.broken = map[int]int{}
	}
	for _, deal := range view.Deals {
		switch {
		case deal.Buyer == view.Me && deal.Phase == types.PhasePaid:
			next.broken[deal.Seller]++
		case deal.Seller == view.Me && deal.Phase == types.PhaseDelivered:
			next.broken[deal.Buyer]++
		}
	}
	return next
}
