package ledger_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// releaseMatch opens a match by the secret of its leaf.
func (w *world) releaseMatch(id types.TradeID, who string) *types.Tx {
	w.t.Helper()
	deal, _ := w.reader().Trade(id)
	secrets, tree := bidSecrets(who)
	_, leaf, _ := deal.Agreement.Match()
	return types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: secrets[leaf], Path: tree.Path(leaf)})
}

func (w *world) deliverOn(id types.TradeID, who string) {
	w.t.Helper()
	w.must(party.Sign(w.body(&types.Deliver{Trade: id}), who)) // the bond is there
}

// matched is a market in which peter has sold 1,000 Wh to clara at 2 a lot.
func matched(t *testing.T, w *world) (*world, types.TradeID) {
	t.Helper()
	w.place("peter", types.Sell, 1)
	w.place("clara", types.Bid, 3)
	return w, w.gate().Trades[0].Trade
}

// TestMatchesAreTrades plays a match under hold terms: it is paid from the beginning, then delivered and released, and on both
// parties' record.
func TestMatchesAreTrades(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMarket(t))
	deal, ok := w.reader().Trade(id)
	if !ok || deal.Phase != types.PhasePaid || deal.ID() != id {
		t.Fatalf("the match is no paid trade: %+v", deal)
	}
	a := deal.Agreement
	if a.Producer != party.Key("peter") || a.Consumer != party.Key("clara") || a.Price != 200 || a.Deposit != 100 || a.Bond != 200 || a.Goods.Quantity != 1000 {
		t.Errorf("the agreement is %+v", a)
	}
	if err := a.Check(&w.params); err != nil {
		t.Error(err)
	}
	if p := product(); a.Deadlines.PayBy != p.Gate(&w.params) || a.Deadlines.DeliverBy != p.From {
		t.Errorf("deadlines %+v", a.Deadlines)
	}
	if peter, clara := w.has("peter"), w.has("clara"); peter != 1_000_000-200 || clara != 1_000_000-300 {
		t.Errorf("after the auction peter has %s and clara %s", peter, clara)
	}
	w.deliverOn(id, "peter")
	w.must(w.releaseMatch(id, "clara"))
	for _, name := range []string{"peter", "clara"} {
		if r := w.reader().Conduct(party.Key(name), euro.ID()); r != (types.Conduct{Kept: 200, Fills: 1}) || r.Percent() != 100 {
			t.Errorf("%s has the record %+v", name, r)
		}
	}
}

// TestMeteredMatch plays a match under meter terms: the auction pays and delivers it, and the reading and the release remain.
func TestMeteredMatch(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMeteredMarket(t))
	deal, _ := w.reader().Trade(id)
	if deal.Phase != types.PhaseDelivered || deal.LockedSum() != 500 {
		t.Fatalf("the match is %+v", deal)
	}
	w.want(types.CodePhase, party.Sign(w.body(&types.Deliver{Trade: id}), "peter"))
	p := product()
	if slot, ok := w.reader().Slot(flow(), p.From); !ok || len(slot.Claims) != 1 || slot.Claims[0].Height != deal.Height || slot.Open != 1 {
		t.Errorf("the slot is %+v", slot)
	}
	w.wait(p.Until.Since(w.time) + second)
	w.must(w.readOf(p.From, record(t, p.From, p.Until, 1, 1000)))
	other, tree := bidSecrets("clara")
	_, leaf, _ := deal.Agreement.Match()
	wrong := (leaf + 1) % 4
	w.want(types.CodeSecret, types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: other[wrong], Path: tree.Path(wrong)}))
	w.want(types.CodeSecret, types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: other[leaf]}))
	w.must(w.releaseMatch(id, "clara"))
	if r := w.reader().Conduct(party.Key("peter"), euro.ID()); r != (types.Conduct{Kept: 200, Fills: 1}) {
		t.Errorf("peter has the record %+v", r)
	}
}

// A release that comes before any reading is no evidence of energy: two keys of one owner make no record by it.
func TestWashTradesMakeNoRecord(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMeteredMarket(t))
	w.must(w.releaseMatch(id, "clara"))
	for _, name := range []string{"peter", "clara"} {
		if r := w.reader().Conduct(party.Key(name), euro.ID()); r != (types.Conduct{Fills: 1}) || r.Percent() != 0 {
			t.Errorf("%s has the record %+v", name, r)
		}
	}
}

