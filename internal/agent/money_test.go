package agent

import (
	"slices"
	"testing"

	"lockstep/internal/agent/plan"
	"lockstep/trade"
	"lockstep/types"
)

// own is the agent's own bid for the next slot.
func own(quantity uint64) Order {
	s := State{Setup: setup(nil)}
	return Order{Order: types.Order{
		Product: *s.product(noon + quarter), Side: types.Bid, Number: s.number(types.Bid), Quantity: quantity, Lot: 1, Limit: 280, Deposit: 10, Fallback: &types.Meter{},
	}, Height: 1}
}

// A sum that goes beyond a limit, as when the owner buys by hand, is not forgotten: the agent's own bid makes up for it.
func TestBeyondALimit(t *testing.T) {
	t.Parallel()
	const each = 280 + 10
	for name, c := range map[string]struct {
		edit func(*Setup, *View)
		lots uint64 // that the bid of 100 lots comes down to
	}{
		"by hand in a day": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Spent = []Spent{{At: v.Clock, Price: 280 * 40, Asset: money}}
		}, 60},
		"by hand, all of a day": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Spent = []Spent{{At: v.Clock, Price: 280 * 100, Asset: money}}
		}, 0},
		"locked by hand": {func(s *Setup, v *View) {
			s.Limits.Exposure, v.Money.Locked = each*100, each*30
		}, 70},
		"the reserve": {func(s *Setup, v *View) {
			s.Limits.Reserve, v.Money.Spendable = each*50, each*10
		}, 60},
	} {
		v := viewAt(round)
		v.Orders, v.Money.InOrders = []Order{own(100)}, each*100
		s := State{Setup: setup(func(s *Setup) { c.edit(s, &v) })}
		s.Grace, s.Graced = v.Height, v.BlockTime
		_, acts, _ := see(t, s, v)
		withdrawn := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Withdraw); return ok })
		if order := placed(t, acts); order == nil && (c.lots > 0 || !withdrawn) || order != nil && order.Lots() != c.lots {
			t.Errorf("%s: %+v, want %d lots", name, acts, c.lots)
		}
	}
}

// A trade that the agent pays counts once for the limit of a day.
func TestPayWithinADay(t *testing.T) {
	t.Parallel()
	agreed := matched(func(t *types.Trade) {
		t.Phase, t.Steps = types.PhaseAgreed, []types.Step{{Kind: types.StepAgreed, At: noon}}
		t.Agreement.Goods.From, t.Agreement.Goods.Until = noon+4*quarter, noon+5*quarter
		t.Agreement.Deadlines = types.Deadlines{PayBy: noon + quarter, DeliverBy: noon + 4*quarter, ReadingBy: noon + 9*quarter, ConfirmBy: noon + 13*quarter}
	})
	for name, c := range map[string]struct {
		day, earlier types.Amount
		pays         bool
	}{
		"all of a day":    {100, 0, true},
		"less than it":    {99, 0, false},
		"with an earlier": {150, 50, true},
		"beyond":          {149, 50, false},
	} {
		v := viewAt(round)
		v.Trades = []Trade{agreed}
		v.Spent = []Spent{
			{ID: agreed.ID, At: noon, Price: agreed.Trade.Agreement.Price, Asset: money}, {ID: types.TradeID{9}, At: noon, Price: c.earlier, Asset: money},
		}
		s := State{Setup: setup(func(s *Setup) { quiet(s); s.Direct.Pay, s.Limits.PerDay = true, c.day })}
		if trade.PhaseAt(&agreed.Trade, v.Clock) != types.PhaseAgreed {
			t.Fatal("the trade is not open")
		}
		_, acts, _ := see(t, s, v)
		if pays := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Pay); return ok }); pays != c.pays {
			t.Errorf("%s: %v", name, acts)
		}
	}
}

// standing is an offer of another household for the next slot.
func standing() Offer {
	return Offer{ID: types.OfferID{7}, Remaining: 5000, Offer: types.Offer{
		ChainID: "town", Producer: other, Asset: money, Price: types.Rate{Mantissa: 100}, Bond: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1, Fallback: &types.Meter{},
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 5000, Zone: "town", From: noon + quarter, Until: noon + 2*quarter,
			Flow: types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport},
		},
		Deadlines: types.Deadlines{PayBy: noon + 14*minute, DeliverBy: noon + quarter, ReadingBy: noon + 5*quarter, ConfirmBy: noon + 9*quarter},
	}}
}

// Nobody but the owner chooses an arbiter: the producer of an offer would name a friend.
func TestNoTakeWithAnArbiter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terms types.Fallback
		takes bool
	}{{&types.Meter{}, true}, {&types.Hold{}, true}, {&types.Arbiter{Key: types.PublicKey{9}}, false}} {
		v, offer := viewAt(round), standing()
		offer.Offer.Fallback = c.terms
		v.Offers = []Offer{offer}
		s := State{Setup: setup(func(s *Setup) { s.Direct.Take, s.Limits.Terms = true, []string{"meter", "hold", "arbiter"} })}
		_, acts, _ := see(t, s, v)
		if takes := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Take); return ok }); takes != c.takes {
			t.Errorf("%s: %v", types.FallbackKind(c.terms), acts)
		}
	}
}

