package agent

import (
	"slices"
	"testing"

	"lockstep/internal/agent/plan"
	"lockstep/trade"
	"lockstep/types"
)

// noon is the beginning of a slot; the agent of the tests looks a few minutes into it.
const (
	noon    = types.Time(1_780_056_000_000)
	quarter = types.Time(15 * 60_000)
	minute  = types.Time(60_000)
)

var (
	me    = types.PublicKey{0, 1} // its rounds are at the last moment
	other = types.PublicKey{2}
	money = types.AssetID{3}
)

func setup(edit func(*Setup)) *Setup {
	s := &Setup{
		Key: me, Params: types.DefaultParams("town"), Market: Market{Zone: "town", Asset: money, Decimals: 6},
		Strategy: plan.Strategy{Buy: &plan.Side{Amount: plan.Fixed(1000), Limit: plan.FixedLimit(280_000_000)}},
		Limits:   Limits{PerDay: 1_000_000, Exposure: 2_000_000, Terms: []string{"meter", "hold"}, Assets: []types.AssetID{money}},
		Ahead:    1, Keep: 7 * dayLong,
	}
	if edit != nil {
		edit(s)
	}
	return s
}

func viewAt(now types.Time) View {
	return View{
		Height: uint64(now / 1000), BlockTime: now, Clock: now, Money: Money{Spendable: 10_000_000},
		Anchor: types.Coin{Outpoint: types.Outpoint{Tx: types.TxID{5}}, Asset: money, Amount: 10_000_000},
	}
}

// round is a moment of the round before the slot at noon + quarter.
const round = noon + 9*minute

// see brings a view to an agent, and returns the acts of its transaction.
func see(t *testing.T, s State, v View) (State, []Act, []NoticeKind) {
	t.Helper()
	next, effects := Step(s, Seen{v})
	var acts []Act
	var kinds []NoticeKind
	for _, effect := range effects {
		switch e := effect.(type) {
		case Transact:
			if acts != nil {
				t.Fatal("two transactions at a time")
			}
			acts = e.Acts
			if e.Anchor != v.Anchor {
				t.Errorf("the anchor is %+v", e.Anchor)
			}
		case Tell:
			kinds = append(kinds, e.Notice.Kind)
		case Sign:
		}
	}
	return next, acts, kinds
}

func placed(t *testing.T, acts []Act) *types.Order {
	t.Helper()
	for _, act := range acts {
		if place, ok := act.(Place); ok {
			return &place.Order
		}
	}
	return nil
}

func TestRoundOfAnOrder(t *testing.T) {
	t.Parallel()
	s := State{Setup: setup(nil)}
	for _, c := range []struct {
		now  types.Time
		slot types.Time // zero: no order yet
	}{
		{noon + 9*minute - 1, 0}, // withdrawable until 9:30 into the slot, less the smallest window
		{noon + 9*minute, noon + quarter},
		{noon + 9*minute + 50_000, noon + quarter}, // late, until shortly before the gate
		{noon + 9*minute + 50_001, 0},
	} {
		_, acts, _ := see(t, s, viewAt(c.now))
		order := placed(t, acts)
		switch {
		case c.slot == 0 && order != nil, c.slot != 0 && (order == nil || order.Product.From != c.slot):
			t.Errorf("at %s: %+v", c.now, order)
		case order != nil && (order.Side != types.Bid || order.Quantity != 1000 || order.Limit != 280 || order.Number != 7):
			t.Errorf("%+v", order)
		}
	}
}

// A round that was missed, as when the node was away, is made up for with the next view.
func TestMissedRound(t *testing.T) {
	t.Parallel()
	s, acts, _ := see(t, State{Setup: setup(nil)}, viewAt(noon+minute))
	if acts != nil {
		t.Fatalf("too early: %v", acts)
	}
	if _, acts, _ := see(t, s, viewAt(noon+quarter+8*minute)); placed(t, acts) == nil || placed(t, acts).Product.From != noon+2*quarter {
		t.Errorf("a missed round: %v", acts)
	}
	s, _, _ = see(t, s, viewAt(round))
	s, _ = Step(s, Outcome{Height: 1})
	if _, acts, _ := see(t, s, viewAt(noon+quarter+8*minute)); acts != nil {
		t.Errorf("no round was missed: %v", acts)
	}
}

