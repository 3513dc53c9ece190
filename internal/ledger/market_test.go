package ledger_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/market"
	"lockstep/types"
)

// newMarket is a world in which a product's book is open: its slot begins in half an hour.
func newMarket(t testing.TB, edit ...func(*types.Params)) *world {
	w := newWorld(t)
	for _, e := range edit {
		e(&w.params)
	}
	if err := w.params.Check(); err != nil {
		t.Fatal(err)
	}
	w.mint(1_000_000, "peter", "clara", "mallory", "dora", "paul")
	return w
}

func product() types.Product {
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "DE-BY",
		From: start.Add(1800 * second), Until: start.Add(2700 * second), Asset: euro.ID(),
	}
}

// order is one of 1,000 Wh at a limit, under hold.
func (w *world) order(owner string, side types.Side, limit string, edit ...func(*types.Order)) types.Order {
	w.t.Helper()
	rate, err := types.ParseRate(limit)
	if err != nil {
		w.t.Fatal(err)
	}
	o := types.Order{
		ChainID: w.params.ChainID, Owner: publicKey(owner), Product: product(), Side: side, Quantity: 1000, Limit: rate, MinFill: 1,
		Expires: types.MaxTime, Accepts: []types.Fallback{&types.Hold{}},
		Deposit: types.Range{Most: types.WholePrice}, Bond: types.Range{Most: types.WholePrice},
	}
	for _, e := range edit {
		e(&o)
	}
	return o
}

func numbered(n uint8) func(*types.Order)    { return func(o *types.Order) { o.Number = n } }
func ofQuantity(n uint64) func(*types.Order) { return func(o *types.Order) { o.Quantity = n } }
func demanding(n uint8) func(*types.Order)   { return func(o *types.Order) { o.MinRecord = n } }
func fromMeter(o *types.Order)               { o.Flow = flow() }
func under(f ...types.Fallback) func(*types.Order) {
	return func(o *types.Order) { o.Accepts = f }
}

func (w *world) placeTx(order types.Order, owner string) *types.Tx {
	return sign(w.body(&types.Place{Order: order}), owner)
}

func (w *world) place(owner string, side types.Side, limit string, edit ...func(*types.Order)) {
	w.t.Helper()
	w.must(w.placeTx(w.order(owner, side, limit, edit...), owner))
}

// gate lets time pass until the auction has been held.
func (w *world) gate() *types.Auction {
	w.t.Helper()
	before := len(w.held)
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time) + 1)
	if len(w.held) != before+1 {
		w.t.Fatalf("%d auctions were held at the gate", len(w.held)-before)
	}
	return w.held[before]
}