// TestRecords checks the effect of each end of a match on both records, with and without an outage in the time that a party had.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play         func(w *world, id types.TradeID)
		peter, clara types.Conduct
	}{
		"not delivered": {func(w *world, _ types.TradeID) { w.wait(310 * second) },
			types.Conduct{Failed: 200, Refunds: 1}, types.Conduct{}},
		"not delivered, but the chain stood still": {func(w *world, _ types.TradeID) {
			w.try(60 * second)
			w.wait(400 * second)
		}, types.Conduct{Excused: 1}, types.Conduct{}},
		"not delivered, and the chain stood still later": {func(w *world, id types.TradeID) {
			deal, _ := w.reader().Trade(id)
			w.wait(deal.Agreement.Deadlines.DeliverBy.Since(w.clock()))
			w.try(60 * second)
			w.wait(60 * second)
		}, types.Conduct{Failed: 200, Refunds: 1}, types.Conduct{}},
		"not delivered, and the chain stood still from before the deadline to after it": {func(w *world, id types.TradeID) {
			deal, _ := w.reader().Trade(id)
			w.wait(deal.Agreement.Deadlines.DeliverBy.Since(w.clock()) - 1)
			w.try(3600 * second)
			w.wait(60 * second)
		}, types.Conduct{Excused: 1}, types.Conduct{}},
		"split": {func(w *world, id types.TradeID) {
			w.must(w.split(types.Split{Trade: id, ToProducer: 300, ToConsumer: 200}, "peter", "clara"))
			w.wait(310 * second)
		}, types.Conduct{}, types.Conduct{}},
		"delivered and never released": {func(w *world, id types.TradeID) {
			w.deliverOn(id, "peter")
			w.wait(310 * second)
		}, types.Conduct{}, types.Conduct{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, id := matched(t, newMarket(t))
			c.play(w, id)
			for who, want := range map[string]types.Conduct{"peter": c.peter, "clara": c.clara} {
				if got := w.reader().Conduct(party.Key(who), euro.ID()); got != want {
					t.Errorf("%s has %+v, want %+v", who, got, want)
				}
			}
		})
	}
}

// An outage before the auction excuses nobody: it was not in the time of the trade.
func TestAnOutageBeforeDoesNotExcuse(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.try(60 * second)
	w, _ = matched(t, w)
	w.wait(400 * second)
	if got := w.reader().Conduct(party.Key("peter"), euro.ID()); got != (types.Conduct{Failed: 200, Refunds: 1}) {
		t.Errorf("the producer has %+v", got)
	}
}

// A producer that does not deliver has its staked bond again, without a claim, and the consumer its payment and deposit.
func TestAMissUnderHoldTerms(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMarket(t))
	w.wait(310 * second)
	s := &stage{world: w, id: id}
	w.want(types.CodeSignatureKeys, s.spendTx(types.PartBond, "clara", "clara"))
	w.must(s.spendTx(types.PartBond, "peter", "peter"), s.spendTx(types.PartPayment, "clara", "clara"), s.spendTx(types.PartDeposit, "clara", "clara"))
	if peter, clara := w.has("peter"), w.has("clara"); peter != 1_000_000 || clara != 1_000_000 {
		t.Errorf("peter has %s and clara %s", peter, clara)
	}
	if _, there := w.reader().Trade(id); there {
		t.Error("the trade is still there")
	}
}

// TestAFloodHidesNoRefund: a refund is on record once, also when the consumer takes the money before the block that handles the entry.
func TestAFloodHidesNoRefund(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMarket(t))
	deal, _ := w.reader().Trade(id)
	deliverBy := deal.Agreement.Deadlines.DeliverBy
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
	body.Inputs = []types.Outpoint{id.Outpoint(types.PartPayment), id.Outpoint(types.PartDeposit)}
	body.Outputs = []types.Output{party.Output("clara", 300)}
	if result := w.try(2, party.Sign(body, "clara"))[0]; result.Code != types.CodeOK || !w.due {
		t.Fatalf("%s, more is due: %t", result.Detail, w.due)
	}
	w.drain()
	for who, want := range map[string]types.Conduct{"peter": {Failed: 200, Refunds: 1}, "clara": {}} {
		if got := w.reader().Conduct(party.Key(who), euro.ID()); got != want {
			t.Errorf("%s has %+v, want %+v", who, got, want)
		}
	}
}