// An order is never above the sums that the limits and the money leave: by one unit more it has one lot more.
func TestLimitsOfAnOrder(t *testing.T) {
	t.Parallel()
	const each = 280 + 10 // limit and deposit of a lot
	for name, c := range map[string]struct {
		edit func(*Setup, *View)
		lots uint64
	}{
		"enough":                {func(*Setup, *View) {}, 1000},
		"a day":                 {func(s *Setup, _ *View) { s.Limits.PerDay = 280 * 100 }, 100},
		"a day, less one":       {func(s *Setup, _ *View) { s.Limits.PerDay = 280*100 - 1 }, 99},
		"a day, nothing":        {func(s *Setup, _ *View) { s.Limits.PerDay = 279 }, 0},
		"exposure":              {func(s *Setup, _ *View) { s.Limits.Exposure = each * 100 }, 100},
		"exposure, less one":    {func(s *Setup, _ *View) { s.Limits.Exposure = each*100 - 1 }, 99},
		"exposure, locked":      {func(s *Setup, v *View) { s.Limits.Exposure, v.Money.Locked = each*100, 1 }, 99},
		"exposure, in orders":   {func(s *Setup, v *View) { s.Limits.Exposure, v.Money.InOrders = each*100, each*99 }, 1},
		"money":                 {func(_ *Setup, v *View) { v.Money.Spendable = each * 100 }, 100},
		"money, less one":       {func(_ *Setup, v *View) { v.Money.Spendable = each*100 - 1 }, 99},
		"money, with a reserve": {func(s *Setup, v *View) { s.Limits.Reserve, v.Money.Spendable = each, each*100 }, 99},
		"spent today": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Spent = []Spent{{At: v.Clock - types.Time(dayLong) + 1, Price: 280 * 60, Asset: money}}
		}, 40},
		"spent a day ago": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Spent = []Spent{{At: v.Clock - types.Time(dayLong), Price: 280 * 60, Asset: money}}
		}, 100},
		"spent in other money": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Spent = []Spent{{At: v.Clock, Price: 280 * 60, Asset: types.AssetID{9}}}
		}, 100},
		"a bid by hand": {func(s *Setup, v *View) {
			s.Limits.PerDay = 280 * 100
			v.Orders = []Order{{Order: types.Order{Side: types.Bid, Quantity: 30, Lot: 1, Limit: 280, Product: types.Product{Asset: money, From: noon + 9*quarter}}}}
		}, 70},
		"other terms":     {func(s *Setup, _ *View) { s.Limits.Terms = []string{"hold"} }, 0},
		"another asset":   {func(s *Setup, _ *View) { s.Limits.Assets = nil }, 0},
		"a limit of zero": {func(s *Setup, _ *View) { s.Strategy.Buy.Limit = plan.FixedLimit(999_999) }, 0},
	} {
		v := viewAt(round)
		s := State{Setup: setup(func(s *Setup) { c.edit(s, &v) })}
		_, acts, kinds := see(t, s, v)
		order := placed(t, acts)
		if order == nil && c.lots > 0 || order != nil && order.Lots() != c.lots {
			t.Errorf("%s: %+v, want %d lots", name, order, c.lots)
		}
		if c.lots > 0 && c.lots < 1000 && !slices.Contains(kinds, NoticeLimit) && !slices.Contains(kinds, NoticeFunds) {
			t.Errorf("%s: nobody was told", name)
		}
	}
}

// matched is a trade of an auction, delivered, in the slot at noon.
func matched(edit func(*types.Trade)) Trade {
	a := types.Agreement{
		ChainID: "town", Producer: other, Consumer: me, Asset: money, Price: 100, Deposit: 10, Bond: 10, Instalments: 1, Fallback: &types.Meter{},
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 500, Zone: "town", From: noon, Until: noon + quarter,
			Flow: types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport},
		},
		Deadlines: types.Deadlines{PayBy: noon - 5*minute, DeliverBy: noon, ReadingBy: noon + 5*quarter, ConfirmBy: noon + 9*quarter},
	}
	t := types.Trade{Agreement: a, Phase: types.PhaseDelivered, Height: 10, Steps: []types.Step{{Kind: types.StepMatched, At: noon - 5*minute}}}
	if edit != nil {
		edit(&t)
	}
	t.Locked = trade.Locks(&t)
	return Trade{ID: t.ID(), Trade: t, Believed: true}
}

func quiet(s *Setup) { s.Strategy = plan.Strategy{} }

