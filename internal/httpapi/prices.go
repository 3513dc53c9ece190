package httpapi

import (
	"context"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/query"
	"lockstep/types"
)

// Prices are a node's settings of the prices that it serves to home software. A zero field has a default.
type Prices struct {
	Zone  string
	Asset types.AssetID // zero: the only asset that the ledger recognises
	// Buy and Sell are the reference prices for a kWh, in whole money, of slots without an auction. Nil: the price ceiling of the market
	// for bought energy, zero for sold energy.
	Buy, Sell *big.Rat
}

const (
	maxReference  = 40   // characters
	maxPriceSlots = 1000 // ten days of quarter-hours; a ledger may have much shorter slots
)

// priceRoutes are the routes that home software reads as it is.
func (s *server) priceRoutes() []route {
	return []route{
		ask("/v1/prices/evcc", "prices-evcc", "The prices of energy by slot, as evcc reads a custom tariff", s.evccPrices, http.StatusNotFound),
		ask("/v1/prices/emhass", "prices-emhass", "The prices of energy by slot, as EMHASS takes them at run time", s.emhassPrices, http.StatusNotFound),
		ask("/v1/prices/predbat", "prices-predbat", "The prices of energy by slot in the form of Octopus Energy, as Predbat reads them from a URL",
			s.predbatPrices, http.StatusNotFound),
	}
}

// MarketInput names a market of energy. It is exported because huma ignores unexported embedded structs.
type MarketInput struct {
	Zone      string        `query:"zone" maxLength:"32" doc:"of the market; without it, the zone of the node's settings"`
	Asset     types.AssetID `query:"asset" doc:"in which energy is paid; without it, that of the node's settings, or the only one that the ledger recognises"`
	Hours     int           `query:"hours" minimum:"1" maximum:"96" default:"48" doc:"from the present slot on"`
	DayBefore bool          `query:"day_before" doc:"a slot without an auction price has that of the same slot a day before, if there was one"`
}

type sidePriceInput struct {
	Side      string `query:"side" enum:"buy,sell" default:"buy" doc:"whether the energy is bought or sold: it chooses the reference price"`
	Reference string `query:"reference" doc:"the price for a kWh, in whole money, of slots without an auction, such as 0.31; without it, that of the node's settings"`
	MarketInput
}

type emhassPriceInput struct {
	Buy  string `query:"buy" doc:"the reference price of bought energy, for a kWh in whole money"`
	Sell string `query:"sell" doc:"the reference price of sold energy, for a kWh in whole money"`
	MarketInput
}

func (s *server) evccPrices(ctx context.Context, in *sidePriceInput) (*answer[[]wire.PriceSlot], error) {
	slots, err := s.prices(ctx, &in.MarketInput, in.Side, in.Reference, false)
	return respond(s, filled(slots), err)
}

func (s *server) emhassPrices(ctx context.Context, in *emhassPriceInput) (*answer[wire.EmhassPrices], error) {
	prices := wire.EmhassPrices{Buy: map[string]float64{}, Sell: map[string]float64{}}
	for _, side := range []struct {
		name, reference string
		to              map[string]float64
	}{{"buy", in.Buy, prices.Buy}, {"sell", in.Sell, prices.Sell}} {
		slots, err := s.prices(ctx, &in.MarketInput, side.name, side.reference, false)
		if err != nil {
			return respond(s, prices, err)
		}
		for _, slot := range slots {
			side.to[time.UnixMilli(int64(slot.Start)).UTC().Format("2006-01-02T15:04:05+00:00")] = slot.Value //nolint:gosec // below the year 9999
		}
	}
	return respond(s, prices, nil)
}

func (s *server) predbatPrices(ctx context.Context, in *sidePriceInput) (*answer[wire.OctopusRates], error) {
	slots, err := s.prices(ctx, &in.MarketInput, in.Side, in.Reference, true)
	rates := wire.OctopusRates{Count: len(slots), Results: []wire.OctopusRate{}}
	for _, slot := range slices.Backward(slots) { // the newest first, as there
		hundredths := slot.Value * 100
		rates.Results = append(rates.Results, wire.OctopusRate{Net: hundredths, Gross: hundredths, From: slot.Start, To: slot.End})
	}
	return respond(s, rates, err)
}