// While the agent's bid can't be withdrawn any more, an offer is not taken in its place: both would be bought.
func TestNoTakeBesideALateBid(t *testing.T) {
	t.Parallel()
	offer := standing()
	for name, c := range map[string]struct {
		now   types.Time
		bid   uint64
		takes uint64
	}{
		"withdrawable": {noon + 9*minute, 600, 1000},
		"late":         {noon + 9*minute + 50_000, 600, 400},
		"late, all":    {noon + 9*minute + 50_000, 1000, 0},
		"late, no bid": {noon + 9*minute + 50_000, 0, 1000},
	} {
		v := viewAt(c.now)
		v.Offers = []Offer{offer}
		if c.bid > 0 {
			v.Orders = []Order{own(c.bid)}
		}
		s := State{Setup: setup(func(s *Setup) { s.Direct.Take = true }), Grace: v.Height, Graced: v.BlockTime}
		_, acts, _ := see(t, s, v)
		takes := uint64(0)
		for _, act := range acts {
			if take, ok := act.(Take); ok {
				takes += take.Quantity
			}
		}
		if takes != c.takes {
			t.Errorf("%s: it takes %d, want %d: %v", name, takes, c.takes, acts)
		}
	}
}

// Rates are compared exactly, however many digits they have.
func TestCompareRates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b types.Rate
		want int
	}{
		{types.Rate{Mantissa: 1 << 60, Exponent: 17}, types.Rate{Mantissa: 1<<61 + 1, Exponent: 18}, 1},
		{types.Rate{Mantissa: 1<<61 + 1, Exponent: 18}, types.Rate{Mantissa: 1 << 60, Exponent: 17}, -1},
		{types.Rate{Mantissa: 5, Exponent: 1}, types.Rate{Mantissa: 500, Exponent: 3}, 0},
		{types.Rate{}, types.Rate{Mantissa: 1, Exponent: 18}, -1},
	} {
		if got := compareRates(c.a, c.b); got != c.want {
			t.Errorf("%s against %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// A record that is refused, since the ledger has it, does not keep the other records of its slot back.
func TestRefusedRecord(t *testing.T) {
	t.Parallel()
	deal := matched(func(t *types.Trade) { t.Agreement.Producer, t.Agreement.Consumer = me, other })
	v := viewAt(noon + quarter + 9*minute)
	v.Trades, v.Slots = []Trade{deal}, []Slot{{From: noon, Claims: 1, Read: 300}}
	s := State{Setup: setup(func(s *Setup) { quiet(s); s.Flow = deal.Trade.Agreement.Goods.Flow })}
	for i, wh := range []uint64{300, 200} {
		s, _ = Step(s, Signed{Record{Slot: noon, Quantity: wh, Bytes: types.HexBytes{byte(i)}}})
	}
	var last []Act
	for range 3 { // both together, the known one, the other one
		s, last, _ = see(t, s, v)
		if s.Pending == nil {
			t.Fatal("the records are not posted")
		}
		s, _ = Step(s, Outcome{Code: types.CodeSecret, Height: v.Height})
		v.Height, v.BlockTime, v.Clock = v.Height+1, v.BlockTime+1000, v.Clock+1000
	}
	if read, ok := last[0].(Read); !ok || len(last) != 1 || read.Records[0][0] != 1 {
		t.Errorf("%+v", last)
	}
}

// A node that shows goods of no quantity, which no ledger has, does not end the agent.
func TestNoQuantity(t *testing.T) {
	t.Parallel()
	deal := matched(func(t *types.Trade) { t.Agreement.Goods.Quantity, t.Agreement.Fallback = 0, &types.Hold{} })
	v := viewAt(noon + quarter + 9*minute)
	v.Trades = []Trade{deal}
	s := State{Setup: setup(func(s *Setup) { quiet(s); s.Evidence = ByMeter })}
	s, _ = Step(s, Metered{From: noon, Use: 700})
	if _, acts, _ := see(t, s, v); released(acts) != 0 {
		t.Errorf("%v", acts)
	}
}

// Nobody can make a trade whose acts have the names of those of another trade.
func TestNamesOfActs(t *testing.T) {
	t.Parallel()
	a, b := types.TradeID{1, 2, 3, 4}, types.TradeID{1, 2, 3, 4, 5}
	of := func(id types.TradeID) []Act {
		return []Act{Pay{Trade{ID: id}}, Deliver{Trade{ID: id}}, Release{Trade{ID: id}, 1}, Settle{Trade{ID: id}}, Collect{Trade{ID: id}}, Divide{Trade: Trade{ID: id}}, Cancel{ID: types.OfferID(id)}}
	}
	for i, act := range of(a) {
		if act.Name() == of(b)[i].Name() {
			t.Errorf("%s of two trades", act.Name())
		}
	}
}

// An offer can't be taken in more parts than its producer can serve.
func TestPartsOfAnOffer(t *testing.T) {
	t.Parallel()
	for quantity, least := range map[uint64]uint64{1: 1, 64: 1, 65: 2, 6400: 100} {
		s := State{Setup: setup(func(s *Setup) {
			s.Strategy = plan.Strategy{Sell: &plan.Side{Amount: plan.Fixed(quantity), Limit: plan.FixedLimit(280_000_000)}}
			s.Direct = Direct{Offer: true, Terms: &types.Hold{}, Deposit: 1000, Bond: 1000}
		})}
		_, acts, _ := see(t, s, viewAt(round))
		if len(acts) != 1 {
			t.Fatalf("%d: %v", quantity, acts)
		}
		if post, ok := acts[0].(Post); !ok || post.Offer.Goods.Quantity != quantity || post.Offer.MinFill != least {
			t.Errorf("%d: %+v", quantity, acts)
		}
	}
}