func released(acts []Act) (k uint16) {
	for _, act := range acts {
		if release, ok := act.(Release); ok {
			k = release.Instalment
		}
	}
	return k
}

// The secret leaves when the goods came, and at no other time.
func TestReleaseNeedsTheGoods(t *testing.T) {
	t.Parallel()
	hold := func(t *types.Trade) { t.Agreement.Fallback, t.Agreement.Instalments = &types.Hold{}, 5 }
	now := noon + quarter + 9*minute
	used := func(wh uint64) plan.History { return plan.History{{From: noon, Wh: wh}} }
	for name, c := range map[string]struct {
		trade   Trade
		reading uint64
		edit    func(*State, *View)
		k       uint16
		asked   bool
	}{
		"read in full":            {trade: matched(nil), reading: 500, k: 1},
		"read short by one":       {trade: matched(nil), reading: 499},
		"not read":                {trade: matched(nil)},
		"a word does not help":    {trade: matched(nil), reading: 499, edit: func(s *State, v *View) { s.Words = []Word{{v.Trades[0].ID, true}} }},
		"not believed":            {trade: matched(nil), reading: 500, edit: func(_ *State, v *View) { v.Trades[0].Believed = false }},
		"of the other side":       {trade: matched(func(t *types.Trade) { t.Agreement.Producer, t.Agreement.Consumer = me, other }), reading: 500},
		"hold":                    {trade: matched(hold), asked: true},
		"hold, with the word":     {trade: matched(hold), edit: func(s *State, v *View) { s.Words = []Word{{v.Trades[0].ID, true}} }, k: 5},
		"hold, with another word": {trade: matched(hold), edit: func(s *State, _ *View) { s.Words = []Word{{types.TradeID{1}, true}} }, asked: true},
		"hold, the word is no":    {trade: matched(hold), edit: func(s *State, v *View) { s.Words = []Word{{v.Trades[0].ID, false}} }, asked: true},
		"hold, own meter unasked": {trade: matched(hold), edit: func(s *State, _ *View) { s.Use = used(500) }, asked: true},
		"hold, by the meter":      {trade: matched(hold), edit: func(s *State, _ *View) { s.Setup.Evidence, s.Use = ByMeter, used(500) }, k: 5},
		"hold, a part":            {trade: matched(hold), edit: func(s *State, _ *View) { s.Setup.Evidence, s.Use = ByMeter, used(499) }, k: 4},
		"hold, a smaller part":    {trade: matched(hold), edit: func(s *State, _ *View) { s.Setup.Evidence, s.Use = ByMeter, used(99) }, asked: true},
		"hold, a meter but no": {trade: matched(hold), edit: func(s *State, v *View) {
			s.Setup.Evidence, s.Use, s.Words = ByMeter, used(500), []Word{{v.Trades[0].ID, false}}
		}, asked: true},
		"hold, another slot": {trade: matched(hold), edit: func(s *State, _ *View) {
			s.Setup.Evidence, s.Use = ByMeter, plan.History{{From: noon - quarter, Wh: 500}}
		}, asked: true},
		"hold, counted for others": {trade: matched(hold), edit: func(s *State, v *View) {
			s.Setup.Evidence, s.Use = ByMeter, used(899)
			v.Spent = []Spent{{ID: types.TradeID{1}, Height: 9, From: noon, Until: noon + quarter, Quantity: 500, At: noon}}
		}, k: 3},
		"hold, counted for a later one": {trade: matched(hold), edit: func(s *State, v *View) {
			s.Setup.Evidence, s.Use = ByMeter, used(899)
			v.Spent = []Spent{{ID: types.TradeID{1}, Height: 11, From: noon, Until: noon + quarter, Quantity: 500, At: noon}}
		}, k: 5},
		"hold, agreed long ago": {trade: matched(func(t *types.Trade) { hold(t); t.Steps[0].At = now - types.Time(maxRemembered) - 1 }),
			edit: func(s *State, _ *View) { s.Setup.Evidence, s.Use = ByMeter, used(500) }, asked: true},
	} {
		v := viewAt(now)
		c.trade.Reading = c.reading
		v.Trades = []Trade{c.trade}
		s := State{Setup: setup(quiet)}
		if c.edit != nil {
			c.edit(&s, &v)
		}
		_, acts, kinds := see(t, s, v)
		if k := released(acts); k != c.k || slices.Contains(kinds, NoticeWord) != c.asked {
			t.Errorf("%s: released up to %d, want %d; %v", name, k, c.k, kinds)
		}
	}
}

