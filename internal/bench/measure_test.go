package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// TestTradesOfASeed, and another seed is others.
func TestTradesOfASeed(t *testing.T) {
	t.Parallel()
	make := func(seed uint64) (ids []types.TxID) {
		o := Options{Keys: 10, Seed: seed, Actions: 2}.withDefaults()
		w := newWorld(o.params(), 1_800_000_000_000, &o, o.pairs(), true)
		w.extend(3)
		for _, l := range w.pairs {
			for _, step := range l.steps {
				ids = append(ids, step.id)
			}
		}
		return ids
	}
	first := make(1)
	if len(first) != 5*3*3 || !slices.Equal(first, make(1)) {
		t.Errorf("%d transactions of one seed differ", len(first))
	}
	if slices.Equal(first, make(2)) {
		t.Error("another seed makes the same trades")
	}
}

// TestSpentProceeds: from its second trade on a pair spends payment, return and bond of the one before.
func TestSpentProceeds(t *testing.T) {
	t.Parallel()
	o := Options{Keys: 2}.withDefaults()
	w := newWorld(o.params(), 1_800_000_000_000, &o, 1, true)
	w.extend(2)
	var steps []*types.Tx
	for i := range w.pairs[0].steps {
		step, err := w.stepsAt(i)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step...)
	}
	e1, e2, id := steps[0].ID(), steps[1].ID(), steps[1].Body.Actions[0].(*types.Deliver).Trade
	if want := []types.Outpoint{{Tx: e1}, id.Outpoint(types.PartReturn)}; !slices.Equal(steps[3].Body.Inputs, want) {
		t.Errorf("E1 spends %v, not change and return", steps[3].Body.Inputs)
	}
	if want := []types.Outpoint{{Tx: e2}, id.Outpoint(types.PartPayment), id.Outpoint(types.PartBond)}; !slices.Equal(steps[4].Body.Inputs, want) {
		t.Errorf("E2 spends %v, not change, payment and bond", steps[4].Body.Inputs)
	}
	if len(steps[2].Signatures) != 0 {
		t.Error("E3 is signed")
	}
}