func TestPlaceRules(t *testing.T) {
	t.Parallel()
	order := func(edit func(w *world, o *types.Order)) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			o := w.order("clara", types.Bid, "0.3")
			if edit != nil {
				edit(w, &o)
			}
			return w, w.placeTx(o, "clara")
		}
	}
	bad := func(want types.Code, name string, edit func(o *types.Order)) row {
		return row{name, want, order(func(_ *world, o *types.Order) { edit(o) })}
	}
	check(t, []row{
		{"valid", types.CodeOK, order(nil)},
		{"replaces", types.CodeOK, order(func(w *world, _ *types.Order) { w.place("clara", types.Sell, "0.1") })},
		bad(types.CodeChain, "other chain", func(o *types.Order) { o.ChainID = "other" }),
		bad(types.CodeOrder, "no side", func(o *types.Order) { o.Side = 3 }),
		bad(types.CodeOrder, "no quantity", func(o *types.Order) { o.Quantity = 0 }),
		bad(types.CodeOrder, "huge", func(o *types.Order) { o.Quantity = 1<<40 + 1 }),
		bad(types.CodeOrder, "no smallest fill", func(o *types.Order) { o.MinFill = 0 }),
		bad(types.CodeOrder, "smallest fill above the quantity", func(o *types.Order) { o.MinFill = o.Quantity + 1 }),
		bad(types.CodeOrder, "number beyond a key's", func(o *types.Order) { o.Number = 8 }),
		bad(types.CodeOrder, "bid of nothing", func(o *types.Order) { o.Limit = types.Rate{} }),
		bad(types.CodeOrder, "limit in a second form", func(o *types.Order) { o.Limit = types.Rate{Mantissa: 30, Exponent: 2} }),
		bad(types.CodeOverflow, "worth more than can be counted", func(o *types.Order) { o.Limit = types.Rate{Mantissa: 1 << 62} }),
		bad(types.CodeOverflow, "deposit on top can't be counted", func(o *types.Order) { o.Quantity, o.Limit = 1, types.Rate{Mantissa: 1<<64 - 1} }),
		bad(types.CodeOrder, "runs out before the gate", func(o *types.Order) { o.Expires = start }),
		bad(types.CodeOrder, "no terms", func(o *types.Order) { o.Accepts = nil }),
		bad(types.CodeOrder, "terms twice", func(o *types.Order) { o.Accepts = []types.Fallback{&types.Hold{}, &types.Hold{}} }),
		bad(types.CodeOrder, "terms in another order", func(o *types.Order) { o.Accepts = []types.Fallback{&types.Hold{}, &types.Meter{}} }),
		bad(types.CodeParties, "its own arbiter", func(o *types.Order) { o.Accepts = []types.Fallback{&types.Arbiter{Key: o.Owner}} }),
		bad(types.CodeOrder, "record of no level", func(o *types.Order) { o.MinRecord = 50 }),
		bad(types.CodeOrder, "too small a deposit", func(o *types.Order) { o.Deposit.Least = 501 }),
		bad(types.CodeOrder, "too large a bond", func(o *types.Order) { o.Bond.Most = 499 }),
		bad(types.CodeOrder, "bid with a meter", fromMeter),
		bad(types.CodeOrder, "offer with a meter but no meter terms", func(o *types.Order) { o.Side = types.Sell; fromMeter(o) }),
		bad(types.CodeFallback, "offer under meter terms without a meter", func(o *types.Order) { o.Side, o.Accepts = types.Sell, []types.Fallback{&types.Meter{}} }),
		bad(types.CodeMeterUnknown, "meter of nobody", func(o *types.Order) {
			o.Side, o.Accepts = types.Sell, []types.Fallback{&types.Meter{}}
			fromMeter(o)
		}),
		bad(types.CodeProduct, "off the grid", func(o *types.Order) { o.Product.From = o.Product.From.Add(second) }),
		bad(types.CodeProduct, "longer than a day of slots", func(o *types.Order) { o.Product.Until = o.Product.From.Add(97 * 900 * second) }),
		bad(types.CodeGoods, "no commodity", func(o *types.Order) { o.Product.Commodity = "" }),
		bad(types.CodeText, "zone with an escape", func(o *types.Order) { o.Product.Zone = "\x1b[2J" }),
		bad(types.CodeAssetUnknown, "asset never issued", func(o *types.Order) { o.Product.Asset[0] ^= 1 }),
		bad(types.CodeBookClosed, "not open yet", func(o *types.Order) {
			o.Product.From, o.Product.Until = o.Product.From.Add(200*900*second), o.Product.Until.Add(200*900*second)
		}),
		{"at the last moment", types.CodeOK, order(func(w *world, _ *types.Order) { w.wait(start.Add(1500*second).Since(w.time) - second) })},
		{"after the gate", types.CodeBookClosed, order(func(w *world, _ *types.Order) { w.wait(start.Add(1500 * second).Since(w.time)) })},
		{"full book", types.CodeBookFull, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 2 })
			w.place("peter", types.Sell, "0.1")
			w.place("paul", types.Sell, "0.1")
			return w, w.placeTx(w.order("clara", types.Bid, "0.3"), "clara")
		}},
		{"replacing in a full book", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 2 })
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.1")
			return w, w.placeTx(w.order("clara", types.Bid, "0.3"), "clara")
		}},
		{"no member", types.CodeMember, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.Entry = types.EntryMembers })
			return w, w.placeTx(w.order("clara", types.Bid, "0.3"), "clara")
		}},
		{"no market", types.CodeProduct, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market = types.MarketParams{} })
			return w, w.placeTx(w.order("clara", types.Bid, "0.3"), "clara")
		}},
		{"signed by another", types.CodeSignatureKeys, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			return w, w.placeTx(w.order("clara", types.Bid, "0.3"), "mallory")
		}},
	})
}

