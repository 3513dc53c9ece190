package ledger_test

import (
	"encoding/binary"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestMatchesAreTrades plays the trades of an auction: paid, delivered and released, it is on both parties' record.
func TestMatchesAreTrades(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	auction := w.gate()
	id := auction.Trades[0].Trade
	trade, ok := w.reader().Trade(id)
	if !ok || trade.Phase != types.PhaseAgreed || trade.ID() != id {
		t.Fatalf("the match is no agreed trade: %+v", trade)
	}
	a := trade.Agreement
	if a.Producer != party.Key("peter") || a.Consumer != party.Key("clara") || a.Price != 200 || a.Deposit != 10 || a.Bond != 10 || a.Goods.Quantity != 1000 {
		t.Errorf("the agreement is %+v", a)
	}
	if err := a.Check(&w.params); err != nil {
		t.Error(err)
	}
	if p := product(); a.Deadlines.PayBy != p.Gate(&w.params).Add(w.params.Market.Pay) || a.Deadlines.DeliverBy != p.From {
		t.Errorf("deadlines %+v", a.Deadlines)
	}
	w.payFor(id, "clara")
	w.deliverOn(id, "peter")
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: party.Secret("clara")}))
	for _, name := range []string{"peter", "clara"} {
		if r := w.reader().Conduct(party.Key(name), euro.ID()); r != (types.Conduct{Kept: 200, Fills: 1}) || r.Percent() != 100 {
			t.Errorf("%s has the record %+v", name, r)
		}
	}
}

func (w *world) payFor(id types.TradeID, who string) {
	w.t.Helper()
	trade, _ := w.reader().Trade(id)
	s := &story{world: w}
	w.must(party.Sign(s.fund(who, trade.Agreement.Price+trade.Agreement.Deposit, &types.Pay{Trade: id, Digest: party.Secret(who).Digest(1)}), who))
}

func (w *world) deliverOn(id types.TradeID, who string) {
	w.t.Helper()
	trade, _ := w.reader().Trade(id)
	s := &story{world: w}
	w.must(party.Sign(s.fund(who, trade.Agreement.Bond, &types.Deliver{Trade: id}), who))
}

// TestRecords checks the effect of each failure on both records, with and without an outage meanwhile.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play         func(w *world, id types.TradeID)
		peter, clara types.Conduct
	}{
		"not paid": {func(w *world, _ types.TradeID) { w.wait(130 * second) },
			types.Conduct{}, types.Conduct{Failed: 200, Lapses: 1}},
		"not paid, but the chain stood still": {func(w *world, _ types.TradeID) { w.try(60 * second); w.wait(200 * second) },
			types.Conduct{}, types.Conduct{Excused: 1}},
		"not delivered": {func(w *world, id types.TradeID) { w.payFor(id, "clara"); w.wait(310 * second) },
			types.Conduct{Failed: 200, Refunds: 1}, types.Conduct{Kept: 200}},
		"not delivered, but the chain stood still": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.try(60 * second)
			w.wait(400 * second)
		}, types.Conduct{Excused: 1}, types.Conduct{Kept: 200}},
		"an outage before does not excuse": {func(w *world, id types.TradeID) {
			w.try(11 * second)
			w.payFor(id, "clara")
			w.wait(400 * second)
		}, types.Conduct{Failed: 200, Refunds: 1}, types.Conduct{Kept: 200}},
		"split": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.must(w.split(types.Split{Trade: id, ToProducer: 100, ToConsumer: 110}, "peter", "clara"))
			w.wait(310 * second)
		}, types.Conduct{}, types.Conduct{}},
		"delivered and never released": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.deliverOn(id, "peter")
			w.wait(310 * second)
		}, types.Conduct{}, types.Conduct{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMarket(t)
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			c.play(w, w.gate().Trades[0].Trade)
			for who, want := range map[string]types.Conduct{"peter": c.peter, "clara": c.clara} {
				if got := w.reader().Conduct(party.Key(who), euro.ID()); got != want {
					t.Errorf("%s has %+v, want %+v", who, got, want)
				}
			}
		})
	}
}

