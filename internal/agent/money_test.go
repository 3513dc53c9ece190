package agent

import (
	"slices"
	"testing"

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

// While the agent's bid can't be withdrawn any more, an offer is not taken in its place: both would be bought.
func TestNoTakeBesideALateBid(t *testing.T) {
	t.Parallel()
	bound := types.Rate{Mantissa: 1}
	offer := Offer{ID: types.OfferID{7}, Remaining: 5000, Offer: types.Offer{
		ChainID: "town", Producer: other, Asset: money, Price: types.Rate{Mantissa: 100}, Bond: bound, MinFill: 1, Instalments: 1, Fallback: &types.Meter{},
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 5000, Zone: "town", From: noon + quarter, Until: noon + 2*quarter,
			Flow: types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport},
		},
		Deadlines: types.Deadlines{PayBy: noon + 14*minute, DeliverBy: noon + quarter, ReadingBy: noon + 5*quarter, ConfirmBy: noon + 9*quarter},
	}}
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
