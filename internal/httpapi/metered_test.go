package httpapi

import (
	"net/http"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// An auction under meter terms makes a trade that is paid and delivered: the slot, the reading and the release are left.
func TestMeteredAuction(t *testing.T) {
	t.Parallel()
	l := ledgertest.NewMetered(t, "test")
	w := serve(t, l, l)
	flow := l.Enrol(t, "producer")
	product := l.NewProduct(0)
	bid, offer := l.NewOrder(product, "consumer", 0, types.Bid, 320), l.NewOrder(product, "producer", 0, types.Sell, 80)
	offer.Flow = flow
	l.Place(t, "consumer", bid)
	l.Place(t, "producer", offer)
	slots := "/v1/points/" + flow.Point.String() + "/claims/export"
	if claims := get[wire.Claims](w, slots); len(claims.Slots) != 0 {
		t.Errorf("before the gate: %+v", claims)
	}
	l.Gate(&product)
	round := get[wire.AuctionRounds](w, "/v1/products/"+id(product)+"/auction/rounds").Rounds[0]
	trades := get[wire.AuctionTrades](w, "/v1/products/"+id(product)+"/auction/trades").Trades
	path := "/v1/trades/" + trades[0].Trade.String()
	made := get[wire.Trade](w, path)
	a := &made.Trade.Agreement
	if made.Phase != types.PhaseDelivered || a.Price != 1000*round.Price || a.Deposit != 1000*bid.Deposit || a.Bond != 1000*bid.Bond || made.Moves[0].What != "release" {
		t.Fatalf("it begins as %+v", made)
	}
	for _, kind := range []types.StepKind{types.StepMatched, types.StepPaid, types.StepDelivered} {
		if step, taken := made.Trade.Step(kind); !taken || step.At != made.Clock {
			t.Errorf("step %s: %+v, %t", kind, step, taken)
		}
	}
	if claims := get[wire.Claims](w, slots); len(claims.Slots) != 1 || len(claims.Slots[0].Claims) != 1 || !claims.Slots[0].Claims[0].Delivered {
		t.Errorf("behind the gate: %+v", claims)
	}
	l.Advance(product.Until.Since(l.Now()) + 1)
	l.Read(t, "producer", flow, &product, 1000)
	if read := get[wire.Trade](w, path); read.Reading != 1000 {
		t.Errorf("%d Wh are read", read.Reading)
	}
	release := party.Release("consumer", &made.Trade)
	if err := l.Submit(t.Context(), types.NewRelease("test", release)); err != nil {
		t.Fatal(err)
	}
	if released := get[wire.Trade](w, path); released.Phase != types.PhaseReleased {
		t.Errorf("it ends as %s", released.Phase)
	}
	for _, name := range []string{"producer", "consumer"} {
		records := get[wire.KeyRecords](w, "/v1/keys/"+party.Key(name).String()+"/record").Records
		if len(records) != 1 || records[0].Record.Kept != a.Price || records[0].Record.Fills != 1 || records[0].Percent != 100 {
			t.Errorf("the record of the %s: %+v", name, records)
		}
	}
	registry, operations := registered(t)
	w.fits(registry, operations["trade"], path, http.StatusOK)
}
