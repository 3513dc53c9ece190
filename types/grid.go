package types

import (
	"fmt"
	"math/bits"
)

// Grid gives the orders of a commodity their steps and their stakes: quantities are whole lots, prices are whole ticks for a lot. So
// an order pays at most, and receives at least, its limit for each lot, to the unit: nothing is ever rounded. Sums are in the
// asset's smallest units.
type Grid struct {
	_         struct{} `cbor:",toarray"`
	Commodity string   `json:"commodity,omitempty"` // empty: any
	Unit      string   `json:"unit,omitempty"`      // empty: any
	Asset     AssetID  `json:"asset,omitzero"`      // zero: any
	Lot       uint64   `json:"lot"`                 // units of the goods
	Tick      Amount   `json:"tick"`                // step of the price of a lot
	Ceiling   Amount   `json:"ceiling"`             // the highest limit for a lot, a whole number of ticks
	Deposit   Amount   `json:"deposit"`             // of a match, for a lot
	Bond      Amount   `json:"bond"`                // that an offer stakes, for a lot
	Fallback  Fallback `json:"fallback"`            // the terms of every match
}

// Bounds of the grids of a ledger.
const (
	MaxGrids = 32
	// LeastTicks is the least number of ticks up to the ceiling: with fewer, the decimals of the asset are too coarse for the lot.
	LeastTicks = 100
)

// Grid returns the first of the market's grids that the product fits.
func (m *MarketParams) Grid(p *Product) (*Grid, bool) {
	for i := range m.Grids {
		g := &m.Grids[i]
		if (g.Commodity == "" || g.Commodity == p.Commodity) && (g.Unit == "" || g.Unit == p.Unit) && (g.Asset == AssetID{} || g.Asset == p.Asset) {
			return g, true
		}
	}
	return nil, false
}

// Metered reports whether the matches are settled by a meter.
func (g *Grid) Metered() bool {
	_, metered := g.Fallback.(*Meter)
	return metered
}

// Sums returns the price, the deposit and the bond of so many lots at a price for each, or false when one of them or all together do not fit.
func (g *Grid) Sums(lots uint64, price Amount) (total, deposit, bond Amount, ok bool) {
	total, ok1 := price.Times(lots)
	deposit, ok2 := g.Deposit.Times(lots)
	bond, ok3 := g.Bond.Times(lots)
	_, ok4 := Sum(total, deposit, bond)
	return total, deposit, bond, ok1 && ok2 && ok3 && ok4
}

// Times returns the n-fold, or false when it does not fit.
func (a Amount) Times(n uint64) (Amount, bool) {
	high, low := bits.Mul64(uint64(a), n)
	return Amount(low), high == 0
}

// nearest describes the multiples of a step around a number that is none.
func nearest(n, step, most uint64) string {
	below := n - n%step
	switch {
	case below == 0:
		return fmt.Sprintf("the nearest is %d", step)
	case below > most-step:
		return fmt.Sprintf("the nearest is %d", below)
	}
	return fmt.Sprintf("the nearest are %d and %d", below, below+step)
}

func (g *Grid) check() error {
	for _, field := range []struct{ name, text string }{{"commodity", g.Commodity}, {"unit", g.Unit}} {
		if err := CheckText(field.name, field.text, MaxName); err != nil {
			return err
		}
	}
	switch {
	case g.Lot < 1 || g.Lot > maxOrderQuantity || g.Tick < 1:
		return Refuse(CodeMalformed, "a lot of %d and a tick of %s: both must be at least 1", g.Lot, g.Tick)
	case g.Ceiling%g.Tick != 0 || g.Ceiling > maxLotPrice:
		return Refuse(CodeMalformed, "the price ceiling %s for a lot must be a whole number of ticks of %s, at most 2^48", g.Ceiling, g.Tick)
	case g.Ceiling/g.Tick < LeastTicks:
		return Refuse(CodeMalformed, "the ceiling of %s for a lot is %d ticks, at least %d are needed: the asset's decimals are too coarse for a lot of %d; take a larger lot, or an asset with more decimals",
			g.Ceiling, g.Ceiling/g.Tick, LeastTicks, g.Lot)
	case g.Deposit < 1 || g.Deposit > maxLotPrice || g.Bond < 1 || g.Bond > maxLotPrice:
		return Refuse(CodeMalformed, "deposit %s and bond %s for a lot must be from 1 to 2^48", g.Deposit, g.Bond)
	}
	switch terms := g.Fallback.(type) {
	case *Meter, *Hold:
		return nil
	case *Arbiter:
		return terms.Key.Check("arbiter")
	}
	return Refuse(CodeMalformed, "a grid must name the fallback terms of its matches")
}

// maxLotPrice bounds the sums for a lot.
const maxLotPrice = 1 << 48
