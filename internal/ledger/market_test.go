package ledger_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
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
		ChainID: w.params.ChainID, Owner: party.Key(owner), Product: product(), Side: side, Quantity: 1000, Limit: rate, MinFill: 1,
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
	return party.Sign(w.body(&types.Place{Order: order}), owner)
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
			action := &types.Withdraw{Product: p.ID(), Owner: party.Key("clara"), Number: 1}
			if edit != nil {
				edit(action)
			}
			return w, party.Sign(w.body(action), by)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, withdraw("clara", nil)},
		{"of another", types.CodeSignatureKeys, withdraw("mallory", nil)},
		{"other number", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Number = 0 })},
		{"other product", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Product[0] ^= 1 })},
	})
}
