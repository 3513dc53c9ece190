package query

import (
	"context"
	"math/big"

	"lockstep/client/wire"
	"lockstep/internal/index"
	"lockstep/types"
)

// Bounds of the prices of a market.
const (
	maxPricePages = 4 // of auctions, for each commodity
	pricePage     = 500
	day           = types.Duration(24 * 60 * 60 * 1000)
)

// PriceQuestion names a market of energy and the slots whose prices are asked for.
type PriceQuestion struct {
	Zone        string
	Asset       types.AssetID
	Decimals    uint8 // of the asset
	Slot        types.Duration
	From, Until types.Time // multiples of the slot
	Reference   *big.Rat   // for a kWh, in whole money: of every slot without an auction price
	DayBefore   bool       // a slot without an auction price has that of the same slot a day before, if there was one
}

// Prices returns the average auction price of each slot, and the reference where nothing was traded. Energy that producers take from the
// grid (intake) counts with a negative price. Without an index every slot has the reference.
func (h *History) Prices(ctx context.Context, q PriceQuestion) ([]wire.PriceSlot, error) {
	from := q.From
	if q.DayBefore {
		from -= types.Time(min(uint64(from), uint64(day)))
	}
	traded := map[types.Time]*tradedSlot{}
	if h != nil {
		for _, commodity := range []string{types.CommodityEnergy, types.CommodityIntake} {
			if err := h.trades(ctx, commodity, &q, from, traded); err != nil {
				return nil, err
			}
		}
	}
	var slots []wire.PriceSlot
	for at := q.From; at < q.Until; at = at.Add(q.Slot) {
		price := traded[at].price(q.Decimals)
		if price == nil && q.DayBefore && at >= types.Time(day) {
			price = traded[at-types.Time(day)].price(q.Decimals)
		}
		if price == nil {
			price = q.Reference
		}
		value, _ := new(big.Rat).Set(price).Float64() // for displays: the nearest number is meant
		slots = append(slots, wire.PriceSlot{Start: at, End: at.Add(q.Slot), Value: value})
	}
	return slots, nil
}

// tradedSlot sums up the auctions of a slot. Its methods take nil for a slot without one.
type tradedSlot struct {
	volume big.Int // Wh
	value  big.Int // in smallest units: below zero when the intake was worth more
}

// price returns the average price of a kWh in whole money; nil when nothing was traded.
func (s *tradedSlot) price(decimals uint8) *big.Rat {
	if s == nil || s.volume.Sign() == 0 {
		return nil
	}
	units := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	value := new(big.Int).Mul(&s.value, big.NewInt(1000))
	return new(big.Rat).SetFrac(value, units.Mul(units, &s.volume))
}

// trades adds the auctions of a commodity to the slots. An auction of several slots counts in each of them.
func (h *History) trades(ctx context.Context, commodity string, q *PriceQuestion, from types.Time, slots map[types.Time]*tradedSlot) error {
	earliest := from - types.Time(min(uint64(from), uint64(q.Slot)*types.MaxProductSlots))
	filter := index.AuctionFilter{Commodity: &commodity, Zone: &q.Zone, Asset: &q.Asset, From: earliest, Until: q.Until}
	page := index.Page{Limit: pricePage}
	for range maxPricePages {
		found, err := h.index.Auctions(ctx, filter, page)
		if types.CodeOf(err) == types.CodePruned && filter.From > 0 { // the slots that are asked for begin now, or today
			filter.From = 0
			found, err = h.index.Auctions(ctx, filter, page)
		}
		if err != nil {
			return err
		}
		for i := range found.Auctions {
			a := &found.Auctions[i]
			if a.Product.Unit != types.UnitWattHour || a.Volume == (types.Total{}) {
				continue
			}
			value := a.Value.Big()
			if commodity == types.CommodityIntake {
				value.Neg(value)
			}
			for at := a.Product.From; at < a.Product.Until; at = at.Add(q.Slot) {
				if slots[at] == nil {
					slots[at] = &tradedSlot{}
				}
				slots[at].volume.Add(&slots[at].volume, a.Volume.Big())
				slots[at].value.Add(&slots[at].value, value)
			}
		}
		if page.After = found.Next; page.After == "" {
			return nil
		}
	}
	return nil
}