// prices returns the prices of a market from the present slot on, or from the last midnight in UTC on. Only a question that can't be
// understood fails: without an index, or while it is busy, each slot has its reference price.
func (s *server) prices(ctx context.Context, in *MarketInput, side, reference string, midnight bool) ([]wire.PriceSlot, error) {
	params := s.ledger.Params()
	q := query.PriceQuestion{Zone: in.Zone, Slot: params.Slot, DayBefore: in.DayBefore}
	if q.Zone == "" {
		q.Zone = s.market.Zone
	}
	if q.Slot == 0 {
		q.Slot = types.Duration(time.Hour / time.Millisecond)
	}
	asset, err := s.priceAsset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	q.Asset, q.Decimals = asset.ID, asset.Asset.Decimals
	if q.Reference, err = s.reference(side, reference, &params, &q); err != nil {
		return nil, err
	}
	now := s.now(ctx)
	q.From = now - now%types.Time(q.Slot)
	q.Until = q.From.Add(types.Duration(time.Duration(in.Hours) * time.Hour / time.Millisecond))
	if midnight {
		q.From = now - now%types.Time(24*time.Hour/time.Millisecond)
	}
	q.Until = min(q.Until, q.From.Add(maxPriceSlots*q.Slot))
	slots, err := s.history.Prices(ctx, q)
	if err != nil {
		s.log.Debug("prices without the index", "why", err)
		var none *query.History
		slots, err = none.Prices(ctx, q)
	}
	return slots, err
}

// priceAsset returns the asset in which a market is paid.
func (s *server) priceAsset(ctx context.Context, id types.AssetID) (wire.Asset, error) {
	if id == (types.AssetID{}) {
		id = s.market.Asset
	}
	if id != (types.AssetID{}) {
		return s.ledger.Asset(ctx, id)
	}
	all, err := s.ledger.Assets(ctx, "", wire.Page{Limit: pricedAssets})
	if err != nil {
		return wire.Asset{}, err
	}
	recognised := slices.DeleteFunc(slices.Clone(all.Assets), func(a wire.Asset) bool { return !a.Recognised })
	switch {
	case len(recognised) == 1 && all.Next == "":
		return recognised[0], nil
	case len(recognised) == 0 && len(all.Assets) == 1:
		return all.Assets[0], nil
	case len(all.Assets) == 0:
		return wire.Asset{}, types.Refuse(types.CodeNotFound, "the ledger has no asset yet, so there is no market: ask again when money is issued")
	}
	return wire.Asset{}, types.Refuse(types.CodeMalformed,
		"the ledger has several assets: name the one in which energy is paid, as ?asset=ID, or as \"prices\" in the node's settings")
}

const pricedAssets = 500 // among which the recognised one is looked for

// reference returns the price of slots without an auction.
func (s *server) reference(side, text string, params *types.Params, q *query.PriceQuestion) (*big.Rat, error) {
	if text != "" {
		return ParseReference(text)
	}
	if side == "sell" {
		if s.market.Sell != nil {
			return s.market.Sell, nil
		}
		return new(big.Rat), nil
	}
	if s.market.Buy != nil {
		return s.market.Buy, nil
	}
	grid, ok := params.Grid(&types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: q.Zone, Asset: q.Asset})
	if !ok {
		return new(big.Rat), nil
	}
	const kilo = 1000
	units := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(q.Decimals)), nil)
	ceiling := new(big.Int).Mul(new(big.Int).SetUint64(uint64(grid.Ceiling)), big.NewInt(kilo))
	return new(big.Rat).SetFrac(ceiling, units.Mul(units, new(big.Int).SetUint64(grid.Lot))), nil
}

// ParseReference reads a price for a kWh in whole money, such as 0.31 or -0.02.
func ParseReference(text string) (*big.Rat, error) {
	price, ok := new(big.Rat).SetString(text)
	if len(text) > maxReference || strings.Trim(text, "-.0123456789") != "" || !ok {
		return nil, types.Refuse(types.CodeMalformed, "%.60q is not a price for a kWh: write a decimal number in whole money, such as 0.31", text)
	}
	return price, nil
}

// now is the time by the ledger, and by this machine as long as there is no block.
func (s *server) now(ctx context.Context) types.Time {
	status, err := s.ledger.Status(ctx)
	if err != nil {
		return types.Time(time.Now().UnixMilli()) //nolint:gosec // after 1970
	}
	return status.BlockTime.Add(status.SinceBlock)
}
