package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/sim"
)

// afternoon is a scenario with everything in it, of a few hours.
func afternoon() Scenario {
	s := Default()
	s.Households, s.Slots = 12, 58
	s.Batteries.Share, s.HeatPumps.Share, s.Cars.Share = 30, 20, 30
	s.Sky = Range{70, 100}
	s.Cheats = Cheats{Undelivered: 20, Withheld: 30, From: "10:00"}
	s.Offline = Span{Share: 30, From: "12:00", Until: "13:30"}
	s.Meters = Broken{Share: 10, From: "11:00"}
	s.Clouds = []Cloud{{From: "13:00", Until: "14:00", Remains: 40, Roofs: 60}}
	s.Restarts = []Outage{{At: "12:30", Minutes: 20}}
	return s
}

func bytesOf(t *testing.T, s Scenario) []byte {
	t.Helper()
	r, err := Run(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSameSeed: the same seed gives the same bytes, with two runs at a time and with one core; another seed gives others.
func TestSameSeed(t *testing.T) {
	if testing.Short() {
		t.Skip("a community three times, without -short")
	}
	s := afternoon()
	other := s
	other.Seed++
	runs := make([][]byte, 3)
	t.Run("runs", func(t *testing.T) {
		for i, scenario := range []Scenario{s, s, other} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				runs[i] = bytesOf(t, scenario)
			})
		}
	})
	before := runtime.GOMAXPROCS(1)
	alone := bytesOf(t, s)
	runtime.GOMAXPROCS(before)
	if !bytes.Equal(runs[0], runs[1]) || !bytes.Equal(runs[0], alone) {
		t.Error("the same seed gives other results")
	}
	if bytes.Equal(runs[0], runs[2]) {
		t.Error("another seed gives the same results")
	}
	var r Result
	if err := json.Unmarshal(alone, &r); err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		t.Logf("%s", alone)
	}
	check(t, &r)
}

// check checks the sums of a result.
func check(t *testing.T, r *Result) {
	t.Helper()
	if !r.Books.Conserved || r.Open > 0 || r.Trades == 0 || r.Trades != r.Released+r.Settled || len(r.Unsigned) > 0 {
		t.Errorf("%d trades: %d released, %d settled, %d open; books %+v; unsigned %v", r.Trades, r.Released, r.Settled, r.Open, r.Books, r.Unsigned)
	}
	var sold, bought, broken uint64
	var saved int64
	trades := 0
	for i := range r.Households {
		h := &r.Households[i]
		sold, bought, saved = sold+h.Sold, bought+h.Bought, saved+h.Saved
	}
	for _, b := range r.Breaches {
		broken += b.Energy - b.Read
		trades += b.Trades
	}
	if sold != bought || sold != r.Traded || r.Traded+broken != r.Sold || saved != r.Saved || trades != r.Settled {
		t.Errorf("sold %d, bought %d, traded %d and broken %d of %d; saved %d of %d; %d of %d settled", sold, bought, r.Traded, broken, r.Sold, saved, r.Saved, trades, r.Settled)
	}
}

// TestLedgerAgainstRule: without broken promises the ledger trades exactly as the rule that is computed beside it, also when its store is closed and
// opened again in between.
func TestLedgerAgainstRule(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a community under each rule, without -short")
	}
	s := Default()
	s.Households, s.Slots, s.Season, s.Cheats = 10, 56, sim.Summer, Cheats{From: "12:00"}
	for _, restarts := range [][]Outage{nil, {{At: "10:00"}, {At: "12:30"}}} {
		s.Restarts = restarts
		r, err := Run(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		check(t, r)
		if rule := &r.Rules[0]; rule.Name != RuleUniform || r.Traded != rule.Traded || r.Saved != rule.Saved || r.Traded == 0 || len(r.Breaches) > 0 || r.Settled > 0 {
			t.Errorf("with %d restarts: traded %d Wh and saved %d, by the rule %+v; %d settled", len(restarts), r.Traded, r.Saved, rule, r.Settled)
		}
	}
}

// TestLimitOfADay: households with little money for a day buy for less than that in all of its slots, also when their agents begin anew
// in between and learn their spending from the ledger.
func TestLimitOfADay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("two days of a community, without -short")
	}
	s := Default()
	s.Households, s.Slots, s.Rules, s.Cheats = 6, sim.SlotsPerDay, nil, Cheats{From: "12:00"}
	s.Restarts = []Outage{{At: "11:00"}, {At: "13:00"}}
	free, err := Run(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const limit = 20 // ct
	s.PerDay = Range{limit, limit}
	bound, err := Run(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, bound)
	reached := 0
	for i := range bound.Households {
		without, with := free.Households[i].Out, bound.Households[i].Out
		if with > limit*10_000 || with > without {
			t.Errorf("%s: paid %d, and %d without a limit", bound.Households[i].Name, with, without)
		}
		if without > limit*10_000 && with > limit*10_000*9/10 {
			reached++
		}
	}
	if reached == 0 {
		t.Errorf("no household reached its limit: %+v", free.Households)
	}
}

