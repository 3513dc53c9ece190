package chain

import (
	"slices"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// orderOf is an order of the named party for 1,000 Wh of the first product whose gate is ahead.
func (w *world) orderOf(name string, side types.Side, limit types.Amount) types.Order {
	asset, slot := party.Euro(), types.Time(w.params.Slot)
	from := types.TimeOf(time.Now()).Add(w.params.Market.Gate+60_000)/slot*slot + slot
	return party.Order(&w.params, name, types.Order{
		Product: types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "north", From: from, Until: from + slot, Asset: asset.ID()},
		Side:    side, Quantity: 1000, Limit: limit,
	})
}

// place funds an order with a coin and sends the rest back.
func (w *world) place(order types.Order, name string, coin types.Outpoint, worth types.Amount) *types.Tx {
	stake, _ := order.Stake()
	body := w.body(&types.Place{Order: order})
	body.Inputs, body.Outputs = []types.Outpoint{coin}, []types.Output{party.Output(name, worth-stake)}
	return party.Sign(body, name)
}

// TestPoolOfFundedOrders: a queued order has spent its stake, and a replacement can spend the stake that a queued order locks.
func TestPoolOfFundedOrders(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	params.Market.Grids = party.HoldGrids()
	w := newWorldOf(t, params)
	mint := w.mint(10_000, "clara")
	coin := types.Outpoint{Tx: mint.ID()}
	bid := w.orderOf("clara", types.Bid, 4) // locks 5,000
	placed := w.place(bid, "clara", coin, 10_000)
	w.submit(mint, placed)
	again := bid
	again.Number = 1
	wantCode(t, w.Submit(t.Context(), w.place(again, "clara", coin, 10_000)), types.CodeInputMissing)
	short := w.body(&types.Place{Order: again}) // 4,999 for a stake of 5,000
	short.Inputs, short.Outputs = []types.Outpoint{{Tx: placed.ID()}}, []types.Output{party.Output("clara", 1)}
	wantCode(t, w.Submit(t.Context(), party.Sign(short, "clara")), types.CodeUnbalanced)
	better := bid
	better.Limit = 9 // 10,000: the old stake, and the rest of the coin
	replaced := w.body(&types.Place{Order: better})
	replaced.Inputs = []types.Outpoint{{Tx: placed.ID()}}
	w.submit(party.Sign(replaced, "clara"))
	w.run()
	w.wantOutcomes(types.CodeOK, mint, placed, party.Sign(replaced, "clara"))
	w.check()
}

// TestReleaseOfMatchInOverload: an overloaded pool takes the release of a match by secret and path, and no other form of it.
func TestReleaseOfMatchInOverload(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	params.Market.Grids = party.HoldGrids()
	w := newWorldOf(t, params)
	bid, offer := w.orderOf("clara", types.Bid, 3), w.orderOf("peter", types.Sell, 2)
	a := w.application()
	a.begin = bid.Product.Gate(&params).Std().Add(-2 * time.Second)
	a.block(t, 1, party.Sign(w.body(party.Place(bid)...), "issuer", "clara"), party.Sign(w.body(party.Place(offer)...), "issuer", "peter"))
	a.block(t, 2) // of the gate itself
	a.block(t, 3)
	var match *types.Trade
	head := w.head()
	for trade := range head.Reader.Trades() {
		match = trade
	}
	if err := head.Close(); err != nil {
		t.Fatal(err)
	}
	if match == nil {
		t.Fatal("no trade was made")
	}
	w.overload()
	good := party.Release("clara", match)
	if len(good.Path) == 0 {
		t.Fatal("the release has no path")
	}
	for name, edit := range map[string]func(*types.Release){
		"another hash beside the way": func(r *types.Release) { r.Path[0][5] ^= 1 },
		"a shorter path":              func(r *types.Release) { r.Path = r.Path[1:] },
		"a longer path":               func(r *types.Release) { r.Path = append(r.Path, types.Hash{}) },
		"the secret of another leaf":  func(r *types.Release) { r.Preimage = party.LeafSecret("clara", 7) },
		"no path":                     func(r *types.Release) { r.Path = nil },
	} {
		bad := good
		bad.Path = slices.Clone(good.Path)
		edit(&bad)
		if err := w.Submit(t.Context(), types.NewRelease(params.ChainID, bad)); err == nil {
			t.Errorf("%s: the pool took it", name)
		}
	}
	w.submit(types.NewRelease(params.ChainID, good)) // the delivery may be queued
}
