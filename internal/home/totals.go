package home

import (
	"math/big"

	"lockstep/internal/books"
	"lockstep/trade"
	"lockstep/types"
)

// Totals are the sums of a household's trades of energy that have ended, in one asset.
type Totals struct {
	Bought types.Total // Wh
	Sold   types.Total
	Paid   *big.Int // in smallest units, for the energy that was bought; a deposit that was lost is a part of it
	Earned *big.Int // likewise for the energy that was sold; below zero when bonds were lost
}

// Add counts an entry, if it is about energy in the asset.
func (t *Totals) Add(e *books.Entry, asset types.AssetID) {
	if e.Product.Asset != asset || e.Product.Unit != types.UnitWattHour || e.Unknown {
		return
	}
	if t.Paid == nil {
		t.Paid, t.Earned = new(big.Int), new(big.Int)
	}
	came, net := types.TotalOf(e.Came), e.Net()
	// The producer of an intake takes the energy: it is bought, at a price below zero.
	buys := (e.Role == trade.Consumer) != (e.Product.Commodity == types.CommodityIntake)
	if buys {
		t.Bought = t.Bought.Add(came)
		t.Paid.Sub(t.Paid, net)
		return
	}
	t.Sold = t.Sold.Add(came)
	t.Earned.Add(t.Earned, net)
}

// Plus returns the sums of two disjoint sets of trades.
func (t Totals) Plus(u Totals) Totals {
	sum := Totals{Bought: t.Bought.Add(u.Bought), Sold: t.Sold.Add(u.Sold), Paid: new(big.Int), Earned: new(big.Int)}
	for _, part := range []Totals{t, u} {
		if part.Paid != nil {
			sum.Paid.Add(sum.Paid, part.Paid)
			sum.Earned.Add(sum.Earned, part.Earned)
		}
	}
	return sum
}
