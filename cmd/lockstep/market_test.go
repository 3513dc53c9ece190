package main

import (
	"regexp"
	"strings"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// FuzzReadOrders: any file is read or refused, and orders that were read clear or are refused.
func FuzzReadOrders(f *testing.F) {
	f.Add("id,side,quantity,price,owner,min_fill\na,bid,5,9.5,x,1\nb,offer,5,8,,\n", uint64(1))
	f.Add("id,side,quantity,price\n\"a", uint64(3))
	f.Add("id,side,quantity,price\na,bid,10,9.5\nb,offer,20,0\n", uint64(10))
	f.Fuzz(func(t *testing.T, text string, lot uint64) {
		orders, err := readOrders(strings.NewReader(text))
		if err != nil {
			return
		}
		c := marketClearCmd{Lot: max(lot, 1), Tick: "0.5"}
		result, err := c.clear(orders)
		if err != nil {
			return
		}
		var bought, sold uint64
		for _, o := range orders {
			filled := result.Fills[o.id]
			if filled > o.quantity || filled%c.Lot != 0 {
				t.Errorf("%d of %d in lots of %d", filled, o.quantity, c.Lot)
			}
			if o.side == types.Bid {
				bought += filled
			} else {
				sold += filled
			}
		}
		if bought != sold || bought != result.Volume || (result.Volume > 0) != (result.Price != nil) {
			t.Errorf("%d bought, %d sold: %+v", bought, sold, result)
		}
	})
}

func TestGridsOfFlags(t *testing.T) {
	t.Parallel()
	euro := party.Euro()
	id, key := euro.ID().String(), party.Key("arbiter").String()
	for _, c := range []struct {
		text    string
		want    types.Grid
		refused string
	}{
		{"energy/Wh lot=1 tick=1 ceiling=500 deposit=10 bond=500 terms=meter", types.DefaultGrids()[0], ""},
		{"energy/kWh lot=1Wh tick=0.001/kWh ceiling=0.50/kWh deposit=0.01/kWh bond=0.50/kWh", types.DefaultGrids()[0], ""},
		{"energy/Wh lot=1kWh tick=0.001/kWh ceiling=50ct/kWh",
			types.Grid{Commodity: "energy", Unit: "Wh", Lot: 1000, Tick: 1000, Ceiling: 500_000, Deposit: 10_000, Bond: 500_000, Fallback: &types.Meter{}}, ""},
		{"heat/kWh_th lot=10 tick=5 ceiling=5000 terms=arbiter:" + key + " asset=" + id,
			types.Grid{Commodity: "heat", Unit: "kWh_th", Asset: euro.ID(), Lot: 10, Tick: 5, Ceiling: 5000, Deposit: 100, Bond: 5000, Fallback: &types.Arbiter{Key: party.Key("arbiter")}}, ""},
		{"*/* lot=1 tick=1 ceiling=100", types.Grid{Lot: 1, Tick: 1, Ceiling: 100, Deposit: 2, Bond: 100, Fallback: &types.Hold{}}, ""},
		{"", types.Grid{}, "is empty"},
		{"energy/Wh lot=1 tick=1", types.Grid{}, "needs ceiling="},
		{"energy/Wh tick=1 ceiling=500", types.Grid{}, "needs lot="},
		{"energy/Wh lot=1 tick=1 ceiling=500 colour=red", types.Grid{}, `"colour=red" is none of`},
		{"energy/Wh lot=1 lot=2 tick=1 ceiling=500", types.Grid{}, `"lot=2" is none of`},
		{"energy/Wh lot=1Wh tick=0.0001/kWh ceiling=0.50/kWh", types.Grid{}, "the smallest step is 0.001/kWh"},
		{"energy/Wh lot=x tick=1 ceiling=500", types.Grid{}, "begin with a number"},
		{"energy/Wh lot=1 tick=-1/kWh ceiling=500", types.Grid{}, "below zero"},
		{"energy/Wh lot=1 tick=1 ceiling=500 terms=trust", types.Grid{}, "there are meter, arbiter:KEY and hold"},
		{"energy/Wh lot=1 tick=1 ceiling=500 terms=hold:" + key, types.Grid{}, "there are meter, arbiter:KEY and hold"},
		{"energy/Wh lot=1 tick=1 ceiling=500 terms=arbiter", types.Grid{}, "arbiter:KEY"},
		{"energy/Wh lot=1 tick=1 ceiling=500 asset=EUR", types.Grid{}, "the id of an asset"},
	} {
		got, err := parseGrid(c.text, 6)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		if err != nil || string(types.Encode(&got)) != string(types.Encode(&c.want)) {
			t.Errorf("%s: %+v, %v", c.text, got, err)
		}
	}
}

// A value off the grid is refused with the nearest ones, as its user has written it.
func TestOffTheGrid(t *testing.T) {
	t.Parallel()
	euro := types.Asset{Code: "EUR", Decimals: 6}
	cents := types.Asset{Code: "EUR", Decimals: 2}
	energy := types.DefaultGrids()[0]
	kilos := energy
	kilos.Lot, kilos.Tick, kilos.Ceiling = 1000, 1, 100
	for _, c := range []struct {
		grid              *types.Grid
		asset             *types.Asset
		quantity, limit   string
		want              types.Amount
		refused, refused2 string
	}{
		{&energy, &euro, "1kWh", "0.30/kWh", 300, "", ""},
		{&energy, &euro, "1kWh", "0.3005/kWh", 0, "between two steps: 0.3/kWh and 0.301/kWh are the nearest", "step by 0.001/kWh up to 0.5/kWh, a lot being 1 Wh"},
		{&energy, &euro, "1kWh", "30.05 ct/kWh", 0, "between two steps: 30 ct/kWh and 30.1 ct/kWh", "step by 0.1 ct/kWh up to 50 ct/kWh"},
		{&energy, &euro, "1kWh", "300.5EUR/MWh", 0, "300EUR/MWh and 301EUR/MWh", ""},
		{&energy, &euro, "1kWh", "0.501/kWh", 0, `"0.501/kWh" is not possible: the nearest is 0.5/kWh`, ""},
		{&energy, &euro, "1kWh", "0.0004/kWh", 0, "the nearest is 0.001/kWh", ""},
		{&energy, &cents, "1kWh", "0.30/kWh", 0, "the nearest is 10/kWh", "the 2 decimal places of EUR are too coarse"},
		{&kilos, &cents, "1.5kWh", "0.30/kWh", 0, "not a whole number of lots of 1 kWh: 1kWh and 2kWh are the nearest", ""},
		{&kilos, &cents, "1500 Wh", "0.30/kWh", 0, "1000 Wh and 2000 Wh are the nearest", ""},
		{&kilos, &cents, "1500", "0.30/kWh", 0, "1000 Wh and 2000 Wh are the nearest", ""},
		{&kilos, &cents, "300Wh", "0.30/kWh", 0, "1000Wh is the nearest", ""},
		{&kilos, &cents, "2kWh", "0.305/kWh", 0, "0.3/kWh and 0.31/kWh", ""},
		{&kilos, &cents, "2kWh", "-5/kWh", 0, `"Prices below zero" of docs/explanation/markets.md`, ""},
		{&kilos, &cents, "2kWh", "0.30/kWh", 30, "", ""},
	} {
		cmd := orderPlaceCmd{Quantity: c.quantity, Limit: c.limit, Unit: types.UnitWattHour}
		order := types.Order{Side: types.Bid, Product: types.Product{Unit: types.UnitWattHour}}
		err := cmd.amounts(c.grid, c.asset, &order, 1<<40)
		if c.refused == "" {
			if err != nil || order.Limit != c.want {
				t.Errorf("%s at %s: %d, %v", c.quantity, c.limit, order.Limit, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), c.refused2) {
			t.Errorf("%s at %s: %v", c.quantity, c.limit, err)
		}
	}
	free := orderPlaceCmd{Quantity: "1kWh", Limit: "0/kWh", Unit: types.UnitWattHour}
	if err := free.amounts(&energy, &euro, &types.Order{Side: types.Sell}, 1<<40); err != nil {
		t.Errorf("an offer for nothing: %v", err)
	}
	if err := free.amounts(&energy, &euro, &types.Order{Side: types.Bid}, 1<<40); err == nil {
		t.Error("a bid of nothing was taken")
	}
}

// The stake that the consent of an order shows is its worst loss, and the one that the wallet's limit counts.
func TestPlacingShowsTheStake(t *testing.T) {
	t.Parallel()
	s := knowing(types.Asset{Code: "EUR", Decimals: 6})
	s.params = types.DefaultParams("town")
	for id := range s.assets.told {
		order := types.Order{
			ChainID: "town", Side: types.Bid, Quantity: 1000, Limit: 400, Lot: 1, Deposit: 10, Bond: 500, Fallback: &types.Meter{},
			Product: types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, From: 1_800_000_000_000, Until: 1_800_000_900_000, Asset: id},
		}
		for _, c := range []struct {
			side types.Side
			want []string
		}{
			{types.Bid, []string{"locks 0.410000 EUR", "0.400000 EUR", "deposit of 0.010000 EUR", "At worst you can lose 0.410000 EUR", "At worst the producer can lose 0.500000 EUR and the goods"}},
			{types.Sell, []string{"locks your bond of 0.500000 EUR", "At worst you can lose 0.500000 EUR and the goods", "At worst the consumer can lose 0.410000 EUR"}},
		} {
			order.Side = c.side
			p, err := s.placing(&order, nil)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(p.worst, "\n")
			for _, want := range c.want {
				if !strings.Contains(stripMarks(text), want) {
					t.Errorf("%s: %s\nwant %q", c.side, text, want)
				}
			}
			match, err := wallet.AtLimit(&s.params, &order)
			if err != nil {
				t.Fatal(err)
			}
			worst, err := trade.WorstLoss(&match, roleOf(c.side))
			if stake, _ := order.Stake(); err != nil || worst.Money != stake {
				t.Errorf("%s: at worst %s, the stake is %s", c.side, worst.Money, stake)
			}
		}
	}
}

// stripMarks removes the marks of an asset whose issuer the wallet doesn't know.
func stripMarks(text string) string { return regexp.MustCompile(`\.lk1\w+`).ReplaceAllString(text, "") }
