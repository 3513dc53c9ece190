package main

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/client/wire"
	"lockstep/types"
)

func TestQuantities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, unit string
		want       uint64
		refused    string
	}{
		{"2000", "Wh", 2000, ""}, {"2kWh", "Wh", 2000, ""}, {"2000Wh", "Wh", 2000, ""}, {"0.5 MWh", "Wh", 500_000, ""},
		{"1.5 kwh", "Wh", 1500, ""}, {"2", "kWh", 2000, ""}, {"2 Wh", "kWh", 2, ""}, {"0.001kWh", "Wh", 1, ""},
		{"0.25GWh", "Wh", 250_000_000, ""}, {"7", "parcel", 7, ""}, {"7 parcel", "parcel", 7, ""}, {"281474976710656", "Wh", 1 << 48, ""},
		{"281474976710657", "Wh", 0, "more than the ledger counts"}, {"0.0005kWh", "Wh", 0, "not a whole number"},
		{"0", "Wh", 0, "nothing"}, {"0kWh", "Wh", 0, "nothing"}, {"-5", "Wh", 0, "begin with a number"}, {"", "Wh", 0, "begin with a number"},
		{"2,000", "Wh", 0, "decimal point"}, {"2,5kWh", "Wh", 0, "decimal point"}, {"2 mWh", "Wh", 0, "not in mWh"}, {"2kWh", "item", 0, "not in"},
		{"2 liter", "Wh", 0, "not in liter"}, {"1e3", "Wh", 0, "not in e3"}, {"kWh", "Wh", 0, "begin with a number"}, {"99999999999GWh", "Wh", 0, "more than"},
	} {
		got, err := parseQuantity("--quantity", c.text, c.unit)
		if got != c.want || (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%q of %s: %d, %v", c.text, c.unit, got, err)
		}
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	euro, six, whole := types.Asset{Code: "EUR", Decimals: 2}, types.Asset{Code: "EUR", Decimals: 6}, types.Asset{Code: "YEN"}
	for _, c := range []struct {
		text, unit string
		asset      types.Asset
		want       string // smallest units for one unit of goods
		refused    string
	}{
		{"30ct/kWh", "Wh", euro, "0.03", ""}, {"30 ct/kWh", "Wh", six, "300", ""}, {"0.30 EUR/kWh", "Wh", euro, "0.03", ""},
		{"0.30/kWh", "Wh", euro, "0.03", ""}, {"45 EUR/MWh", "Wh", euro, "0.0045", ""}, {"0.30/k", "Wh", euro, "0.03", ""},
		{"0.0003/Wh", "Wh", euro, "0.03", ""}, {"0.30€/kWh", "Wh", euro, "0.03", ""}, {"0.30", "kWh", euro, "0.03", ""},
		{"12", "item", euro, "1200", ""}, {"12.5 EUR/item", "item", euro, "1250", ""}, {"4/k", "parcel", euro, "0.4", ""}, {"3/kWh", "Wh", whole, "0.003", ""},
		{"30", "Wh", euro, "", "for how much energy"}, {"0.0003", "Wh", euro, "", "for how much energy"}, {"30ct", "Wh", euro, "", "for how much energy"},
		{"30ct/kWh", "Wh", whole, "", "no hundredths"}, {"0.30 USD/kWh", "Wh", euro, "", "in USD"}, {"0.30/mWh", "Wh", euro, "", "a price for mWh"},
		{"0.30/", "Wh", euro, "", "a price for"}, {"0/kWh", "Wh", euro, "", "more than zero"}, {"-1/kWh", "Wh", euro, "", "below zero"},
		{"x", "item", euro, "", "begin with a number"}, {"3/kWh", "item", euro, "", "counted in item"}, {"0,30/kWh", "Wh", euro, "", "decimal point"},
		{"99999999999999999999/kWh", "Wh", euro, "", "begin with a number"}, {"9999999999999999999/Wh", "Wh", six, "", "more than the ledger"},
	} {
		got, err := parsePrice("--price", c.text, c.unit, &c.asset)
		if err == nil && got.String() != c.want || (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%q for %s in %s: %s, %v", c.text, c.unit, c.asset.Code, got, err)
		}
	}
}

// knowing is a session of a visitor that knows an asset.
func knowing(asset types.Asset) *session {
	return &session{assets: &assetBook{told: map[types.AssetID]wire.Asset{asset.ID(): {ID: asset.ID(), Asset: asset}}}}
}

// TestUnitsRoundTrip: the program parses its own quantities and prices exactly.
func TestUnitsRoundTrip(t *testing.T) {
	t.Parallel()
	asset := types.Asset{Code: "EUR", Decimals: 6}
	s := knowing(asset)
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{types.UnitWattHour, "parcel"}).Draw(t, "unit")
		n := rapid.Uint64Range(1, types.MaxQuantity).Draw(t, "quantity")
		if got, err := parseQuantity("--quantity", quantity(n, unit), unit); got != n || err != nil {
			t.Fatalf("%q is read as %d, %v", quantity(n, unit), got, err)
		}
		rate := types.Rate{Mantissa: rapid.Uint64Range(1, 1<<40).Draw(t, "price")}
		text := s.limit(asset.ID(), unit, rate)
		if got, err := parsePrice("--price", text, unit, &asset); exactly(got).Cmp(exactly(rate)) != 0 || err != nil {
			t.Fatalf("%q is read as %s, %v", text, got, err)
		}
	})
}

func TestQuantitiesInUnitsOfPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{
		1: "1 Wh", 999: "999 Wh", 1000: "1 kWh", 1001: "1.001 kWh", 600: "600 Wh", 1_500_000: "1.5 MWh", 1_000_001: "1000.001 kWh",
		2_000_000_000: "2 GWh", 1 << 48: "281474976710.656 kWh",
	} {
		if got := quantity(n, types.UnitWattHour); got != want {
			t.Errorf("%d Wh is written as %s, not %s", n, got, want)
		}
	}
	if got := quantity(12_000, "a b"); got != `12000 "a b"` {
		t.Errorf("a unit with a space is written as %s", got)
	}
}

func TestRatesInUnitsOfPeople(t *testing.T) {
	t.Parallel()
	asset := types.Asset{Code: "EUR", Decimals: 2}
	s := knowing(asset)
	for _, c := range []struct {
		price *big.Rat
		unit  string
		want  string
	}{
		{big.NewRat(3, 100), "Wh", "0.30 EUR.lk1qqqqqqqqqq/kWh"}, {big.NewRat(1, 1), "Wh", "10.00 EUR.lk1qqqqqqqqqq/kWh"}, {big.NewRat(35, 2000), "Wh", "0.175 EUR.lk1qqqqqqqqqq/kWh"},
		{big.NewRat(1250, 1), "item", "12.50 EUR.lk1qqqqqqqqqq/item"},
	} {
		if got := s.rate(asset.ID(), c.unit, c.price); got != c.want {
			t.Errorf("%s for one %s is written as %s, not %s", c.price, c.unit, got, c.want)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add("2kWh", "Wh")
	f.Add("30ct/kWh", "item")
	f.Fuzz(func(t *testing.T, text, unit string) {
		if n, err := parseQuantity("--quantity", text, unit); err == nil && (n == 0 || n > types.MaxQuantity) {
			t.Errorf("%q is read as %d", text, n)
		}
		asset := types.Asset{Code: "EUR", Decimals: 2}
		if rate, err := parsePrice("--price", text, unit, &asset); err == nil && (rate.Mantissa == 0 || !rate.Canonical()) {
			t.Errorf("%q is read as %v", text, rate)
		}
	})
}
