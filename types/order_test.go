package types_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// The price of a quantity is exact but for one rounding up, for any two limits.
func TestClearingPriceCost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price := types.ClearingPrice{Low: rates(t, "low"), High: rates(t, "high")}
		quantity := rapid.Uint64Range(1, types.MaxQuantity).Draw(t, "quantity")
		exact := new(big.Rat).Mul(price.Rat(), new(big.Rat).SetInt(new(big.Int).SetUint64(quantity)))
		cost, ok := price.Cost(quantity)
		got := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(cost)))
		most := new(big.Rat).SetInt(new(big.Int).SetUint64(1<<64 - 1))
		switch {
		case ok != (exact.Cmp(most) <= 0):
			t.Fatalf("%s fits: %t", exact.FloatString(3), ok)
		case ok && (got.Cmp(exact) < 0 || got.Sub(got, exact).Cmp(big.NewRat(1, 1)) >= 0):
			t.Fatalf("%s costs %s", exact.FloatString(3), cost)
		}
	})
}

func TestRecordPercent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept, failed types.Amount
		want         uint8
	}{
		{0, 0, 0}, {1, 0, 100}, {0, 1, 0}, {2, 1, 66}, {99, 1, 99}, {999, 1, 99}, {types.MaxAmount, types.MaxAmount, 50}, {types.MaxAmount, 0, 100}, {types.MaxAmount, 1, 100},
	} {
		record := types.Conduct{Kept: c.kept, Failed: c.failed}
		if got := record.Percent(); got != c.want {
			t.Errorf("kept %s, failed %s: %d %%, want %d", c.kept, c.failed, got, c.want)
		}
	}
}

func TestSaturate(t *testing.T) {
	t.Parallel()
	if got := types.Amount(5).Saturate(types.MaxAmount); got != types.MaxAmount {
		t.Errorf("got %s", got)
	}
	if got := types.Amount(5).Saturate(2); got != 7 {
		t.Errorf("got %s", got)
	}
}

func TestMarketParamsCheck(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*types.MarketParams){
		"closes before it opens":  func(m *types.MarketParams) { m.Opens = m.Gate },
		"no time to pay":          func(m *types.MarketParams) { m.Pay = 1 },
		"no time to deliver":      func(m *types.MarketParams) { m.Gate = m.Pay },
		"no time to read":         func(m *types.MarketParams) { m.Reading = 0 },
		"beyond the horizon":      func(m *types.MarketParams) { m.Confirm = 1 << 62 },
		"no deposit":              func(m *types.MarketParams) { m.Deposit = 0 },
		"bond above the price":    func(m *types.MarketParams) { m.Bond = types.WholePrice + 1 },
		"no room":                 func(m *types.MarketParams) { m.MaxOrders = 1 },
		"no orders for a key":     func(m *types.MarketParams) { m.KeyOrders = 0 },
		"no quantity":             func(m *types.MarketParams) { m.MaxQuantity = 0 },
		"sums beyond 64 bits":     func(m *types.MarketParams) { m.MaxQuantity = 1<<43 + 1 },
		"nobody may enter":        func(m *types.MarketParams) { m.Entry = types.EntryNobody },
		"opens beyond everything": func(m *types.MarketParams) { m.Opens = 1 << 63 },
	} {
		params := sampleParams()
		edit(&params.Market)
		if types.CodeOf(params.Check()) != types.CodeMalformed {
			t.Errorf("%s: accepted", name)
		}
	}
	params := sampleParams()
	params.Market = types.MarketParams{}
	if err := params.Check(); err != nil {
		t.Errorf("a ledger without a market: %v", err)
	}
}
