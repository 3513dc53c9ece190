package runner

import (
	"testing"

	"lockstep/internal/agent"
	"lockstep/types"
)

const minute = types.Duration(60_000)

// Two houses trade some hours: each quarter-hour takes one or two transactions of a household, and all trades end.
func TestQuarterHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roof := w.house("roof", sells(800, price("800")), nil)
	flat := w.house("flat", buys(600, price("2800")), nil)
	slot := types.Time(w.params.Slot)
	begin := w.ledger.Now() - w.ledger.Now()%slot
	for i := range types.Time(24) {
		roof.made[begin+i*slot] = 900
	}
	const slots = 8
	w.pass(slots*w.params.Slot, minute)
	for _, h := range w.houses {
		if h.txs > 2*slots {
			t.Errorf("%s: more than two for each of %d slots", h, slots)
		}
		h.setup.Strategy.Buy, h.setup.Strategy.Sell = nil, nil
		h.start()
	}
	w.pass(4*w.params.Slot, minute)
	n, phases := flat.trades()
	t.Logf("%s, %s, %d trades: %v", roof, flat, n, phases)
	if n < slots-3 || phases[types.PhaseReleased] != n {
		t.Errorf("%d trades in %d slots: %v", n, slots, phases)
	}
	for _, h := range w.houses {
		if open := h.open(); len(open) > 0 {
			t.Errorf("%s: %d trades are open: %v", h, len(open), open)
		}
		for _, notice := range h.notices {
			if notice.Kind == agent.NoticeRefused {
				t.Errorf("%s: %+v", h, notice)
			}
		}
	}
	if sum := roof.worth() + flat.worth(); sum != 2*euros {
		t.Errorf("the houses have %d together, not %d", sum, 2*euros)
	}
}