// A step waits for the round, unless its deadline is less than a slot, or the smallest window, away.
func TestUrgency(t *testing.T) {
	t.Parallel()
	v := viewAt(noon + quarter + minute)
	deal := matched(nil)
	deal.Reading = 500
	long := func(s *Setup) { quiet(s); s.Params.MinWindow = types.Duration(quarter + minute) }
	for name, c := range map[string]struct {
		setup     func(*Setup)
		confirmBy types.Time
		acts      int
	}{
		"later":         {quiet, v.Clock + quarter + 1, 0},
		"a slot away":   {quiet, v.Clock + quarter, 1},
		"later still":   {long, v.Clock + quarter + minute + 1, 0},
		"a window away": {long, v.Clock + quarter + minute, 1},
		"now":           {quiet, v.Clock, 1},
		"too late now":  {quiet, v.Clock - 1, 0}, // the trade machine offers no release, and the consumer does not settle a trade read in full
	} {
		urgent := deal
		urgent.Trade.Agreement.Deadlines.ConfirmBy, urgent.Trade.Agreement.Deadlines.ReadingBy = c.confirmBy, noon+quarter
		urgent.ID = urgent.Trade.ID()
		v.Trades = []Trade{urgent}
		if _, acts, _ := see(t, State{Setup: setup(c.setup), Round: noon + 2*quarter}, v); len(acts) != c.acts {
			t.Errorf("%s: %v", name, acts)
		}
	}
}

// The side that gains settles at once, the other one a slot later.
func TestSettle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		producer bool
		reading  uint64
		after    types.Time
		settles  bool
	}{
		"consumer of nothing":            {false, 0, 1, true},
		"consumer of a part":             {false, 100, 1, false},
		"consumer of a part, later":      {false, 100, quarter, false},
		"consumer of a part, much later": {false, 100, quarter + 1, true},
		"producer of a part":             {true, 100, 1, true},
		"producer of nothing":            {true, 0, 1, false},
		"before confirm-by":              {true, 100, 0, false},
	} {
		deal := matched(func(t *types.Trade) {
			if c.producer {
				t.Agreement.Producer, t.Agreement.Consumer = me, other
			}
		})
		deal.Reading = c.reading
		now := deal.Trade.Agreement.Deadlines.ConfirmBy + c.after
		v := viewAt(now)
		v.Trades = []Trade{deal}
		s := State{Setup: setup(quiet), Most: 1}
		_, acts, _ := see(t, s, v)
		settles := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Settle); return ok })
		if settles != c.settles {
			t.Errorf("%s: %v", name, acts)
		}
	}
}

// A delivery locks the bond: within the exposure, however little may be paid in a day.
func TestDeliver(t *testing.T) {
	t.Parallel()
	paid := func(edit func(*types.Trade)) Trade {
		return matched(func(t *types.Trade) {
			t.Agreement.Producer, t.Agreement.Consumer, t.Agreement.Fallback = me, other, &types.Hold{}
			t.Agreement.Goods.From, t.Agreement.Goods.Until, t.Agreement.Goods.Flow = noon+quarter, noon+2*quarter, types.Flow{}
			t.Agreement.Deadlines = types.Deadlines{PayBy: noon, DeliverBy: noon + quarter, ReadingBy: noon + 3*quarter, ConfirmBy: noon + 4*quarter}
			t.Phase, t.Agreement.Nonce = types.PhasePaid, 1
			if edit != nil {
				edit(t)
			}
		})
	}
	for name, c := range map[string]struct {
		trade    Trade
		edit     func(*Setup, *State, *View)
		delivers bool
	}{
		"paid":          {paid(nil), nil, true},
		"nothing a day": {paid(nil), func(s *Setup, _ *State, _ *View) { s.Limits.PerDay = 0 }, true},
		"the bond fits": {paid(nil), func(s *Setup, _ *State, _ *View) { s.Limits.Exposure = 10 }, true},
		"too exposed":   {paid(nil), func(s *Setup, _ *State, _ *View) { s.Limits.Exposure = 9 }, false},
		"no money":      {paid(nil), func(_ *Setup, _ *State, v *View) { v.Money.Spendable = 9 }, false},
		"not believed":  {paid(nil), func(_ *Setup, _ *State, v *View) { v.Trades[0].Believed = false }, false},
		"other terms":   {paid(nil), func(s *Setup, _ *State, _ *View) { s.Limits.Terms = []string{"meter"} }, false},
		"a bond of another asset": {paid(nil), func(s *Setup, _ *State, _ *View) {
			s.Market.Asset, s.Limits.Assets = types.AssetID{4}, []types.AssetID{{4}, money}
		}, false},
		"a parcel": {paid(func(t *types.Trade) { t.Agreement.Goods.Commodity = "parcel" }), nil, false},
		"a parcel by word": {paid(func(t *types.Trade) { t.Agreement.Goods.Commodity = "parcel" }),
			func(_ *Setup, s *State, v *View) { s.Words = []Word{{v.Trades[0].ID, true}} }, true},
	} {
		v := viewAt(round)
		v.Trades = []Trade{c.trade}
		s := State{Setup: setup(quiet)}
		if c.edit != nil {
			c.edit(s.Setup, &s, &v)
		}
		_, acts, _ := see(t, s, v)
		if delivers := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Deliver); return ok }); delivers != c.delivers {
			t.Errorf("%s: %v", name, acts)
		}
	}
}

