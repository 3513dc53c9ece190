package page_test

import (
	"net/http"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

const gatewayRegister = "01-00:02.08.00*FF"

// enrol gives a member a connection point with a gateway, and returns the flow of the energy that it sells there.
func (w *town) enrol(name string) types.Flow {
	w.t.Helper()
	gateway := types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key("the gateway of " + name)), Export: []string{gatewayRegister}}
	w.do("Operator", func(d *wallet.Draft) error {
		d.Enrol(w.members[name].Key(), types.PointID{}, gateway)
		return nil
	})
	return types.Flow{Point: gateway.ID(), Direction: types.DirectionExport}
}

// metered has Cedar deliver energy to Loom, of a slot that begins soon and that the meter can be read for so long.
func (w *town) metered(readable types.Duration) (types.TradeID, types.Goods) {
	w.t.Helper()
	flow := w.enrol("Cedar")
	slot := types.Time(4_000)
	from := (w.clock()/slot + 4) * slot
	goods := types.Goods{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 100, Zone: "town", From: from, Until: from + slot, Flow: flow}
	id := w.record("Cedar", "Loom", types.Agreement{
		Goods: goods, Price: 20_000, Deposit: 2_000, Bond: 1_000, Instalments: 1, Fallback: &types.Meter{},
		Deadlines: types.Deadlines{PayBy: from - 4_000, DeliverBy: from - 1, ReadingBy: from.Add(readable), ConfirmBy: from.Add(readable) + slot},
	})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	return id, goods
}

// read submits a record of a member's gateway: so much energy in a slot.
func (w *town) read(name string, goods *types.Goods, quantity uint64) {
	w.t.Helper()
	w.readPart(name, goods, 1, 1, quantity)
}

// readPart submits a record of one of the equal parts of a slot, which count from 1.
func (w *town) readPart(name string, goods *types.Goods, part, parts int64, quantity uint64) {
	w.t.Helper()
	from, length := int64(goods.From), int64(goods.Until-goods.From)/parts
	record := party.Record("the gateway of "+name, gatewayRegister, meter.Native{
		Direction: meter.Export, From: from + (part-1)*length, Until: from + part*length, Page: uint64(part), Form: meter.FormQuantity, End: quantity,
	})
	w.do(name, func(d *wallet.Draft) error {
		d.Read(goods.Flow, goods.From, types.HexBytes(record.String()))
		return nil
	})
}

// TestMeterDispute: a buyer that keeps its secret stops nothing: the meter's reading settles the trade after confirm-by, in proportion, and both sides see the
// signed record judged again.
func TestMeterDispute(t *testing.T) {
	t.Parallel()
	w := newTown(t, quickMarket)
	w.admit("Cedar", "Loom")
	id, goods := w.metered(16_000)
	path := "/trades/" + id.String()
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	if text := plainOf(loom.get(path+"/readings", http.StatusOK)); !strings.Contains(text, "No reading has come yet") {
		t.Errorf("before the reading: %.400s", text)
	}
	w.pass(goods.Until.Add(500))
	w.read("Cedar", &goods, 60)
	for _, v := range []*visitor{loom, cedar} {
		text := plainOf(v.get(path+"/readings", http.StatusOK))
		for _, part := range []string{"The meter counted 60 Wh of 100 Wh", "one record is signed by the enrolled meter", "60 Wh through register"} {
			if !strings.Contains(text, part) {
				t.Errorf("no %q in %.900s", part, text)
			}
		}
		if page := v.get(path, http.StatusOK); !strings.Contains(page, `href="`+path+`/readings"`) {
			t.Error("the trade does not lead to its records")
		}
	}
	w.pass(w.trade(id).Agreement.Deadlines.ConfirmBy)
	cedar.answer(cedar.get(path+"/settle", http.StatusOK), path+"/settle", http.StatusOK)
	if w.phase(id) != types.PhaseSettled {
		t.Fatal(w.phase(id))
	}
	if text := plainOf(loom.get(path, http.StatusOK)); !strings.Contains(text, "60 Wh") || strings.Contains(loom.get(path, http.StatusOK), `href="`+path+`/release"`) {
		t.Errorf("settled: %.600s", text)
	}
	if text := plainOf(loom.get("/wallet", http.StatusOK)); !strings.Contains(text, "settled by the meter") {
		t.Error("the statement lacks the settlement")
	}
	if text := plainOf(cedar.get("/community", http.StatusOK)); !strings.Contains(text, "The meter saw less from Cedar") {
		t.Errorf("the community: %.900s", text)
	}
}
