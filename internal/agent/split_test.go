package agent

import (
	"slices"
	"testing"

	"lockstep/internal/agent/plan"
	"lockstep/types"
)

// A split is signed and recorded when it gives the household the worth of the goods that came, and not for one unit less.
func TestSplits(t *testing.T) {
	t.Parallel()
	hold := func(producer bool) func(*types.Trade) {
		return func(t *types.Trade) {
			t.Agreement.Fallback, t.Agreement.Instalments = &types.Hold{}, 5
			if producer {
				t.Agreement.Producer, t.Agreement.Consumer = me, other
			}
		}
	}
	meter := func(t *types.Trade) { t.Agreement.Producer, t.Agreement.Consumer = me, other }
	for name, c := range map[string]struct {
		trade    Trade
		reading  uint64
		used     uint64
		now      types.Time
		producer types.Amount // of 120: the price of 100, the return of 10, the bond of 10
		fair     bool
	}{
		"nothing came":                     {trade: matched(hold(false)), producer: 10, fair: true},
		"nothing came, one more":           {trade: matched(hold(false)), producer: 11},
		"two fifths came":                  {trade: matched(hold(false)), used: 200, producer: 50, fair: true},
		"two fifths came, one more":        {trade: matched(hold(false)), used: 200, producer: 51},
		"a producer gives nothing up":      {trade: matched(hold(true)), producer: 110, fair: true},
		"a producer gives one up":          {trade: matched(hold(true)), producer: 109},
		"by the readings":                  {trade: matched(nil), reading: 250, producer: 55, fair: true},
		"by the readings, one more":        {trade: matched(nil), reading: 250, producer: 56},
		"read for me, too early":           {trade: matched(meter), reading: 250, producer: 55, now: noon + 5*quarter},
		"read for me":                      {trade: matched(meter), reading: 250, producer: 55, now: noon + 5*quarter + 1, fair: true},
		"read for me, one less":            {trade: matched(meter), reading: 250, producer: 54, now: noon + 5*quarter + 1},
		"more than there is to be divided": {trade: matched(hold(true)), producer: 111, fair: true},
	} {
		now := c.now
		if now == 0 {
			now = noon + quarter + 9*minute
		}
		v := viewAt(now)
		c.trade.Reading = c.reading
		v.Trades = []Trade{c.trade}
		split := Split{Trade: c.trade.ID, ToProducer: c.producer, ToConsumer: 120 - c.producer, File: "f"}
		s := State{Setup: setup(func(s *Setup) { quiet(s); s.Direct.Split, s.Evidence = true, ByMeter }), Use: plan.History{{From: noon, Wh: c.used}}, Most: 1}
		for _, complete := range []bool{false, true} {
			split.Signed, split.Complete = complete, complete
			state, _ := Step(s, Proposed{split})
			_, effects := Step(state, Seen{v})
			signs, records := false, false
			for _, effect := range effects {
				if sign, ok := effect.(Sign); ok {
					signs = sign.Split == split
				}
				if send, ok := effect.(Transact); ok {
					records = records || slices.ContainsFunc(send.Acts, func(a Act) bool { _, ok := a.(Divide); return ok })
				}
			}
			state.Most, state.Round = 0, 0
			_, effects = Step(state, Seen{v})
			for _, effect := range effects {
				if send, ok := effect.(Transact); ok {
					records = records || slices.ContainsFunc(send.Acts, func(a Act) bool { _, ok := a.(Divide); return ok })
				}
			}
			if signs != (c.fair && !complete) || records != (c.fair && complete) {
				t.Errorf("%s, complete %t: signs %t, records %t", name, complete, signs, records)
			}
		}
	}
	v := viewAt(round)
	deal := matched(hold(false))
	v.Trades = []Trade{deal}
	wrong := Split{Trade: deal.ID, ToProducer: 0, ToConsumer: 121}
	s, _ := Step(State{Setup: setup(func(s *Setup) { quiet(s); s.Direct.Split = true })}, Proposed{wrong})
	_, effects := Step(s, Seen{v})
	for _, effect := range effects {
		if _, ok := effect.(Sign); ok {
			t.Error("it signs a division of more than there is")
		}
	}
}