func TestWithdrawRules(t *testing.T) {
	t.Parallel()
	p := product()
	withdraw := func(by string, edit func(*types.Withdraw)) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			w.place("clara", types.Bid, "0.3", numbered(1))
			action := &types.Withdraw{Product: p.ID(), Owner: publicKey("clara"), Number: 1}
			if edit != nil {
				edit(action)
			}
			return w, sign(w.body(action), by)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, withdraw("clara", nil)},
		{"of another", types.CodeSignatureKeys, withdraw("mallory", nil)},
		{"other number", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Number = 0 })},
		{"other product", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Product[0] ^= 1 })},
	})
}

// show writes an auction as one line: each round, then each fill.
func show(a *types.Auction) string {
	names := map[types.PublicKey]string{}
	for _, name := range []string{"peter", "clara", "mallory", "dora", "paul"} {
		names[publicKey(name)] = name
	}
	var parts []string
	for _, round := range a.Rounds {
		parts = append(parts, fmt.Sprintf("%s/%d/%d at %s: %d", types.FallbackKind(round.Fallback), round.Sellers, round.Buyers, market.Decimal(round.Price.Rat()), round.Volume))
	}
	var fills []string
	for _, result := range a.Results {
		fills = append(fills, strings.TrimSpace(fmt.Sprintf("%s %d %s", names[result.Owner], result.Filled, result.Excluded)))
	}
	slices.Sort(fills)
	return strings.TrimSpace(strings.Join(parts, ", ") + " | " + strings.Join(fills, ", ") + " " + a.Void)
}

func TestAuction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		orders func(w *world)
		want   string
	}{
		"one pair": {func(w *world) {
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
		}, "hold/0/0 at 0.2: 1000 | clara 1000, peter 1000"},
		"nobody meets": {func(w *world) {
			w.place("peter", types.Sell, "0.3")
			w.place("clara", types.Bid, "0.1")
		}, "| clara 0, peter 0"},
		"a replaced order counts as it is now": {func(w *world) {
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.place("clara", types.Bid, "0.2", ofQuantity(10))
		}, "hold/0/0 at 0.15: 10 | clara 10, peter 10"},
		"an owner does not trade with itself": {func(w *world) {
			w.place("peter", types.Sell, "0.1")
			w.place("peter", types.Bid, "0.3", numbered(1))
		}, "| peter 0, peter 0"},
		"who accepts both terms trades under meter terms first": {func(w *world) {
			w.place("peter", types.Sell, "0.1", fromMeter, under(&types.Meter{}, &types.Hold{}), ofQuantity(1500))
			w.place("clara", types.Bid, "0.3", under(&types.Hold{}))
			w.place("dora", types.Bid, "0.5", under(&types.Meter{}))
		}, "meter/0/0 at 0.3: 1000, hold/0/0 at 0.2: 500 | clara 500, dora 1000, peter 1500"},
		"terms that nobody shares": {func(w *world) {
			w.place("paul", types.Sell, "0.1", under(&types.Arbiter{Key: publicKey("judy")}))
			w.place("clara", types.Bid, "0.3", under(&types.Arbiter{Key: publicKey("mallory")}))
		}, "| clara 0, paul 0"},
		"one arbiter": {func(w *world) {
			w.place("paul", types.Sell, "0.1", under(&types.Arbiter{Key: publicKey("judy")}))
			w.place("clara", types.Bid, "0.3", under(&types.Arbiter{Key: publicKey("judy")}, &types.Hold{}))
		}, "arbiter/0/0 at 0.2: 1000 | clara 1000, paul 1000"},
		"a newcomer has no record that could be demanded": {func(w *world) {
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3", demanding(80))
		}, "| clara 0, paul 0"},
		"an order that would not wait": {func(w *world) {
			p := product()
			w.place("paul", types.Sell, "0.1", func(o *types.Order) { o.Expires = p.Gate(&w.params) })
			w.place("clara", types.Bid, "0.3")
		}, "| clara 0, paul 0 expired"},
		"a meter that was retired": {func(w *world) {
			w.place("peter", types.Sell, "0.1", fromMeter, under(&types.Meter{}))
			w.place("clara", types.Bid, "0.3", under(&types.Meter{}))
			w.must(sign(w.body(&types.Retire{Operator: publicKey("operator"), Point: gateway().ID()}), "operator"))
		}, "| clara 0, peter 0 retired"},
		"withdrawn": {func(w *world) {
			p := product()
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.must(sign(w.body(&types.Withdraw{Product: p.ID(), Owner: publicKey("paul")}), "paul"))
		}, "| clara 0"},
		"the chain stood still until no time was left": {func(w *world) {
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.try(1650 * second)
		}, "| clara 0, paul 0 too late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMeteredWorld(t)
			w.mint(1_000_000, "peter", "clara", "dora")
			c.orders(w)
			if len(w.held) == 0 {
				w.gate()
			}
			if got := show(w.held[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for range w.reader().Books() {
				t.Error("a book is left in the state")
			}
		})
	}
}

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
	if a.Producer != publicKey("peter") || a.Consumer != publicKey("clara") || a.Price != 200 || a.Deposit != 10 || a.Bond != 10 || a.Goods.Quantity != 1000 {
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
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: secretOf("clara")}))
	for _, name := range []string{"peter", "clara"} {
		if r := w.reader().Record(publicKey(name), euro.ID()); r != (types.Record{Kept: 200, Fills: 1}) || r.Percent() != 100 {
			t.Errorf("%s has the record %+v", name, r)
		}
	}
}