// TestSettlementIsOnRecord: a settlement counts the part that was read for the producer and the rest against it; if all was read, the
// price counts against the consumer, who withheld the release. A stall excuses only those in whose time it fell.
func TestSettlementIsOnRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read         uint64
		outage       string // in which time
		peter, clara types.Conduct
	}{
		"half":                        {500, "", types.Conduct{Kept: 100, Failed: 100, Disputes: 1}, types.Conduct{Kept: 100, Disputes: 1}},
		"all":                         {1000, "", types.Conduct{Kept: 200, Disputes: 1}, types.Conduct{Failed: 200, Disputes: 1}},
		"all but one Wh":              {999, "", types.Conduct{Kept: 199, Failed: 1, Disputes: 1}, types.Conduct{Kept: 199, Disputes: 1}},
		"half, a stall to read":       {500, "reading", types.Conduct{Kept: 100, Disputes: 1, Excused: 1}, types.Conduct{Kept: 100, Disputes: 1}},
		"half, a stall to confirm":    {500, "confirm", types.Conduct{Kept: 100, Failed: 100, Disputes: 1}, types.Conduct{Kept: 100, Disputes: 1}},
		"all, a stall to confirm":     {1000, "confirm", types.Conduct{Kept: 200, Disputes: 1}, types.Conduct{Disputes: 1, Excused: 1}},
		"half, a stall after it":      {500, "after", types.Conduct{Kept: 100, Failed: 100, Disputes: 1}, types.Conduct{Kept: 100, Disputes: 1}},
		"all, a stall after it":       {1000, "after", types.Conduct{Kept: 200, Disputes: 1}, types.Conduct{Failed: 200, Disputes: 1}},
		"half, stalls one by one":     {500, "reading after", types.Conduct{Kept: 100, Disputes: 1, Excused: 1}, types.Conduct{Kept: 100, Disputes: 1}},
		"half, stalls since the gate": {500, "slot", types.Conduct{Kept: 100, Disputes: 1, Excused: 1}, types.Conduct{Kept: 100, Disputes: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, id := matched(t, newMeteredMarket(t))
			deal, _ := w.reader().Trade(id)
			by := deal.Agreement.Deadlines
			stall := func(when string) {
				if strings.Contains(c.outage, when) {
					w.try(60 * second)
				}
			}
			p := product()
			w.wait(p.From.Since(w.time) + second)
			stall("slot")
			w.wait(p.Until.Since(w.time) + second)
			w.must(w.readOf(p.From, record(t, p.From, p.Until, 1, c.read)))
			stall("reading")
			w.wait(by.ReadingBy.Since(w.clock()) + second)
			stall("confirm")
			w.wait(by.ConfirmBy.Since(w.clock()) + second)
			stall("after")
			w.must(types.NewSettle(w.params.ChainID, id))
			for who, want := range map[string]types.Conduct{"peter": c.peter, "clara": c.clara} {
				if got := w.reader().Conduct(party.Key(who), euro.ID()); got != want {
					t.Errorf("%s has %+v, want %+v", who, got, want)
				}
			}
			toPeter := map[uint64]types.Amount{500: 100 + 100, 999: 199 + 199, 1000: 500}[c.read] // of the price and of the bond; of all the deposit too
			if peter, clara := w.has("peter"), w.has("clara"); peter != 1_000_000-200+toPeter || clara != 1_000_000-300+500-toPeter {
				t.Errorf("peter has %s and clara %s", peter, clara)
			}
		})
	}
}

// TestDemandedRecords: reliable keys trade with those that demand reliability, at a price of their own; the others among themselves.
func TestDemandedRecords(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMarket(t))
	w.deliverOn(id, "peter")
	w.must(w.releaseMatch(id, "clara"))

	later := func(o *types.Order) { // the next slot but one
		o.Product.From, o.Product.Until = o.Product.From.Add(1800*second), o.Product.Until.Add(1800*second)
	}
	w.place("peter", types.Sell, 4, later)
	w.place("paul", types.Sell, 1, later)
	w.place("clara", types.Bid, 6, later, demanding(95))
	w.place("dora", types.Bid, 3, later)
	w.wait(1800 * second)
	want := "95/0 at 5: 1000, 0/0 at 2: 1000 | clara 1000, dora 1000, paul 1000, peter 1000"
	if got := show(w.held[1]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for round, match := range w.held[1].Trades {
		if trade, _ := w.reader().Trade(match.Trade); int(match.Round) != round || trade.Agreement.Price != []types.Amount{500, 200}[round] {
			t.Errorf("a trade of round %d is said to be of round %d, its price is %s", round, match.Round, trade.Agreement.Price)
		}
	}
}
