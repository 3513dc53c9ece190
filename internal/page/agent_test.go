package page_test

import (
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lockstep/internal/page"
	"lockstep/types"
)

// trader is an agent whose values a test sets.
type trader struct {
	state  page.AgentState
	paused atomic.Bool

	mu   sync.Mutex
	said map[types.TradeID]bool
}

func (a *trader) Say(id types.TradeID, came bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == nil {
		a.said = map[types.TradeID]bool{}
	}
	a.said[id] = came
	return nil
}

func (a *trader) State() page.AgentState {
	state := a.state
	state.Paused = a.paused.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	state.Said = maps.Clone(a.said)
	return state
}

func (a *trader) Pause(paused bool) error {
	a.paused.Store(paused)
	return nil
}

// TestAgentPanel: without an agent the page says so and how one starts; with one it shows limits, plan, live power and meters, and the member pauses it by
// a form of its session alone.
func TestAgentPanel(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Loom")
	without := w.join(t, "Loom")
	if text := plainOf(without.get("/", http.StatusOK)); !strings.Contains(text, "No agent runs.") || !strings.Contains(text, "lockstep agent init") {
		t.Error("the page does not say that no agent runs, and how to start one")
	}
	without.post("/agent", map[string][]string{"paused": {"yes"}}, http.StatusBadRequest)
	clock := w.clock()
	sell, buy := types.Rate{Mantissa: 96}, types.Rate{Mantissa: 343}
	agent := &trader{state: page.AgentState{
		Asset: w.euro.ID(), SellAt: &sell, BuyAt: &buy, MayPay: 2 * whole, Paid: 151_885, Power: &page.Power{At: clock, Own: 3_500, House: 520, ToOutside: 2_980},
		Meters: []page.MeterValue{{Name: "roof <1>", Watts: -2_980, At: clock}, {Name: "heat pump", Trouble: "no value for 2 minutes"}},
		Plan:   []page.PlannedSlot{{From: clock, Until: clock.Add(15 * minute), Side: types.Sell, Quantity: 663, Limit: sell}},
	}}
	v := w.withAgent(t, "Loom", agent)
	text := v.get("/", http.StatusOK)
	for _, part := range []string{"at 9.60 ct/kWh or more", "at 34.30 ct/kWh or less", "0.151885 of 2.000000 used today", "sell 663 Wh", "3.50 kW", "Your roof", "to the grid", "trades by itself"} {
		if !strings.Contains(plainOf(text), part) {
			t.Errorf("the first page lacks %q", part)
		}
	}
	if !strings.Contains(text, `class="rbs wide-only"`) {
		t.Error("there is no picture of the flow")
	}
	settings := v.get("/settings", http.StatusOK)
	for _, part := range []string{"roof &lt;1&gt;", "\u22122.98\u00a0kW", "no value for 2 minutes"} {
		if !strings.Contains(settings, part) {
			t.Errorf("the settings lack %q", part)
		}
	}
	v.post("/agent", map[string][]string{"paused": {"yes"}}, http.StatusBadRequest)
	if agent.paused.Load() {
		t.Fatal("paused without the token of the session")
	}
	if text := plainOf(v.answer(text, "/agent", http.StatusOK)); !agent.paused.Load() || !strings.Contains(text, "paused") {
		t.Error("the agent is not paused")
	}
	v.answer(v.get("/settings", http.StatusOK), "/agent", http.StatusOK)
	if agent.paused.Load() {
		t.Error("the agent does not go on")
	}
}

// withAgent begins a session on a member's page with an agent.
func (w *town) withAgent(t *testing.T, name string, agent page.Agent) *visitor {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".age")
	server, enter := w.serve(page.Config{Member: &page.Member{File: file, Unlocked: restored(t, file, name), Agent: agent}})
	v := newVisitor(t, server.URL)
	v.get(enter, http.StatusOK)
	return v
}

// TestOwnersWord: on the trade and on Now the agent asks its owner about goods that no meter counts. That they came is said after one question with the sums, that they
// did not at once; of energy before its slot, of metered goods and of the other side's steps it asks nothing.
func TestOwnersWord(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	path := "/trades/" + id.String()
	buyer, seller := &trader{}, &trader{}
	loom, cedar := w.withAgent(t, "Loom", buyer), w.withAgent(t, "Cedar", seller)
	asks := func(v *visitor, want bool, when string) {
		t.Helper()
		if got := strings.Contains(plainOf(v.get(path, http.StatusOK)), "Your agent asks"); got != want {
			t.Errorf("%s: the agent asks: %v", when, got)
		}
		if got := strings.Contains(plainOf(v.get("/", http.StatusOK)), "Your agent asks"); got != want {
			t.Errorf("%s: Now tells that the agent asks: %v", when, got)
		}
	}
	asks(loom, false, "agreed")
	w.pay("Loom", id)
	asks(loom, false, "paid, to the buyer")
	asks(cedar, true, "paid, to the seller")
	question := cedar.get(path+"/word", http.StatusOK)
	if !strings.Contains(plainOf(question), "locks now") || !strings.Contains(plainOf(question), "loses at worst") {
		t.Errorf("the seller's question tells no sums: %s", heading(question))
	}
	if _, said := seller.State().Said[id]; said {
		t.Fatal("the question alone is an answer")
	}
	if text := cedar.answer(question, path+"/word", http.StatusOK); !seller.State().Said[id] || !strings.Contains(plainOf(text), "You said that you deliver") {
		t.Error("the seller's word was not kept, or is not shown")
	}
	w.deliver("Cedar", id)
	asks(cedar, false, "delivered, to the seller")
	asks(loom, true, "delivered, to the buyer")
	text := loom.fill(path, path+"/word", http.StatusOK, "word", "missing")
	if came, said := buyer.State().Said[id]; !said || came || !strings.Contains(plainOf(text), "Your agent releases nothing") {
		t.Errorf("missing: %v, %v", came, said)
	}
	if text := plainOf(loom.get("/", http.StatusOK)); !strings.Contains(text, "You said that it did not come") {
		t.Error("Now does not tell the word")
	}
	loom.fill(path, path+"/word", http.StatusBadRequest, "word", "maybe")
	loom.fill(path, path+"/word", http.StatusUnprocessableEntity, "word", "came") // without the question
	if buyer.State().Said[id] {
		t.Fatal("a word without its question")
	}
	question = loom.get(path+"/word", http.StatusOK)
	if !strings.Contains(plainOf(question), "if the goods did not come") {
		t.Errorf("the buyer's question: %s", heading(question))
	}
	loom.answer(question, path+"/word", http.StatusOK)
	if !buyer.State().Said[id] {
		t.Error("the buyer's word was not kept")
	}
	loom.answer(question, path+"/word", http.StatusUnprocessableEntity) // sent twice
	w.release("Loom", id, 1)
	asks(loom, false, "released")
	loom.fill("/settings", path+"/word", http.StatusUnprocessableEntity, "word", "missing")
	energy, _ := w.agree("Cedar", "Loom", terms{goods: w.energy(352, 60), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", energy)
	path = "/trades/" + energy.String()
	asks(cedar, false, "energy that is paid, to the seller")
	w.deliver("Cedar", energy)
	asks(loom, false, "energy before its slot, to the buyer")
	w.join(t, "Loom").fill("/settings", path+"/word", http.StatusNotFound, "word", "missing") // no agent
}