func (w *world) payFor(id types.TradeID, who string) {
	w.t.Helper()
	trade, _ := w.reader().Trade(id)
	s := &story{world: w}
	w.must(sign(s.fund(who, trade.Agreement.Price+trade.Agreement.Deposit, &types.Pay{Trade: id, Digest: secretOf(who).Digest(1)}), who))
}

func (w *world) deliverOn(id types.TradeID, who string) {
	w.t.Helper()
	trade, _ := w.reader().Trade(id)
	s := &story{world: w}
	w.must(sign(s.fund(who, trade.Agreement.Bond, &types.Deliver{Trade: id}), who))
}

// TestRecords checks the effect of each failure on both records, with and without an outage meanwhile.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play         func(w *world, id types.TradeID)
		peter, clara types.Record
	}{
		"not paid": {func(w *world, _ types.TradeID) { w.wait(130 * second) },
			types.Record{}, types.Record{Failed: 200, Lapses: 1}},
		"not paid, but the chain stood still": {func(w *world, _ types.TradeID) { w.try(60 * second); w.wait(200 * second) },
			types.Record{}, types.Record{Excused: 1}},
		"not delivered": {func(w *world, id types.TradeID) { w.payFor(id, "clara"); w.wait(310 * second) },
			types.Record{Failed: 200, Refunds: 1}, types.Record{Kept: 200}},
		"not delivered, but the chain stood still": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.try(60 * second)
			w.wait(400 * second)
		}, types.Record{Excused: 1}, types.Record{Kept: 200}},
		"an outage before does not excuse": {func(w *world, id types.TradeID) {
			w.try(11 * second)
			w.payFor(id, "clara")
			w.wait(400 * second)
		}, types.Record{Failed: 200, Refunds: 1}, types.Record{Kept: 200}},
		"split": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.must(w.split(types.Split{Trade: id, ToProducer: 100, ToConsumer: 110}, "peter", "clara"))
			w.wait(310 * second)
		}, types.Record{}, types.Record{}},
		"delivered and never released": {func(w *world, id types.TradeID) {
			w.payFor(id, "clara")
			w.deliverOn(id, "peter")
			w.wait(310 * second)
		}, types.Record{}, types.Record{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMarket(t)
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			c.play(w, w.gate().Trades[0].Trade)
			for who, want := range map[string]types.Record{"peter": c.peter, "clara": c.clara} {
				if got := w.reader().Record(publicKey(who), euro.ID()); got != want {
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
	body.Outputs = []types.Output{output("clara", sum)}
	if result := w.try(2, sign(body, "clara"))[0]; result.Code != types.CodeOK || !w.due {
		t.Fatalf("%s, more is due: %t", result.Detail, w.due)
	}
	w.drain()
	for who, want := range map[string]types.Record{"peter": {Failed: 200, Refunds: 1}, "clara": {Kept: 200}} {
		if got := w.reader().Record(publicKey(who), euro.ID()); got != want {
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
	if got := w.reader().Record(publicKey("peter"), euro.ID()); got != (types.Record{Kept: 100, Failed: 100, Disputes: 1}) || got.Percent() != 50 {
		t.Errorf("the producer has %+v", got)
	}
	if got := w.reader().Record(publicKey("clara"), euro.ID()); got != (types.Record{Kept: 200, Disputes: 1}) {
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
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: secretOf("clara")}))

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

// TestForeseenMatch: two parties foresee the very trade that the auction will make of their orders. They can't record it
// before: the nonces of matches are the auctions'.
func TestForeseenMatch(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	twin := w.clone()
	trade, _ := twin.reader().Trade(twin.gate().Trades[0].Trade)
	agree := w.agree(trade.Agreement, "peter", "clara")
	if got := w.try(second, agree)[0].Code; got != types.CodeTerms {
		t.Errorf("to agree on a match beforehand: %s, want %s", got, types.CodeTerms)
	}
	if again, ok := w.reader().Trade(w.gate().Trades[0].Trade); !ok || again.ID() != trade.ID() {
		t.Errorf("the match is %+v", again)
	}
}

// TestAuctionsOfABlockAreBounded: of products whose gates close at once, a block clears no more orders than one may have. The
// others' books stay as they were at the gate, and their result is the same.
func TestAuctionsOfABlockAreBounded(t *testing.T) {
	t.Parallel()
	w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 5 })
	inZone := func(zone int) func(*types.Order) {
		return func(o *types.Order) { o.Product.Zone = fmt.Sprint("zone ", zone) }
	}
	for zone := range 5 {
		w.place("peter", types.Sell, "0.1", inZone(zone))
		w.place("clara", types.Bid, "0.3", inZone(zone))
	}
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time))
	for block, held := range []int{2, 4, 5} {
		w.try(second / 2)
		if more := held < 5; len(w.held) != held || w.due != more {
			t.Fatalf("after block %d %d auctions were held, more are due: %t", block, len(w.held), w.due)
		}
		for zone := range 5 {
			late := w.order("dora", types.Bid, "0.3", inZone(zone))
			id := late.Product.ID()
			results := w.clone().try(1, w.placeTx(late, "dora"), sign(w.body(&types.Withdraw{Product: id, Owner: publicKey("clara")}), "clara"))
			withdrawn := types.CodeOrderUnknown
			if w.clone().waits(id) {
				withdrawn = types.CodeBookClosed
			}
			if results[0].Code != types.CodeBookClosed || results[1].Code != withdrawn {
				t.Errorf("after block %d, zone %d: an order %s, a withdrawal %s, want %s", block, zone, results[0].Code, results[1].Code, withdrawn)
			}
		}
	}
	ids := make([]string, 0, 5)
	for _, auction := range w.held {
		id := auction.Product.ID()
		ids = append(ids, id.String())
		trade, ok := w.reader().Trade(auction.Trades[0].Trade)
		if !ok || trade.Agreement.Price != 200 || trade.Agreement.Deadlines.PayBy != p.Gate(&w.params).Add(w.params.Market.Pay) {
			t.Errorf("the match of %s is %+v", auction.Product.Zone, trade)
		}
	}
	if !slices.IsSorted(ids) {
		t.Errorf("auctions of one gate were held in the order %s", ids)
	}
}

