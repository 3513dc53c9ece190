package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// A connection point and the claims on it, as the document describes them.
func TestPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry, operations := registered(t)
	meter := types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key("gateway")), Export: []string{"01-00:02.08.00*FF"}}
	operator := party.Key("operator")
	w.accept(w.ledger.Issue(1000, "consumer"))
	w.accept(party.Sign(w.ledger.Body(
		&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("producer"), Name: "Peter"}},
		&types.Enrol{Operator: operator, Owner: party.Key("producer"), Meter: meter},
	), "operator"))
	path := "/v1/points/" + meter.ID().String()
	w.fits(registry, operations["point"], path, http.StatusOK)
	w.fits(registry, operations["claims"], path+"/claims/export", http.StatusOK)
	if point := get[wire.Point](w, path); point.ID != meter.ID() || point.Point.Owner != party.Key("producer") || len(point.Point.Meters) != 1 {
		t.Errorf("point: %+v", point)
	}
	own := "/v1/keys/" + party.Key("producer").String() + "/points"
	w.fits(registry, operations["key-points"], own, http.StatusOK)
	if points := get[wire.Points](w, own); len(points.Points) != 1 || points.Points[0].ID != meter.ID() || points.Partial {
		t.Errorf("points of the producer: %+v", points)
	}
	if points := get[wire.Points](w, "/v1/keys/"+party.Key("consumer").String()+"/points"); len(points.Points) != 0 {
		t.Errorf("points of the consumer: %+v", points)
	}
	if claims := get[wire.Claims](w, path+"/claims/export"); len(claims.Slots) != 0 {
		t.Errorf("claims: %+v", claims)
	}

	offer := w.ledger.NewOffer(1)
	params := w.ledger.Params()
	slot := types.Time(params.Slot)
	offer.Goods.Flow = types.Flow{Point: meter.ID(), Direction: types.DirectionExport}
	offer.Goods.From = (offer.Deadlines.DeliverBy/slot + 1) * slot
	offer.Goods.Until = offer.Goods.From.Add(params.Slot)
	offer.Fallback = &types.Meter{}
	offer.Deadlines.ReadingBy = offer.Goods.Until.Add(params.MinWindow)
	offer.Deadlines.ConfirmBy = offer.Deadlines.ReadingBy.Add(params.MinWindow)
	agreement, err := offer.Agreement(20, party.Key("consumer"), 1)
	if err != nil {
		t.Fatal(err)
	}
	w.accept(w.ledger.Agree(*agreement, "producer", "consumer"))
	for _, query := range []string{"", "?from=" + offer.Goods.From.String()} {
		w.fits(registry, operations["claims"], path+"/claims/export"+query, http.StatusOK)
		claims := get[wire.Claims](w, path+"/claims/export"+query)
		if len(claims.Slots) != 1 || claims.Slots[0].Quantity != 20 || len(claims.Slots[0].Claims) != 1 || claims.Slots[0].Claims[0].Trade != agreement.ID() {
			t.Errorf("claims%s: %+v", query, claims)
		}
	}
	for query, direction := range map[string]string{"?from=" + offer.Goods.Until.String(): "export", "": "import"} {
		if claims := get[wire.Claims](w, path+"/claims/"+direction+query); len(claims.Slots) != 0 {
			t.Errorf("claims of the %s%s: %+v", direction, query, claims)
		}
	}
	w.fits(registry, operations["point"], "/v1/points/"+strings.Repeat("0", 64), http.StatusNotFound)
	w.fits(registry, operations["point"], "/v1/points/x", http.StatusBadRequest)
	w.fits(registry, operations["claims"], path+"/claims/sideways", http.StatusBadRequest)
	w.fits(registry, operations["claims"], path+"/claims/export?from=soon", http.StatusBadRequest)
}

func (w *world) accept(tx *types.Tx) {
	w.t.Helper()
	if err := w.ledger.Submit(w.t.Context(), tx); err != nil {
		w.t.Fatal(err)
	}
}
