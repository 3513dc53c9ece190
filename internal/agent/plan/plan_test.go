package plan

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"lockstep/types"
)

const (
	quarter = types.Time(15 * 60 * 1000)
	oneDay  = 96 * quarter
	begin   = 20_000 * oneDay // midnight, UTC
)

func slotAt(n int) Situation {
	from := begin + types.Time(n)*quarter
	return Situation{From: from, Until: from + quarter, Now: from - 10*60*1000}
}

func parse(t *testing.T, text string) Price {
	t.Helper()
	p, err := ParsePrice(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParsePrice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Price{"0.285": 285_000_000, "-0.01": -10_000_000, "0": 0, "1": 1_000_000_000, "0.000000001": 1, "-0": 0} {
		if got := parse(t, text); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
	for _, text := range []string{"", "-", "--1", "1e3", "0.0000000001", "5000000000", "1,5", " 1", "+1", "99999999999999999999999999999999999999999"} {
		if p, err := ParsePrice(text); err == nil {
			t.Errorf("%q was read as %s", text, p)
		}
	}
	for text, want := range map[string]string{"0.285": "0.285", "-0.01": "-0.01", "3": "3.00", "0.5": "0.50"} {
		if got := parse(t, text).String(); got != want {
			t.Errorf("%s is written %s", text, got)
		}
	}
}

// A limit is rounded to the grid in the household's favour, and never above the ceiling.
func TestLotPrice(t *testing.T) {
	t.Parallel()
	grid := &types.Grid{Lot: 1, Tick: 1, Ceiling: 500}     // of a currency with 6 decimals: 0.001 a kWh
	coarse := &types.Grid{Lot: 100, Tick: 5, Ceiling: 500} // 0.05 a kWh
	for _, c := range []struct {
		price    string
		grid     *types.Grid
		decimals uint8
		bid      types.Amount
		sell     types.Amount
	}{
		{"0.285", grid, 6, 285, 285},
		{"0.2859", grid, 6, 285, 286},
		{"0.285000001", grid, 6, 285, 286},
		{"0.5", grid, 6, 500, 500},
		{"0.500000001", grid, 6, 500, 500},
		{"7", grid, 6, 500, 500},
		{"0", grid, 6, 0, 0},
		{"-0.1", grid, 6, 0, 0},
		{"0.000000001", grid, 6, 0, 1},
		{"0.28", coarse, 3, 25, 30},
		{"0.25", coarse, 3, 25, 25},
		{"0.28", grid, 18, 500, 500},
	} {
		p := parse(t, c.price)
		if bid, sell := LotPrice(p, c.grid, c.decimals, types.Bid), LotPrice(p, c.grid, c.decimals, types.Sell); bid != c.bid || sell != c.sell {
			t.Errorf("%s with %d decimals: bid %d, offer %d, want %d, %d", c.price, c.decimals, bid, sell, c.bid, c.sell)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price    string
		decimals uint8
		want     string
	}{{"0.285", 6, "285"}, {"0.2855", 6, "285.5"}, {"0.285", 2, "0.0285"}, {"0", 2, "0"}, {"-1", 2, "0"}, {"0.1", 18, "100000000000000"}} {
		p := parse(t, c.price)
		rate := Rate(p, c.decimals)
		if rate.String() != c.want || !rate.Canonical() {
			t.Errorf("%s with %d decimals is %s, want %s", c.price, c.decimals, rate, c.want)
		}
		if p >= 0 && (!AtMost(rate, p, c.decimals) || rate.Mantissa > 0 && AtMost(types.Rate{Mantissa: rate.Mantissa + 1, Exponent: rate.Exponent}, p, c.decimals)) {
			t.Errorf("%s: the rate %s is not the highest that the price allows", c.price, rate)
		}
	}
}

func TestTariffs(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	byTime := ByTime{Bands: []Band{{0, 1}, {7 * 60, 2}, {22 * 60, 3}}, Zone: berlin}
	for at, want := range map[string]Price{
		"2026-07-01T04:59:59Z": 1, "2026-07-01T05:00:00Z": 2, "2026-07-01T19:59:59Z": 2, "2026-07-01T20:00:00Z": 3, "2026-07-01T22:00:00Z": 1,
		"2026-01-01T05:59:59Z": 1, "2026-01-01T06:00:00Z": 2, // winter
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := byTime.At(types.TimeOf(moment)); got != want || !ok {
			t.Errorf("%s: %d, want %d", at, got, want)
		}
	}
	curve := Curve{{100, 200, 1}, {200, 300, 2}, {400, 500, 3}}
	for at, want := range map[types.Time]Price{99: -1, 100: 1, 199: 1, 200: 2, 299: 2, 300: -1, 399: -1, 400: 3, 499: 3, 500: -1} {
		got, ok := curve.At(at)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
	joined := curve.Join(Curve{{250, 420, 9}, {500, 600, 4}}, 150)
	if len(joined) != 3 || joined[0].Price != 1 || joined[1].Price != 9 || joined[2].Price != 4 {
		t.Errorf("joined: %v", joined)
	}
	if len(curve.Join(nil, 200)) != 2 || len(curve.Join(nil, 199)) != 3 {
		t.Error("a point leaves when it ends")
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	s := slotAt(40)
	forecast := Forecast(Uses, 3, Fixed(7))
	if got := forecast(&s); got != 7 {
		t.Errorf("without a day it is %d", got)
	}
	for day, wh := range []uint64{100, 900, 301, 5000} {
		s.Use = s.Use.With(Measured{s.From - types.Time(day+1)*oneDay, wh}, 90*day1())
	}
	s.Use = s.Use.With(Measured{s.From - oneDay - quarter, 1}, 90*day1())
	if got := forecast(&s); got != 301 {
		t.Errorf("the median of three days is %d", got)
	}
	if got := Forecast(Uses, 2, Fixed(7))(&s); got != 500 {
		t.Errorf("the median of two days is %d", got)
	}
	if got := Percent(forecast, 50)(&s); got != 150 {
		t.Errorf("half of it is %d", got)
	}
	if got := Forecast(Makes, 3, Fixed(7))(&s); got != 7 {
		t.Errorf("another history gives %d", got)
	}
	kept := History{{0, 1}, {100, 2}}.With(Measured{200, 3}, 100)
	if len(kept) != 2 || kept[0].From != 100 {
		t.Errorf("kept %v", kept)
	}
	if again := kept.With(Measured{200, 4}, 100); len(again) != 2 || again[1].Wh != 4 {
		t.Errorf("measured again: %v", again)
	}
}

func day1() types.Duration { return types.Duration(oneDay) }

func TestBattery(t *testing.T) {
	t.Parallel()
	b := Battery{Capacity: 10_000, Reserve: 2_000, Power: 4_000} // 1,000 Wh a slot
	level := func(wh uint64) Situation { s := slotAt(0); s.Level = &wh; return s }
	for _, c := range []struct{ level, amount, buys, sells uint64 }{
		{2_000, 500, 500, 0}, {2_001, 500, 499, 0}, {1_000, 500, 500, 0}, {9_000, 500, 0, 0}, {9_000, 1_500, 500, 500},
		{9_600, 500, 0, 100}, {10_000, 500, 0, 500}, {11_000, 500, 0, 500},
	} {
		s := level(c.level)
		if buys, sells := b.Covers(Fixed(c.amount))(&s), b.Keeps(Fixed(c.amount))(&s); buys != c.buys || sells != c.sells {
			t.Errorf("at %d Wh: buys %d and sells %d of %d", c.level, buys, sells, c.amount)
		}
	}
	unknown := slotAt(0)
	if buys, sells := b.Covers(Fixed(500))(&unknown), b.Keeps(Fixed(500))(&unknown); buys != 500 || sells != 0 {
		t.Errorf("without a level: buys %d, sells %d", buys, sells)
	}
}

func TestChargeByPrice(t *testing.T) {
	t.Parallel()
	var curve Curve
	for i, price := range []Price{9, 3, 5, 1, 7, 2} { // slots 1 to 6
		from := begin + types.Time(i+1)*quarter
		curve = append(curve, Point{from, from + quarter, price})
	}
	charge := ChargeByPrice{Need: Fixed(2_500), Power: 4_000, By: ByTime{Bands: []Band{{Minute: 75}}, Zone: time.UTC}}
	want := []uint64{0, 1000, 500, 1000, 0, 0} // by 01:15 only slots 1 to 4 count
	for i := range want {
		s := slotAt(i + 1)
		s.Now, s.Tariff = begin+1, curve
		if got := charge.Amount(&s); got != want[i] {
			t.Errorf("slot %d: %d, want %d", i+1, got, want[i])
		}
	}
	// An energy of the whole day: a purchase for it counts also when its slot has passed.
	once := ChargeByPrice{Need: Fixed(2_500), Once: true, Power: 4_000, By: charge.By}
	for i, want := range []uint64{0, 0, 500, 0, 0, 0} {
		s := slotAt(i + 1)
		s.Now, s.Tariff = begin+2*quarter, curve // slots 1 and 2 have begun
		s.Bought = []Measured{{begin - types.Time(day), 9_000}, {begin + 2*quarter, 1_000}, {begin + 4*quarter, 1_000}}
		if s.From == begin+4*quarter {
			want = 1_000 // of which all is bought
		}
		if got := once.Amount(&s); got != want {
			t.Errorf("slot %d after a purchase: %d, want %d", i+1, got, want)
		}
	}
	level, s := uint64(9_000), slotAt(4)
	s.Now, s.Tariff, s.Level, s.Coming = begin+1, curve, &level, 400
	charge.Need = Missing(10_000)
	if got := charge.Amount(&s); got != 600 {
		t.Errorf("the battery lacks 600, it charges %d", got)
	}
}

// Seven o'clock is seven o'clock also on the day on which the clocks are changed.
func TestDeadlineOfACharge(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	charge := ChargeByPrice{By: ByTime{Bands: []Band{{Minute: 7 * 60}}, Zone: zone}}
	for after, want := range map[string]string{
		"2026-03-28T21:00:00Z": "2026-03-29T05:00:00Z", "2026-10-24T21:00:00Z": "2026-10-25T06:00:00Z",
		"2026-06-01T05:00:00Z": "2026-06-02T05:00:00Z", "2026-06-01T04:59:59Z": "2026-06-01T05:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, after)
		if err != nil {
			t.Fatal(err)
		}
		if got := charge.deadline(types.TimeOf(at)).Std().UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s it is %s, want %s", after, got, want)
		}
	}
}

// However many prices a publisher sends, a bounded number of them is kept: the next ones.
func TestCurveIsBounded(t *testing.T) {
	t.Parallel()
	var curve Curve
	for n := range 3 {
		var newer Curve
		for i := range types.Time(maxCurve) {
			from := begin + (types.Time(n)*maxCurve+i)*quarter
			newer = append(newer, Point{from, from + quarter, 1})
		}
		curve = curve.Join(newer, begin)
	}
	if len(curve) != maxCurve || curve[0].From != begin {
		t.Errorf("%d prices from %s on", len(curve), curve[0].From)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := slotAt(0)
	if got, ok := Margin(Flat(30), 2)(&s); got != 28 || !ok {
		t.Errorf("below a tariff: %d", got)
	}
	if got, ok := Margin(Flat(8), -2)(&s); got != 10 || !ok {
		t.Errorf("above a tariff: %d", got)
	}
	if _, ok := Read(2)(&s); ok {
		t.Error("there is no tariff to read")
	}
	s.Tariff = Curve{{s.From, s.Until, 30}}
	if got, ok := Read(2)(&s); got != 28 || !ok {
		t.Errorf("below a tariff that is read: %d", got)
	}
	p := Strategy{Buy: &Side{Amount: Fixed(5), Limit: Read(1)}}
	if wish := p.Decide(&s); wish.Buy != (Want{5, 29}) || wish.Sell != (Want{}) {
		t.Errorf("wish %+v", wish)
	}
	s.Tariff = Curve{}
	if wish := p.Decide(&s); wish.Buy != (Want{}) {
		t.Errorf("without a price it wants %+v", wish.Buy)
	}
	if got, _ := Margin(Flat(1<<62), -(1 << 62))(&s); got <= 0 {
		t.Errorf("a sum beyond the bounds is %d", got)
	}
}