// waits reports whether the next block leaves a product's auction to those after it.
func (w *world) waits(id types.ProductID) bool {
	before := len(w.held)
	w.try(1)
	return !slices.ContainsFunc(w.held[before:], func(a *types.Auction) bool { return a.Product.ID() == id }) &&
		!slices.ContainsFunc(w.held[:before], func(a *types.Auction) bool { return a.Product.ID() == id })
}

// TestALargeAuctionGoesOnOverBlocks: its price and fills stand at once, its orders leave and its trades come page by page. Meanwhile
// the ledger goes on, the rest of the book can't be touched, and no other auction begins.
func TestALargeAuctionGoesOnOverBlocks(t *testing.T) {
	t.Parallel()
	const owners, each = 1040, 8
	w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = owners * each })
	p := product()
	id := p.ID()
	w.wait(p.Gate(&w.params).Since(w.time) - 10*second)
	random := rand.New(rand.NewPCG(1, 2))
	var txs []*types.Tx
	for i := range owners * each { // of random quantities, nearly as many trades as orders come
		side, limit, owner := types.Bid, "0.3", fmt.Sprint("household ", i/each)
		if i/each%2 == 1 {
			side, limit = types.Sell, "0.1"
		}
		txs = append(txs, w.placeTx(w.order(owner, side, limit, numbered(uint8(i%each)), ofQuantity(1000+random.Uint64N(1000))), owner))
	}
	w.must(txs...)
	later := func(other types.ProductID) bool { return bytes.Compare(other[:], id[:]) > 0 }
	other := func(o *types.Order) { // whose auction comes after this one
		for n := 0; !later(o.Product.ID()); n++ {
			o.Product.Zone = fmt.Sprint("zone ", n)
		}
	}
	w.place("peter", types.Sell, "0.1", other)
	w.place("clara", types.Bid, "0.3", other)

	auction := w.gate()
	if !w.due || !w.reader().Held(id) || len(auction.Results) != owners*each || len(auction.Rounds) != 1 {
		t.Fatalf("after the first block: due %t, held %t, %s", w.due, w.reader().Held(id), show(auction)[:100])
	}
	first, filled := len(auction.Trades), auction.Rounds[0].Volume
	if most := 8 * 1024; first != most {
		t.Fatalf("the first block makes %d trades, want %d", first, most)
	}
	last := auction.Results[len(auction.Results)-1] // of the last page, so its order is still in the state
	if orders := slices.Collect(w.reader().Orders(id)); len(orders) != owners*each-first || orders[len(orders)-1].Order.ID() != last.Order {
		t.Fatalf("%d orders are left in the state", len(orders))
	}
	i := slices.IndexFunc(txs, func(tx *types.Tx) bool { return tx.Signatures[0].Key == last.Owner })
	owner := fmt.Sprint("household ", i/each)
	late := w.try(1,
		w.placeTx(w.order(owner, types.Bid, "0.3"), owner),
		sign(w.body(&types.Withdraw{Product: id, Owner: last.Owner, Number: last.Number}), owner),
	)
	if late[0].Code != types.CodeBookClosed || late[1].Code != types.CodeOrderUnknown {
		t.Errorf("an order %s, a withdrawal %s", late[0].Code, late[1].Code)
	}
	if w.due || w.reader().Held(id) || len(slices.Collect(w.reader().Orders(id))) > 0 {
		t.Error("something is left to the third block")
	}
	if len(w.held) != 2 {
		t.Errorf("%d auctions were held, not that of the other zone", len(w.held))
	}
	numbers, traded := map[uint64]bool{}, uint64(0)
	for _, match := range auction.Trades {
		trade, _ := w.reader().Trade(match.Trade)
		if want := p.Gate(&w.params).Add(w.params.Market.Pay); trade.Agreement.Deadlines.PayBy != want {
			t.Fatalf("pay-by of trade %s is %s, want %s", match.Trade, trade.Agreement.Deadlines.PayBy, want)
		}
		numbers[trade.Agreement.Nonce] = true
		traded += match.Quantity
	}
	if len(auction.Trades) <= first || len(numbers) != len(auction.Trades) || traded != filled {
		t.Errorf("%d trades of %d numbers and %d units, want %d units", len(auction.Trades), len(numbers), traded, filled)
	}
	w.wait(w.params.Market.Pay + w.params.ClockCap)
	w.drain()
	for trade := range w.reader().Trades() {
		t.Fatalf("trade %s has not lapsed", trade.ID())
	}
}

