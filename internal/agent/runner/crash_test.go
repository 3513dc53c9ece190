package runner

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"lockstep/internal/agent"
	"lockstep/types"
)

// crashes is the number of seeds of [TestRandomCrashes].
var crashes = flag.Int("crashes", 2, "seeds of random crashes")

// seeds is the number of seeds of random crashes; under the race detector one is enough.
func seeds() uint64 {
	if testing.Short() {
		return 1
	}
	return uint64(*crashes)
}

// finish lets the houses stop trading and end all that is under way, and checks that nothing is left and nothing was done twice.
func (w *world) finish(total types.Amount) {
	w.t.Helper()
	for _, h := range w.houses {
		h.crash = func(string) bool { return false }
		h.setup.Strategy.Buy, h.setup.Strategy.Sell = nil, nil
		h.setup.Direct = agent.Direct{}
		h.start()
	}
	w.pass(14*w.params.Slot, 6*minute)
	sum := types.Amount(0)
	seen := map[types.PublicKey]bool{}
	for _, h := range w.houses {
		if open := h.open(); len(open) > 0 {
			t, err := h.dial().Trade(w.t.Context(), open[0])
			w.t.Errorf("%s: %d trades are open, the first is %s: %+v, %v", h, len(open), t.Phase, t.Status.Turn, err)
		}
		if !seen[h.setup.Key] {
			sum += h.worth()
			seen[h.setup.Key] = true
		}
	}
	if sum != total {
		w.t.Errorf("the houses have %d together, not %d", sum, total)
	}
}

// checkSlots wants at most one trade of a buyer in each slot of the auctions, since it orders once; and none beyond its wish.
func (w *world) checkSlots(buyer *house, wish uint64) (trades int) {
	w.t.Helper()
	bought := map[types.Time]uint64{}
	for t, err := range w.dial().AllTrades(w.t.Context(), buyer.setup.Key, false) {
		if err != nil {
			w.t.Fatal(err)
		}
		goods := &t.Trade.Agreement.Goods
		trades++
		if bought[goods.From] += goods.Quantity; bought[goods.From] > wish {
			w.t.Errorf("%s has bought %d Wh for the slot at %s, and wished %d", buyer, bought[goods.From], goods.From, wish)
		}
	}
	return trades
}

// The agents are lost at random moments, with and without their files, and go on from seed and ledger.
func TestRandomCrashes(t *testing.T) {
	t.Parallel()
	trades := 0
	for seed := range seeds() {
		w := newWorld(t)
		chance := rand.New(rand.NewPCG(seed, 17))
		roof := w.house("roof", sells(800, price("800")), nil)
		flat := w.house("flat", buys(600, price("2800")), nil)
		slot := types.Time(w.params.Slot)
		begin := w.ledger.Now() - w.ledger.Now()%slot
		for i := range types.Time(20) {
			roof.made[begin+i*slot] = 500 + chance.Uint64N(400) // sometimes short of what was sold
		}
		lost := 0
		for _, h := range w.houses {
			h.file = filepath.Join(t.TempDir(), h.name)
			h.crash = func(string) bool {
				if chance.IntN(8) > 0 {
					return false
				}
				lost++
				if chance.IntN(2) == 0 {
					_ = os.Remove(h.file)
				}
				return true
			}
			h.start()
		}
		w.pass(5*w.params.Slot, 2*minute)
		w.finish(2 * euros)
		if trades += w.checkSlots(flat, 600); lost < 10 {
			t.Errorf("seed %d: %d crashes: the test tests too little", seed, lost)
		}
	}
	if trades < int(seeds()) { // in some seeds no slot is left in which neither is lost
		t.Errorf("%d trades: the test tests too little", trades)
	}
}

// Standing offers are taken once, however often the buyer is lost between a take and its outcome.
func TestCrashesOfTakers(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		w := newWorld(t)
		chance := rand.New(rand.NewPCG(seed, 18))
		roof := w.house("roof", sells(800, price("80")), func(s *agent.Setup) {
			s.Direct = agent.Direct{Offer: true, Terms: &types.Meter{}, Deposit: 1000, Bond: 2000}
		})
		flat := w.house("flat", buys(600, price("280")), func(s *agent.Setup) { s.Direct = agent.Direct{Take: true} })
		slot := types.Time(w.params.Slot)
		begin := w.ledger.Now() - w.ledger.Now()%slot
		for i := range types.Time(20) {
			roof.made[begin+i*slot] = 500 + chance.Uint64N(400)
		}
		for _, h := range w.houses {
			h.crash = func(string) bool { return chance.IntN(8) == 0 }
		}
		w.pass(5*w.params.Slot, 2*minute)
		w.finish(2 * euros)
		if trades := w.checkSlots(flat, 600); trades < 1 {
			t.Errorf("seed %d: %d trades", seed, trades)
		}
	}
}

// Two agents of one seed by mistake: one stands back, and nothing is ordered, taken or paid twice.
func TestTwins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roof := w.house("roof", sells(2000, price("800")), nil)
	flat := w.house("flat", buys(600, price("2800")), nil)
	twin := &house{world: w, name: "flat", made: flat.made, setup: flat.setup, crash: flat.crash}
	w.houses = append(w.houses, twin)
	twin.start()
	slot := types.Time(w.params.Slot)
	begin := w.ledger.Now() - w.ledger.Now()%slot
	for i := range types.Time(20) {
		roof.made[begin+i*slot] = 2000
	}
	w.pass(5*w.params.Slot, 2*minute)
	told := 0
	for _, h := range []*house{flat, twin} {
		for _, notice := range h.notices {
			if notice.Kind == agent.NoticeTwin {
				told++
				break
			}
		}
	}
	if told != 1 {
		t.Errorf("%d of two agents with one seed stand back", told)
	}
	w.finish(2 * euros)
	if trades := w.checkSlots(flat, 600); trades < 2 {
		t.Errorf("%d trades", trades)
	}
}