// TestOpenLoop offers a rate that the rules can keep, and less than they can do.
func TestOpenLoop(t *testing.T) {
	t.Parallel()
	report, err := Run(t.Context(), Options{Mode: ModeRules, Rate: 100, Duration: time.Second, Keys: 20, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if report.Trades < 10 || report.Trades > 130 {
		t.Errorf("%d trades in a second at 100 a second", report.Trades)
	}
}

// leastRulesRatio is a third of the usual ratio of the rules' speed to that of the signature checks in the same run.
const leastRulesRatio = 0.07

// TestRulesSpeed fails only when the rules became several times slower than the signature checks of the same run allow, so
// a slow machine does not fail it.
func TestRulesSpeed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the race detector slows the rules and not the signatures")
	}
	best := 0.0
	for range 4 { // others use the machine
		report, err := Run(t.Context(), Options{Mode: ModeRules, Trades: 4000, Keys: 1000, Folder: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the rules do %.1f %% of what signature checks allow", 100*report.Ratio)
		if best = max(best, report.Ratio); best > leastRulesRatio {
			return
		}
	}
	t.Errorf("the rules do %.1f %% of what signature checks allow, %.0f %% and more are usual", 100*best, 300*leastRulesRatio)
}

// TestGrowth measures two sizes.
func TestGrowth(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	report, err := Grow(t.Context(), Options{Folder: t.TempDir(), Keys: 100}, Growth{Largest: 10_000, Closed: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 2 || report.Rows[1].Outputs != 10_000 || report.Rows[1].Closed != 2000 || !report.Conserved {
		t.Errorf("%+v", report)
	}
	var out strings.Builder
	if err := report.WriteText(&out); err != nil || !strings.Contains(out.String(), "10,000") {
		t.Errorf("%s, %v", out.String(), err)
	}
}

// TestPlot draws two sizes, and one.
func TestPlot(t *testing.T) {
	t.Parallel()
	rows := []GrowthRow{{Outputs: 1000, TradesPerS: 3000, Ratio: 1}, {Outputs: 10_000, Closed: 1000, TradesPerS: 2700, Ratio: 0.9}}
	for count := 1; count <= len(rows); count++ {
		var out strings.Builder
		if err := (&GrowthReport{Rows: rows[:count]}).WritePlot(&out); err != nil {
			t.Fatal(err)
		}
		dots := 0
		decoder := xml.NewDecoder(strings.NewReader(out.String()))
		for token, err := decoder.Token(); !errors.Is(err, io.EOF); token, err = decoder.Token() {
			if err != nil {
				t.Fatal(err)
			}
			if element, ok := token.(xml.StartElement); ok && element.Name.Local == "circle" {
				dots++
			}
		}
		if dots != count || strings.Contains(out.String(), "NaN") || !strings.Contains(out.String(), "prefers-color-scheme:dark") {
			t.Errorf("%d rows are drawn as %d dots:\n%s", count, dots, out.String())
		}
	}
}

// TestOverload offers a small crowd's trades at three times the capacity.
func TestOverload(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	report, err := Overload(t.Context(), Options{Folder: t.TempDir(), Keys: 40, Duration: 300 * time.Millisecond, crowd: 200})
	if err != nil {
		t.Fatal(err)
	}
	if report.Capacity <= 0 || report.TradesPerS <= 0 || report.Kept <= 0 || report.CPUPerTrade <= 0 || report.GivenUp == 0 || !report.Conserved {
		t.Errorf("%+v", report)
	}
	for i, round := range report.Rounds {
		if round.Offered != 3*round.Before || i > 0 && round.Before != report.Rounds[i-1].After {
			t.Errorf("round %d: %+v", i, round)
		}
	}
}

// TestMissingMoney: the check that makes a run fail.
func TestMissingMoney(t *testing.T) {
	t.Parallel()
	id := types.AssetID{1}
	for name, sums := range map[string]ledger.Sums{
		"none":        {},
		"lost":        {id: {Issued: 10, Spendable: 9}},
		"made":        {id: {Issued: 11, Spendable: 11}},
		"other asset": {id: {Issued: 10, Spendable: 10}, {2}: {}},
	} {
		if checkSums(sums, 10) == nil {
			t.Errorf("%s: nothing is found", name)
		}
	}
	if err := checkSums(ledger.Sums{id: {Issued: 10, Spendable: 6, Locked: 4}}, 10); err != nil {
		t.Error(err)
	}
}

// TestBadOptions are told before anything is done.
func TestBadOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{Mode: "fast"}, {Mix: "mixed"}, {Actions: 65}, {Actions: -1}, {Keys: 1}, {Keys: 1 << 30}, {Trades: -1}, {Clients: -1},
		{Trades: 1, Duration: 1}, {Duration: time.Hour}, {Rate: -1}, {Mode: ModeNet}, {Validators: 100},
	} {
		var option *OptionError
		if _, err := Run(t.Context(), o); !errors.As(err, &option) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	var option *OptionError
	for _, growth := range []Growth{{Largest: 10}, {Largest: 1e8}, {Largest: 1000, Closed: -1}, {Largest: 1000, Closed: 1e8}} {
		if _, err := Grow(t.Context(), Options{}, growth); !errors.As(err, &option) {
			t.Errorf("%+v: %v", growth, err)
		}
	}
	if _, err := Overload(t.Context(), Options{Mode: ModeRules}); !errors.As(err, &option) {
		t.Error(err)
	}
}

// TestPace counts from block to block.
func TestPace(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	run := &tally{begin: begin}
	for i, count := range []int{0, 0, 3, 2, 2, 0, 9, 5} { // pairs that end, each half second
		for range count {
			run.ends = append(run.ends, begin.Add(time.Duration(i)*500*time.Millisecond))
		}
	}
	for _, c := range []struct {
		from, to time.Duration
		want     float64
	}{
		{0, time.Second, 3},
		{time.Second, 2 * time.Second, 4},
		{time.Second, 2500 * time.Millisecond, 6.5}, // up to the block at 3 s
		{1200 * time.Millisecond, 1900 * time.Millisecond, 4},
		{0, time.Hour, 6},
		{time.Minute, time.Hour, 0},
	} {
		if got := run.pace(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %g a second, not %g", c.from, c.to, got, c.want)
		}
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(100-i)*time.Millisecond)
	}
	if got, want := timesOf(all), (Times{51, 96, 100, 100}); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if got := timesOf(nil); got != (Times{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 12345.6: "12,346", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	if err := (&OverloadReport{Refused: map[string]int{"pool_full": 3}}).WriteText(io.Discard); err != nil {
		t.Error(err)
	}
}
