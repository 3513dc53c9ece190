package bench

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCity does some quarter-hours of a village in two zones; a run audits its own books.
func TestCity(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	o := Options{Folder: t.TempDir(), zones: 2}
	report, err := City(t.Context(), o, 60)
	if err != nil {
		t.Fatal(err)
	}
	if report.Zones != 2 || report.Orders != 60 || report.Trades < 20 || !report.InTime || !report.Conserved {
		t.Errorf("%+v", report)
	}
	if report.ByQuarterHour < 60 || report.ByWindows < 1 {
		t.Errorf("extrapolated: %d and %d households", report.ByQuarterHour, report.ByWindows)
	}
	var phases []string
	counted := map[string]int{}
	for _, p := range report.Phases {
		phases = append(phases, p.Name)
		counted[p.Name] = p.Count
		if p.Name == "read and offer" && p.Txs != 30 || p.Name == "release and bid" && p.Txs != 30 {
			t.Errorf("%s: %d transactions for 30 households", p.Name, p.Txs)
		}
	}
	steady := []string{"read and offer", "release and bid", "auction"}
	if want := slices.Concat([]string{"orders", "auction"}, steady, steady, []string{"read", "release", "index behind"}); !slices.Equal(phases, want) {
		t.Errorf("phases %v", phases)
	}
	want := map[string]int{"orders": 60, "auction": report.Trades, "read and offer": 30, "release and bid": 30, "read": report.Trades, "release": report.Trades}
	for name, count := range want {
		if counted[name] != count {
			t.Errorf("%s: %d, not %d", name, counted[name], count)
		}
	}
	if s := report.Steady; s.Txs != 60 || s.Trades != report.Trades || s.Seconds <= 0 || s.CoreSeconds <= 0 {
		t.Errorf("a steady quarter-hour: %+v", s)
	}
	var out strings.Builder
	if err := report.WriteText(&out); err != nil || !strings.Contains(out.String(), "60 households in 2 zones") {
		t.Errorf("%s, %v", out.String(), err)
	}
	if left, err := os.ReadDir(o.Folder); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind, %v", left, err)
	}
}

// TestCityRefusals: impossible options are refused before any work.
func TestCityRefusals(t *testing.T) {
	t.Parallel()
	var option *OptionError
	for _, households := range []int{0, 3, -1, mostHouseholds + 1} {
		if _, err := City(t.Context(), Options{}, households); !errors.As(err, &option) {
			t.Errorf("%d households: %v", households, err)
		}
	}
	if _, err := City(t.Context(), Options{Mode: ModeAPI}, 60); !errors.As(err, &option) {
		t.Errorf("mode api: %v", err)
	}
}