// TestManySmallAuctionsShareABlock: a block's share of auctions depends on their size, not on their number.
func TestManySmallAuctionsShareABlock(t *testing.T) {
	t.Parallel()
	const zones = 30
	w := newMarket(t)
	for zone := range zones {
		inZone := func(o *types.Order) { o.Product.Zone = fmt.Sprint("zone ", zone) }
		w.must(w.placeTx(w.order("peter", types.Sell, "0.1", inZone), "peter"), w.placeTx(w.order("clara", types.Bid, "0.3", inZone), "clara"))
	}
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time))
	w.try(1)
	if w.due || len(w.held) != zones {
		t.Errorf("%d auctions were held, more is due: %t", len(w.held), w.due)
	}
	for _, auction := range w.held {
		if len(auction.Trades) != 1 || w.reader().Held(auction.Product.ID()) {
			t.Errorf("%s has %d trades", auction.Product.Zone, len(auction.Trades))
		}
	}
}

// TestTrialHoldsNoAuction: a trial state leaves the orders of a closed book alone, takes no more
// of them, and goes on with everything else that is due.
func TestTrialHoldsNoAuction(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	p := product()
	trial := ledger.New(w.view, w.params)
	trial.BeginTrial(w.height+1, p.Gate(&w.params).Add(1))
	late := w.order("dora", types.Bid, "0.3")
	body := w.body(&types.Place{Order: late})
	body.ValidUntil = p.Gate(&w.params).Add(second)
	if result := trial.Execute(sign(body, "dora"), true); result.Code != types.CodeBookClosed {
		t.Errorf("an order after the gate: %s", result.Code)
	}
	if diff := trial.Finish(); len(diff.Auctions) > 0 || diff.Clock.BlockTime != p.Gate(&w.params).Add(1) {
		t.Errorf("%d auctions, at %s", len(diff.Auctions), diff.Clock.BlockTime)
	}
	if auction := w.gate(); len(auction.Trades) != 1 {
		t.Errorf("the auction itself made %d trades", len(auction.Trades))
	}
}

