package agent

import (
	"slices"
	"testing"

	"lockstep/types"
)

// A seller under hold terms that locks less than the limits want could keep more money of the household than it risks: its offer is not
// taken. Where a reading decides, any bond will do.
func TestMinBond(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		terms   types.Fallback
		minBond uint64
		deposit types.Rate
		bond    types.Rate
		takes   bool
	}{
		"hold, price and deposit": {&types.Hold{}, 10_000, types.Rate{Mantissa: 10}, types.Rate{Mantissa: 110}, true},
		"hold, a little less":     {&types.Hold{}, 10_000, types.Rate{Mantissa: 10}, types.Rate{Mantissa: 109_999, Exponent: 3}, false},
		"hold, a tiny bond":       {&types.Hold{}, 10_000, types.Rate{}, types.Rate{Mantissa: 1}, false},
		"hold, with decimals":     {&types.Hold{}, 10_000, types.Rate{Mantissa: 5, Exponent: 1}, types.Rate{Mantissa: 1005, Exponent: 1}, true},
		"hold, less decimals":     {&types.Hold{}, 10_000, types.Rate{Mantissa: 5, Exponent: 1}, types.Rate{Mantissa: 100}, false},
		"hold, half":              {&types.Hold{}, 5_000, types.Rate{Mantissa: 10}, types.Rate{Mantissa: 55}, true},
		"hold, less than half":    {&types.Hold{}, 5_000, types.Rate{Mantissa: 10}, types.Rate{Mantissa: 54}, false},
		"hold, switched off":      {&types.Hold{}, 0, types.Rate{}, types.Rate{Mantissa: 1}, true},
		"hold, a huge bond":       {&types.Hold{}, 100_000, types.Rate{Mantissa: 50}, types.Rate{Mantissa: 1 << 63}, true},
		"meter, a tiny bond":      {&types.Meter{}, 10_000, types.Rate{}, types.Rate{Mantissa: 1}, true},
	} {
		v, offer := viewAt(round), standing()
		offer.Offer.Fallback, offer.Offer.Deposit, offer.Offer.Bond = c.terms, c.deposit, c.bond
		v.Offers = []Offer{offer}
		s := State{Setup: setup(func(s *Setup) { s.Direct.Take, s.Limits.MinBond = true, c.minBond })}
		_, acts, _ := see(t, s, v)
		if takes := slices.ContainsFunc(acts, func(a Act) bool { _, ok := a.(Take); return ok }); takes != c.takes {
			t.Errorf("%s: %v", name, acts)
		}
	}
}

// An auction under hold terms whose bonds are small makes the same hostages: the agent bids nothing there, and says so once. It sells.
func TestMinBondInAuctions(t *testing.T) {
	t.Parallel()
	for bond, bids := range map[types.Amount]bool{1: false, 289: false, 290: true} { // the limit of a lot is 280, the deposit 10
		s := State{Setup: setup(func(s *Setup) {
			s.Limits.MinBond = 10_000
			s.Params.Market.Grids = []types.Grid{{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Lot: 1, Tick: 1, Ceiling: 500, Deposit: 10, Bond: bond, Fallback: &types.Hold{}}}
		})}
		next, acts, kinds := see(t, s, viewAt(round))
		if order := placed(t, acts); (order != nil) != bids || slices.Contains(kinds, NoticeLimit) == bids {
			t.Errorf("bond %d: %v, told %v", bond, acts, kinds)
		}
		if _, _, again := see(t, next, viewAt(round+minute)); len(again) > 0 {
			t.Errorf("bond %d: told again: %v", bond, again)
		}
	}
}

// After some failures of the other side the orders of that side demand a record, and those of the other side do not.
func TestMinRecord(t *testing.T) {
	t.Parallel()
	unread := func(nonce uint64, read uint64) Trade {
		deal := matched(func(t *types.Trade) { t.Agreement.Nonce = nonce })
		deal.Reading = read
		return deal
	}
	late := matched(nil).Trade.Agreement.Deadlines.ReadingBy + 1
	for name, c := range map[string]struct {
		trades []Trade
		after  int
		now    types.Time
		want   uint8
	}{
		"none yet":        {nil, 2, late, 0},
		"one":             {[]Trade{unread(1, 0)}, 2, late, 0},
		"two":             {[]Trade{unread(1, 0), unread(2, 0)}, 2, late, 80},
		"one of one":      {[]Trade{unread(1, 0)}, 1, late, 80},
		"from the start":  {nil, 0, late, 80},
		"a part was read": {[]Trade{unread(1, 1)}, 1, late, 0},
		"not overdue":     {[]Trade{unread(1, 0)}, 1, late - 1, 0},
	} {
		s := State{Setup: setup(func(s *Setup) {
			s.Market.MinRecord, s.Market.MinRecordAfter = 80, c.after
			s.Limits.PerDay, s.Limits.Exposure = types.MaxAmount/4, types.MaxAmount/4
		})}
		v := viewAt(c.now)
		v.Trades = c.trades
		s.View = &v
		s.remember()
		s.remember() // the same trades count once
		if got := s.demands(types.Bid); got != c.want {
			t.Errorf("%s: bids demand %d, want %d", name, got, c.want)
		}
		v.Clock, v.Trades = c.now+failuresKept*quarter, nil
		if s.remember(); s.demands(types.Bid) != c.want {
			t.Errorf("%s: forgotten within a day", name)
		}
		v.Clock++
		if s.remember(); s.demands(types.Bid) == 80 && c.after > 0 {
			t.Errorf("%s: remembered after a day", name)
		}
		if got := s.demands(types.Sell); (got == 80) != (c.after == 0) {
			t.Errorf("%s: offers demand %d", name, got)
		}
	}
}
