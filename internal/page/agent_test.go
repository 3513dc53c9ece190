package page_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// trader is an agent whose values a test sets.
type trader struct {
	state  page.AgentState
	paused atomic.Bool
}

func (a *trader) State() page.AgentState {
	state := a.state
	state.Paused = a.paused.Load()
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
	file := filepath.Join(t.TempDir(), "Loom.age")
	opened, err := wallet.Restore(file, seedOf(t, "Loom").Words(), passphrase, wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	server, enter := w.serve(page.Config{Member: &page.Member{File: file, Unlocked: opened, Agent: agent}})
	v := newVisitor(t, server.URL)
	v.get(enter, http.StatusOK)
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