// TestAFloodHidesNoRefund: a refund is on record once, also when the consumer takes the money before the block that handles the entry.
func TestAFloodHidesNoRefund(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	id := w.gate().Trades[0].Trade
	w.payFor(id, "clara")
	trade, _ := w.reader().Trade(id)
	deliverBy := trade.Agreement.Deadlines.DeliverBy
	var flood []ledger.Change
	for i := range 3000 { // more than a block handles, due before the trade's
		key := binary.BigEndian.AppendUint64([]byte("qd"), uint64(deliverBy-1))
		key = append(binary.BigEndian.AppendUint32(key, uint32(i)), make([]byte, 28)...)
		flood = append(flood, ledger.Change{Key: string(key), New: []byte{0x80}})
	}
	w.wait(deliverBy.Since(w.clock()) - 1)
	w.view.Apply(flood)
	w.sum.Apply(flood)
	body := w.body()
	var sum types.Amount
	for _, locked := range trade.Locked {
		body.Inputs = append(body.Inputs, id.Outpoint(locked.Part))
		sum += locked.Amount
	}
	body.Outputs = []types.Output{party.Output("clara", sum)}
	if result := w.try(2, party.Sign(body, "clara"))[0]; result.Code != types.CodeOK || !w.due {
		t.Fatalf("%s, more is due: %t", result.Detail, w.due)
	}
	w.drain()
	for who, want := range map[string]types.Conduct{"peter": {Failed: 200, Refunds: 1}, "clara": {Kept: 200}} {
		if got := w.reader().Conduct(party.Key(who), euro.ID()); got != want {
			t.Errorf("%s has %+v, want %+v", who, got, want)
		}
	}
}

// TestSettlementIsOnRecord: half of the sold quantity was read, and the consumer had no cause to release.
func TestSettlementIsOnRecord(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	w.mint(1000, "peter", "clara")
	w.place("peter", types.Sell, "0.1", fromMeter, under(&types.Meter{}))
	w.place("clara", types.Bid, "0.3", under(&types.Meter{}))
	id := w.gate().Trades[0].Trade
	w.payFor(id, "clara")
	w.deliverOn(id, "peter")
	p := product()
	w.wait(p.Until.Since(w.time) + second)
	w.must(w.readOf(p.From, record(t, p.From, p.Until, 1, 500)))
	w.wait(w.params.Market.Reading + w.params.Market.Confirm)
	w.must(types.NewTx(types.Body{ChainID: w.params.ChainID, Actions: []types.Action{&types.Settle{Trade: id}}}))
	if got := w.reader().Conduct(party.Key("peter"), euro.ID()); got != (types.Conduct{Kept: 100, Failed: 100, Disputes: 1}) || got.Percent() != 50 {
		t.Errorf("the producer has %+v", got)
	}
	if got := w.reader().Conduct(party.Key("clara"), euro.ID()); got != (types.Conduct{Kept: 200, Disputes: 1}) {
		t.Errorf("the consumer has %+v", got)
	}
}

// TestDemandedRecords: reliable keys trade with those that demand reliability, at a price of their own; the others among themselves.
func TestDemandedRecords(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	id := w.gate().Trades[0].Trade
	w.payFor(id, "clara")
	w.deliverOn(id, "peter")
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: party.Secret("clara")}))

	later := func(o *types.Order) { // the next slot but one
		o.Product.From, o.Product.Until = o.Product.From.Add(1800*second), o.Product.Until.Add(1800*second)
	}
	w.place("peter", types.Sell, "0.4", later)
	w.place("paul", types.Sell, "0.1", later)
	w.place("clara", types.Bid, "0.6", later, demanding(95))
	w.place("dora", types.Bid, "0.3", later)
	w.wait(1800 * second)
	want := "hold/95/0 at 0.5: 1000, hold/0/0 at 0.2: 1000 | clara 1000, dora 1000, paul 1000, peter 1000"
	if got := show(w.held[1]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
