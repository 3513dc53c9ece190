package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/agent"
	strategy "lockstep/internal/agent/plan"
	"lockstep/internal/agent/runner"
	"lockstep/meter"
	"lockstep/meter/source"
	"lockstep/types"
)

func TestAgentPanel(t *testing.T) {
	t.Parallel()
	setup := &agent.Setup{
		Params: types.DefaultParams("town"), Market: agent.Market{Asset: types.AssetID{1}, Decimals: 6}, Limits: agent.Limits{PerDay: 5}, Ahead: 1,
		Strategy: strategy.Strategy{Buy: &strategy.Side{Amount: strategy.Fixed(250), Limit: strategy.FixedLimit(280_000_000)}},
	}
	panel := &agentPanel{context: t.Context(), runner: runner.New(runner.Config{Setup: setup, Log: slog.New(slog.DiscardHandler)}), now: time.Now}
	shown := panel.State()
	if shown.Trouble == "" || shown.MayPay != 5 || shown.Paid != 0 || shown.Asset != setup.Market.Asset || shown.Paused || shown.Plan != nil {
		t.Errorf("before the first view: %+v", shown)
	}
	state := agent.State{Setup: setup, View: &agent.View{BlockTime: 1_780_056_000_000, Clock: 1_780_056_000_000}}
	for i, planned := range state.Plan(plannedSlots) {
		if planned.Quantity != 250 || planned.Side != types.Bid || planned.Ordered || planned.From%900_000 != 0 || i > 0 && planned.From != state.Plan(1)[0].From+types.Time(i)*900_000 {
			t.Errorf("slot %d: %+v", i, planned)
		}
	}
	if trouble := troubleOf(&agent.State{View: state.View, Standby: state.View.BlockTime + 1}, nil); trouble == "" {
		t.Error("an agent that stands back has no trouble")
	}
	if trouble := troubleOf(&state, nil); trouble != "" {
		t.Errorf("trouble: %s", trouble)
	}
}

// TestWordByPanel: the owner's word on the page is that of "lockstep agent word": it is kept for the agent's next start too.
func TestWordByPanel(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "agent.words")
	ended, cancel := context.WithCancel(t.Context())
	cancel() // no agent runs that would take the word at once
	panel := &agentPanel{context: ended, words: folder, runner: runner.New(runner.Config{Setup: &agent.Setup{Params: types.DefaultParams("town")}, Log: slog.New(slog.DiscardHandler)})}
	for _, came := range []bool{true, false} {
		if err := panel.Say(types.TradeID{7}, came); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(folder, types.TradeID{7}.String()))
		if want := map[bool]string{true: "came\n", false: "missing\n"}[came]; err != nil || string(text) != want {
			t.Errorf("%q, %v, want %q", text, err, want)
		}
	}
}

func TestWatts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		number   string
		measures source.Quantity
		export   bool
		want     int64
	}{
		{"1234.9", source.Power, false, 1234}, {"-1234.9", source.Power, false, -1234}, {"500", source.Power, true, -500}, {"1000", source.Energy, false, 0},
		{"99999999999999999999", source.Power, false, 0},
	} {
		number, err := meter.ParseDecimal(c.number)
		if err != nil {
			t.Fatal(err)
		}
		if got := watts(&source.Reading{Number: number, Measures: c.measures}, c.export); got != c.want {
			t.Errorf("%s is %d, want %d", c.number, got, c.want)
		}
	}
}