// TestCauses: each kind of broken promise is told with its household and its cause, and costs the household.
func TestCauses(t *testing.T) {
	t.Parallel()
	for cause, edit := range map[string]func(*Scenario){
		CauseUndelivered: func(s *Scenario) { s.Cheats.Undelivered = 100 },
		CauseWithheld:    func(s *Scenario) { s.Cheats.Withheld = 100 },
		CauseMeter:       func(s *Scenario) { s.Meters = Broken{Share: 100, From: "12:00"} },
		CauseCloud:       func(s *Scenario) { s.Clouds = []Cloud{{From: "12:00", Until: "13:00", Remains: 30, Roofs: 100}} },
		CauseOffline:     func(s *Scenario) { s.Offline = Span{Share: 100, From: "12:15", Until: "16:00"} },
		CauseOutage:      func(s *Scenario) { s.Restarts = []Outage{{At: "12:15", Minutes: 600}} },
	} {
		t.Run(cause, func(t *testing.T) {
			t.Parallel()
			s := Default()
			s.Households, s.Slots, s.Rules, s.Cheats, s.Roofs.Share = 6, 54, nil, Cheats{From: "12:00"}, 50
			edit(&s)
			r, err := Run(s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			check(t, r)
			for _, b := range r.Breaches {
				if b.Cause != cause || b.Trades == 0 || b.Lost == 0 || b.Others == 0 {
					t.Errorf("%+v", b)
				}
			}
			if len(r.Breaches) == 0 && cause != CauseOutage { // an outage excuses
				t.Error("nothing is told")
			}
		})
	}
}

// TestTown: the demonstration's day is a scenario too, and both compare the rules alike.
func TestTown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a day of a town, minutes under the race detector: make test runs it without, make race with it")
	}
	profile, err := sim.Standard(sim.Summer)
	if err != nil {
		t.Fatal(err)
	}
	s := Default()
	s.Town = true
	r, err := Run(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	compared := sim.Compare(profile, sim.Summer, sim.Households(1), false)
	found := 0
	for i := range compared.Schemes {
		for j := range r.Rules {
			scheme, rule := &compared.Schemes[i], &r.Rules[j]
			if scheme.Name == "uniform price" && rule.Name == RuleUniform || scheme.Name == "pay-as-bid" && rule.Name == RulePayAsBid {
				found++
				if scheme.Volume != rule.Traded || scheme.Welfare != rule.Saved {
					t.Errorf("%s: %d Wh and %d, compared %d Wh and %d", rule.Name, rule.Traded, rule.Saved, scheme.Volume, scheme.Welfare)
				}
			}
		}
	}
	told := map[string]string{}
	for _, b := range r.Breaches {
		told[b.Household] = b.Cause
	}
	if want := map[string]string{"Birch": CauseUndelivered, "Loom": CauseWithheld, "Cedar": CauseCloud}; found != 2 || !maps.Equal(told, want) {
		t.Errorf("%d rules compared; breaches %v", found, told)
	}
	checkOutputs(t, r)
}

// checkOutputs checks the forms in which people and programs read a result.
func checkOutputs(t *testing.T, r *Result) {
	t.Helper()
	other := *r
	other.Seed, other.Traded, other.Saved = 2, r.Traded+2000, r.Saved-4_000_000
	sweep := NewSweep([]*Result{r, &other})
	for i := range sweep.Figures {
		if f := &sweep.Figures[i]; f.Name == "traded" && (f.Mean != int64(r.Traded)*1000+1_000_000 || f.Deviation != 1_414_213 || f.Most-f.Least != 2000) ||
			f.Name == "saved by all" && f.Mean != (r.Saved-2_000_000)*1000 || f.Name == "trades" && f.Deviation != 0 {
			t.Errorf("%+v", f)
		}
	}
	var text, one, table, report bytes.Buffer
	if err := errors.Join(sweep.WriteText(&text), r.WriteText(&one), WriteCSV(&table, sweep.Runs), sweep.WriteReport(&report)); err != nil {
		t.Fatal(err)
	}
	if want := "traded                      kWh     "; !strings.Contains(text.String(), want[:10]) || !strings.Contains(text.String(), "1.41") {
		t.Errorf("the sweep: %s", text.String())
	}
	for _, says := range []string{"Birch", CauseUndelivered, CauseWithheld, CauseCloud, "pay-as-bid"} {
		if !strings.Contains(one.String(), says) || !strings.Contains(report.String(), says) {
			t.Errorf("text or report does not say %q", says)
		}
	}
	if lines := strings.Split(strings.TrimSpace(table.String()), "\n"); len(lines) != 1+2*sim.TownSize || strings.Count(lines[0], ",") != strings.Count(lines[1], ",") {
		t.Errorf("CSV of %d lines: %s", len(lines), lines[0])
	}
	for _, foreign := range []string{"<script", "http://", "https://", "<link", "NaN", "%!"} {
		if strings.Contains(report.String(), foreign) {
			t.Errorf("the report has %q", foreign)
		}
	}
}

func TestGini(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		saved []int64
		want  uint64
	}{{[]int64{5, 5, 5, 5}, 0}, {[]int64{0, 0, 0, 8}, 750}, {[]int64{-3, 0, 0, 8}, 750}, {[]int64{0, 0}, 0}, {[]int64{1, 3}, 250}} {
		if got := gini(test.saved); got != test.want {
			t.Errorf("%v: %d, want %d", test.saved, got, test.want)
		}
	}
}

func chanceOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func equal(a, b []uint64) bool { return slices.Equal(a, b) }
