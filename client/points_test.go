package client_test

import (
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// A connection point must have its id, and claims must be of the requested point and slot.
func TestPoints(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	meter := types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key("gateway")), Export: []string{"01-00:02.08.00*FF"}}
	id, operator := meter.ID(), party.Key("operator")
	must[wire.Receipt](t)(w.Submit(ctx, party.Sign(w.ledger.Body(
		&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("producer"), Name: "Peter"}},
		&types.Enrol{Operator: operator, Owner: party.Key("producer"), Meter: meter},
	), "operator")))
	flow := types.Flow{Point: id, Direction: types.DirectionExport}
	point := must[wire.Point](t)(w.Point(ctx, id))
	if point.Point.Owner != party.Key("producer") {
		t.Errorf("point %+v", point)
	}
	for _, from := range []types.Time{0, ledgertest.Start} {
		if claims := must[wire.Claims](t)(w.Claims(ctx, flow, from)); claims.Point != id || claims.Direction != flow.Direction || len(claims.Slots) != 0 {
			t.Errorf("claims %+v", claims)
		}
	}
	_, err := w.Point(ctx, types.PointID{})
	wantCode(t, err, types.CodeNotFound, "point 0000")
	_, err = w.Claims(ctx, types.Flow{Direction: types.DirectionExport}, 0)
	wantCode(t, err, types.CodeNotFound, "claims of 0000")

	other := point
	other.Point.Meters = []types.PointMeter{{Form: types.FormNative, Key: types.HexBytes{1}}}
	for name, answer := range map[string]wire.Point{"another meter": other, "no meter": {ID: id}, "another id": {ID: types.PointID{1}, Point: point.Point}} {
		w.instead(answers(answer))
		if _, err := w.Point(ctx, id); types.CodeOf(err) != types.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
	slot := wire.SlotClaims{From: ledgertest.Start}
	for name, answer := range map[string]wire.Claims{
		"another point":     {Point: types.PointID{1}, Direction: flow.Direction},
		"another direction": {Point: id, Direction: types.DirectionImport},
		"another slot":      {Point: id, Direction: flow.Direction, Slots: []wire.SlotClaims{slot}},
	} {
		w.instead(answers(answer))
		if _, err := w.Claims(ctx, flow, ledgertest.Start+1); types.CodeOf(err) != types.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A transaction with two readings of a slot has two events, and each of its readings comes once.
func TestReadings(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ledgertest.NewMetered(t, "test"))
	flow, product := w.ledger.SoldByMeter(t)
	w.ledger.Read(t, "producer", flow, &product, 400, 600)
	trade := must[wire.Trades](t)(w.Trades(t.Context(), party.Key("producer"), false, client.Page{})).Trades[0].Trade
	height := must[wire.Status](t)(w.Status(t.Context())).Height
	var found []client.SlotReading
	for reading, err := range w.Readings(t.Context(), &trade.Agreement.Goods, 1, height) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, reading)
	}
	if len(found) != 2 || found[0].Tx != found[1].Tx || string(found[0].Reading.Records[0]) == string(found[1].Reading.Records[0]) {
		t.Errorf("the readings: %+v", found)
	}
}
