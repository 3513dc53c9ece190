package ledger_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
)

const importRegister = "01-00:01.08.00*FF"

// intake is the product at a price below zero, turned round: the taker of the energy sells that it takes it, by its import register.
func intake(o *types.Order) { o.Product.Commodity = types.CommodityIntake }

// TestIntake: a roof pays for energy to be taken. The taker has the price for the energy that its import register shows, and loses its
// bond's part for the rest; the roof has the remainder back.
func TestIntake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read        uint64
		taker, roof int64 // gains, beside all that is locked
	}{
		"all is taken":  {1000, 300, -300},
		"half is taken": {500, 0, 0}, // half of the price, and half of the bond
		"nothing":       {0, -200, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMeteredMarket(t)
			grid := testGrid(&types.Meter{})
			grid.Commodity = types.CommodityIntake
			w.params.Market.Grids = append([]types.Grid{grid}, w.params.Market.Grids...)
			point := w.enrol(gatewayNamed("taker", []string{importRegister}, nil), types.PointID{})
			takes := types.Flow{Point: point, Direction: types.DirectionImport}
			had := map[string]types.Amount{"peter": w.has("peter"), "clara": w.has("clara")}

			offer := w.order("peter", types.Sell, 1, intake)
			if got := w.clone().try(second, w.placeTx(offer, "peter"))[0].Code; got != types.CodeOrder {
				t.Errorf("an offer of intake by the export of a point: %s", got)
			}
			offer.Flow = takes
			energy := w.order("peter", types.Sell, 1)
			energy.Flow = takes
			if got := w.clone().try(second, w.placeTx(energy, "peter"))[0].Code; got != types.CodeOrder {
				t.Errorf("an offer of energy by the import of a point: %s", got)
			}
			w.must(w.placeTx(offer, "peter"))
			w.place("clara", types.Bid, 3, intake)
			held := w.gate()
			if len(held.Trades) != 1 || held.Trades[0].Price != 200 {
				t.Fatalf("matches %+v", held.Trades)
			}
			trade := held.Trades[0].Trade
			deal, _ := w.reader().Trade(trade)
			goods := deal.Agreement.Goods
			if deal.Agreement.Producer != party.Key("peter") || goods.Flow != takes {
				t.Fatalf("the agreement is %+v", deal.Agreement)
			}
			w.waitUntil(goods.Until.Add(second))
			if c.read > 0 {
				record := nativeRecord(t, "taker", importRegister, meter.Import, goods.From, goods.Until, 1, c.read)
				w.must(party.Sign(w.body(&types.Reading{Flow: takes, From: goods.From, Records: []types.HexBytes{record}}), "peter"))
			}
			w.waitUntil(deal.Agreement.Deadlines.ConfirmBy.Add(second))
			w.must(types.NewSettle(w.params.ChainID, trade))
			for name, gains := range map[string]int64{"peter": c.taker, "clara": c.roof} {
				if got := int64(w.has(name)) - int64(had[name]); got != gains {
					t.Errorf("%s gains %d, want %d", name, got, gains)
				}
			}
		})
	}
}