func TestReadings(t *testing.T) {
	t.Parallel()
	flow := types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport}
	deal := matched(func(t *types.Trade) { t.Agreement.Producer, t.Agreement.Consumer = me, other })
	for name, c := range map[string]struct {
		records []uint64
		read    uint64
		want    []int // records of each act
	}{
		"one":              {[]uint64{300}, 0, []int{1}},
		"two":              {[]uint64{300, 200}, 0, []int{2}},
		"known":            {[]uint64{300, 200}, 500, nil},
		"one of two known": {[]uint64{300, 200}, 300, []int{1, 1}},
		"no energy":        {[]uint64{0}, 0, nil},
		"many":             {[]uint64{1, 2, 3, 4, 5}, 0, []int{1, 1, 1, 1, 1}},
		"none":             {nil, 0, nil},
	} {
		v := viewAt(noon + quarter + 9*minute)
		v.Trades, v.Slots = []Trade{deal}, []Slot{{From: noon, Claims: 1, Read: c.read}}
		s := State{Setup: setup(func(s *Setup) { quiet(s); s.Flow = flow })}
		for i, wh := range c.records {
			s, _ = Step(s, Signed{Record{Slot: noon, Quantity: wh, Bytes: types.HexBytes{byte(i)}}})
			s, _ = Step(s, Signed{Record{Slot: noon, Quantity: wh, Bytes: types.HexBytes{byte(i)}}}) // again
		}
		_, acts, _ := see(t, s, v)
		var got []int
		for _, act := range acts {
			if read, ok := act.(Read); ok {
				got = append(got, len(read.Records))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// One transaction is on its way at a time, a refusal takes its acts apart, and only the refused one waits.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	deal := matched(nil)
	deal.Reading = 500
	v := viewAt(noon + quarter + 9*minute)
	v.Trades = []Trade{deal}
	s, acts, _ := see(t, State{Setup: setup(nil)}, v)
	if len(acts) != 2 {
		t.Fatalf("%v", acts)
	}
	if _, more, _ := see(t, s, v); more != nil {
		t.Errorf("a second transaction while one is on its way: %v", more)
	}
	done, _ := Step(s, Outcome{Tx: types.TxID{1}, Height: v.Height + 5, Code: types.CodeOK})
	if _, more, _ := see(t, done, v); more != nil {
		t.Errorf("decided by a view from before the last transaction: %v", more)
	}
	stale, _ := Step(s, Outcome{Tx: types.TxID{1}, Code: types.CodeInputMissing})
	if _, again, _ := see(t, stale, v); len(again) != 2 {
		t.Errorf("after a conflict: %v", again)
	}
	refused, effects := Step(s, Outcome{Tx: types.TxID{1}, Code: types.CodeSecret, Detail: "no"})
	if len(effects) != 1 {
		t.Errorf("a refusal is told: %v", effects)
	}
	first, alone, _ := see(t, refused, v)
	if len(alone) != 1 || released(alone) != 1 {
		t.Fatalf("after a refusal: %v", alone)
	}
	first, _ = Step(first, Outcome{Tx: types.TxID{2}, Code: types.CodeSecret})
	second, alone, _ := see(t, first, v)
	if len(alone) != 1 || placed(t, alone) == nil {
		t.Fatalf("after a second refusal: %v", alone)
	}
	if second.Pending == nil || len(second.Made) != 2 {
		t.Errorf("%+v", second.Made)
	}
}

// A refused act among many is found by halves, and the others go on together: an agent whose transaction is refused keeps up with its trades.
func TestRefusedActIsFound(t *testing.T) {
	t.Parallel()
	var trades []Trade
	for nonce := range uint64(16) {
		deal := matched(func(t *types.Trade) { t.Agreement.Nonce = nonce })
		deal.Reading = 500
		trades = append(trades, deal)
	}
	for bad := range trades {
		s, sent := State{Setup: setup(quiet)}, 0
		for open := slices.Clone(trades); len(open) > 1; sent++ {
			v := viewAt(noon + quarter + 9*minute + types.Time(sent))
			v.Trades = open
			var acts []Act
			if s, acts, _ = see(t, s, v); len(acts) == 0 || sent > 16 {
				t.Fatalf("act %d: after %d transactions %d trades are left, and the agent does nothing", bad, sent, len(open))
			}
			end, done := Outcome{Tx: types.TxID{byte(sent + 1)}, Height: v.Height, Code: types.CodeOK}, map[types.TradeID]bool{}
			for _, act := range acts {
				done[act.(Release).Trade.ID] = true
			}
			if done[trades[bad].ID] {
				end.Code, done = types.CodeSecret, nil
			}
			open = slices.DeleteFunc(open, func(deal Trade) bool { return done[deal.ID] })
			s, _ = Step(s, end)
		}
		if sent > 12 { // one by one it would be 17
			t.Errorf("act %d: %d transactions", bad, sent)
		}
	}
}

// Acts that must not be done twice wait for an anchor; a purse is made into one.
func TestAnchor(t *testing.T) {
	t.Parallel()
	offer := types.Offer{
		ChainID: "town", Producer: other, Asset: money, Price: types.Rate{Mantissa: 100}, Deposit: types.Rate{Mantissa: 1}, Bond: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1,
		Goods:     types.Goods{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 800, Zone: "town", From: noon + quarter, Until: noon + 2*quarter},
		Deadlines: types.Deadlines{PayBy: noon + 14*minute, DeliverBy: noon + quarter, ReadingBy: noon + 9*quarter, ConfirmBy: noon + 12*quarter}, Fallback: &types.Hold{},
	}
	takes := func(s *Setup) { s.Direct.Take = true; s.Limits.Terms = []string{"hold"} }
	v := viewAt(round)
	v.Offers = []Offer{{offer.ID(), offer, 800}}
	_, acts, _ := see(t, State{Setup: setup(takes)}, v)
	take, ok := acts[0].(Take)
	if !ok || take.Quantity != 800 || len(acts) != 1 {
		t.Fatalf("%v", acts)
	}
	v.Anchor = types.Coin{}
	if _, acts, _ := see(t, State{Setup: setup(takes)}, v); acts != nil {
		t.Errorf("without an anchor: %v", acts)
	}
	v.Purse = types.Coin{Asset: money, Amount: 5}
	_, acts, _ = see(t, State{Setup: setup(takes)}, v)
	if gather, ok := acts[0].(Gather); !ok || len(acts) != 1 || len(gather.Coins) != 1 {
		t.Errorf("with a purse: %v", acts)
	}
	for name, edit := range map[string]func(*types.Offer){
		"too dear":        func(o *types.Offer) { o.Price = types.Rate{Mantissa: 2801, Exponent: 1} },
		"no bond":         func(o *types.Offer) { o.Bond = types.Rate{} },
		"a large deposit": func(o *types.Offer) { o.Deposit = types.Rate{Mantissa: 501, Exponent: 1} },
		"its own":         func(o *types.Offer) { o.Producer = me },
		"another zone":    func(o *types.Offer) { o.Goods.Zone = "city" },
		"another slot":    func(o *types.Offer) { o.Goods.From += quarter; o.Goods.Until += quarter },
		"pay-by is over":  func(o *types.Offer) { o.Deadlines.PayBy = round - 1 },
		"another asset":   func(o *types.Offer) { o.Asset = types.AssetID{9} },
		"other terms":     func(o *types.Offer) { o.Fallback = &types.Arbiter{} },
		"too large":       func(o *types.Offer) { o.MinFill = 1001; o.Goods.Quantity = 2000 },
	} {
		bad := offer
		edit(&bad)
		v := viewAt(round)
		v.Offers = []Offer{{bad.ID(), bad, bad.Goods.Quantity}}
		if _, acts, _ := see(t, State{Setup: setup(takes)}, v); acts != nil {
			t.Errorf("%s: %v", name, acts)
		}
	}
	exact := offer
	exact.Price, exact.Deposit = types.Rate{Mantissa: 280}, types.Rate{Mantissa: 140}
	v = viewAt(round)
	v.Offers = []Offer{{exact.ID(), exact, 800}}
	if _, acts, _ := see(t, State{Setup: setup(takes)}, v); len(acts) != 1 {
		t.Errorf("at the limit: %v", acts)
	}
}

// A household that buys and sells in one auction would meet itself.
func TestNeverMeetsItself(t *testing.T) {
	t.Parallel()
	both := func(buy, sell uint64, ask plan.Price) *Setup {
		return setup(func(s *Setup) {
			s.Flow = types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport}
			s.Strategy.Buy.Amount = plan.Fixed(buy)
			s.Strategy.Sell = &plan.Side{Amount: plan.Fixed(sell), Limit: plan.FixedLimit(ask)}
		})
	}
	for _, c := range []struct {
		buy, sell  uint64
		ask        plan.Price
		bid, offer uint64
	}{
		{600, 200, 100_000_000, 400, 0}, {200, 600, 100_000_000, 0, 400}, {500, 500, 100_000_000, 0, 0}, {600, 200, 280_000_000, 400, 0},
		{600, 200, 281_000_000, 600, 200},
	} {
		_, acts, _ := see(t, State{Setup: both(c.buy, c.sell, c.ask)}, viewAt(round))
		var bid, offer uint64
		for _, act := range acts {
			if place, ok := act.(Place); ok && place.Order.Side == types.Bid {
				bid = place.Order.Quantity
			} else if ok {
				offer = place.Order.Quantity
			}
		}
		if bid != c.bid || offer != c.offer {
			t.Errorf("%+v: bids %d, offers %d", c, bid, offer)
		}
	}
}

// An order of an agent's number that this agent did not place is a twin's, unless it can be of an earlier run.
func TestTwinIsNoticed(t *testing.T) {
	t.Parallel()
	s := State{Setup: setup(nil)}
	s, _, _ = see(t, s, viewAt(noon))
	v := viewAt(noon + types.Time(Validity(&s.Setup.Params)))
	order := func(number uint8, height uint64) []Order {
		return []Order{{types.Order{Side: types.Bid, Number: number, Product: types.Product{From: noon + 4*quarter}}, types.TxID{8}, height}}
	}
	for name, c := range map[string]struct {
		orders []Order
		at     types.Time
		made   []types.TxID
		twin   bool
	}{
		"of an earlier run": {order(7, v.Height), v.BlockTime, nil, false},
		"another's":         {order(7, v.Height+2), v.BlockTime + 2000, nil, true},
		"by hand":           {order(0, v.Height+2), v.BlockTime + 2000, nil, false},
		"its own":           {order(7, v.Height+2), v.BlockTime + 2000, []types.TxID{{8}}, false},
	} {
		state := s
		state.Made = c.made
		state, _, _ = see(t, state, v)
		later := viewAt(c.at)
		later.Orders = c.orders
		after, _, kinds := see(t, state, later)
		if slices.Contains(kinds, NoticeTwin) != c.twin || (after.Standby > 0) != c.twin {
			t.Errorf("%s: %v", name, kinds)
		}
		if !c.twin {
			continue
		}
		if _, acts, _ := see(t, after, viewAt(round)); acts != nil {
			t.Errorf("it stands back, and does %v", acts)
		}
		if _, acts, _ := see(t, after, viewAt(round+3*quarter)); len(acts) != 1 {
			t.Errorf("the other has been silent, and it does %v", acts)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	deal := matched(nil)
	deal.Reading = 500
	v := viewAt(noon + quarter + 9*minute)
	v.Trades = []Trade{deal}
	s, _ := Step(State{Setup: setup(nil)}, Pause{true})
	if _, acts, _ := see(t, s, v); len(acts) != 1 || released(acts) != 1 {
		t.Errorf("a paused agent ends its trades and orders nothing: %v", acts)
	}
}