// TestRandomAuctions: for any book, fills and trades agree, each keeps its owner's limit in money, and nothing
// of the product is left in the state but the trades.
func TestRandomAuctions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newMeteredWorld(t)
		w.mint(1, "clara")
		willing := rapid.Bool().Draw(rt, "willing") // are there two who agree on all that can be asked for?
		names := []string{"peter", "clara", "mallory", "dora", "paul"}
		orders := map[types.OrderID]types.Order{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "orders") {
			name := rapid.SampledFrom(names).Draw(rt, "owner")
			side := rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(rt, "side")
			o := w.order(name, side, rapid.SampledFrom([]string{"0", "0.001", "0.3", "0.35", "7", "0.0000000001"}).Draw(rt, "limit"))
			o.Number = uint8(i % 8)
			o.Quantity = rapid.SampledFrom([]uint64{1, 2, 3, 1000, 1 << 40}).Draw(rt, "quantity")
			o.MinFill = rapid.Uint64Range(1, min(o.Quantity, 4)).Draw(rt, "min fill")
			o.Accepts = rapid.SampledFrom([][]types.Fallback{
				{&types.Hold{}}, {&types.Meter{}, &types.Hold{}}, {&types.Arbiter{Key: publicKey("judy")}, &types.Hold{}},
			}).Draw(rt, "accepts")
			o.MinRecord = rapid.SampledFrom([]uint8{0, 0, 80}).Draw(rt, "demand")
			if _, metered := o.Accepts[0].(*types.Meter); metered && side == types.Sell {
				o.Owner, name = publicKey("peter"), "peter"
				fromMeter(&o)
			}
			if w.try(second, w.placeTx(o, name))[0].Code == types.CodeOK {
				orders[o.ID()] = o
			}
		}
		if willing {
			sells, bids := w.order("sid", types.Sell, "0"), w.order("bea", types.Bid, "8")
			w.must(w.placeTx(sells, "sid"), w.placeTx(bids, "bea"))
			orders[sells.ID()], orders[bids.ID()] = sells, bids
		}
		if len(orders) == 0 {
			return
		}
		w.try(rapid.SampledFrom([]types.Span{second, 40 * second, 300 * second}).Draw(rt, "outage")) // the ledger clock falls behind block time
		auction := w.gate()
		filled := make([]uint64, len(auction.Results))
		if willing && len(auction.Trades) == 0 {
			rt.Fatal("two who agree on everything are not matched, nor is anybody in their place")
		}
		for _, match := range auction.Trades {
			trade, ok := w.reader().Trade(match.Trade)
			if !ok {
				rt.Fatal("a match is not in the state")
			}
			bid, offer := orders[auction.Results[match.Bid].Order], orders[auction.Results[match.Offer].Order]
			agreement := &trade.Agreement
			if err := agreement.Check(&w.params); err != nil || agreement.Consumer != bid.Owner || agreement.Producer != offer.Owner {
				rt.Fatalf("a bad agreement came of it: %v", err)
			}
			most, _ := bid.Limit.Cost(match.Quantity)
			least, _ := offer.Limit.Cost(match.Quantity)
			if agreement.Price > most || agreement.Price < least || agreement.Price != match.Price || agreement.Goods.Quantity != match.Quantity {
				rt.Fatalf("a price of %s, limits %s to %s", agreement.Price, least, most)
			}
			filled[match.Bid] += match.Quantity
			filled[match.Offer] += match.Quantity
		}
		for i, result := range auction.Results {
			o := orders[result.Order]
			if filled[i] != result.Filled || result.Filled > o.Quantity || result.Filled > 0 && result.Filled < o.MinFill {
				rt.Fatalf("order %+v has %d of its trades, %d by the result", o, filled[i], result.Filled)
			}
		}
		w.wait(3600 * second) // unpaid: all lapse
		for trade := range w.reader().Trades() {
			rt.Fatalf("trade %s is left", trade.ID())
		}
	})
}
