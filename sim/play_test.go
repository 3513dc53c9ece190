package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"lockstep/ledger"
)

// shortDay is from noon until two, with both broken words in it.
func shortDay(t *testing.T) Options {
	t.Helper()
	profile, err := Standard(Summer)
	if err != nil {
		t.Fatal(err)
	}
	houses := Households(1)
	houses[defaulter].DeliversUntil, houses[withholder].ReleasesUntil = 50, 52
	return Options{
		Profile: profile, Households: houses, Seed: 1, From: 48, To: 56, Window: DefaultWindow, Logger: slog.New(slog.DiscardHandler),
	}
}

func TestPlay(t *testing.T) {
	t.Parallel()
	options := shortDay(t)
	options.Folder = t.TempDir()
	var steps []Progress
	options.Progress = func(p Progress) { steps = append(steps, p) }
	report, err := Play(t.Context(), options)
	if err == nil && report.Missed > 0 { // too slow a moment for these deadlines: once more with five times as long ones
		options.Folder, options.Window, steps = t.TempDir(), 5*DefaultWindow, nil
		report, err = Play(t.Context(), options)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !report.Conserved || len(report.Faults) > 0 || report.Issued != report.Held+report.Locked || report.Held != report.Spendable {
		t.Errorf("the books: %+v", report.Books)
	}
	if report.Trades == 0 || report.Trades != report.Released+report.Refunded+report.Withheld {
		t.Errorf("%d trades: %d released, %d refunded, %d withheld", report.Trades, report.Released, report.Refunded, report.Withheld)
	}
	if len(steps) != 8 || steps[7].Trades != report.Trades || steps[7].Clock.Format("15:04") != "14:00" {
		t.Errorf("progress: %+v", steps)
	}
	checkForms(t, report)
	if report.Missed > 0 {
		t.Fatalf("%d transactions came too late twice, so the broken words can't be told by the numbers", report.Missed)
	}
	checkBreaches(t, report)
}

func checkBreaches(t *testing.T, report *Report) {
	t.Helper()
	if report.Default == nil || report.Withholding == nil || report.Shunned == nil {
		t.Fatalf("default %+v, withholding %+v, shunned %+v", report.Default, report.Withholding, report.Shunned)
	}
	if b := report.Default; b.Who != "Birch" || b.Since != "12:30" || b.Trades+report.Shunned.Trades != report.Refunded {
		t.Errorf("default %+v, shunned %+v of %d refunded", b, report.Shunned, report.Refunded)
	}
	b, buyer := report.Withholding, report.Households[withholder]
	if b.Who != "Loom" || b.Since != "13:00" || b.Trades != report.Withheld || buyer.Locked != b.Price+b.Deposit {
		t.Errorf("withholding %+v of %d withheld, %s has %d locked", b, report.Withheld, buyer.Name, buyer.Locked)
	}
	if report.Locked != b.Price+b.Deposit+b.Bond {
		t.Errorf("%d is locked, the withheld trades hold %d, %d and %d", report.Locked, b.Price, b.Deposit, b.Bond)
	}
	var given uint64
	for _, a := range report.Households {
		given += a.Given
	}
	if given != b.Energy {
		t.Errorf("%d Wh were given and not paid for, %d withheld", given, b.Energy)
	}
}

func checkForms(t *testing.T, report *Report) {
	t.Helper()
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"trades", "released", "refunded", "held", "issued", "spendable", "locked", "seconds"} {
		if _, ok := fields[name].(float64); !ok {
			t.Errorf("JSON: %s is %v", name, fields[name])
		}
	}
	if fields["conserved"] != true {
		t.Errorf("JSON: conserved is %v", fields["conserved"])
	}
	var page bytes.Buffer
	if err := report.WriteText(&page); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"Birch stops delivering", "Loom stops releasing", "griefing", "issued = held + locked", euros(report.Locked)} {
		if !strings.Contains(page.String(), says) {
			t.Errorf("the text does not say %q:\n%s", says, page.String())
		}
	}
	for _, line := range strings.Split(page.String(), "\n") {
		if len(line) > 110 {
			t.Errorf("the line is too long for a terminal: %s", line)
		}
	}
}

func TestPlayEndsWhenItsContextDoes(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	options := shortDay(t)
	options.Folder = temporary
	options.Progress = func(Progress) { cancel() }
	if _, err := Play(ctx, options); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if kept, err := os.ReadDir(temporary); err != nil || len(kept) == 0 {
		t.Errorf("of a folder that is to be kept there is %v left (%v)", kept, err)
	}
}

func TestPlayRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"no slot":        func(o *Options) { o.To = o.From },
		"before the day": func(o *Options) { o.From = -1 },
		"after the day":  func(o *Options) { o.To = SlotsPerDay + 1 },
		"backwards":      func(o *Options) { o.Speed = -1 },
		"too fast":       func(o *Options) { o.Speed = 1e9 },
		"too slow":       func(o *Options) { o.Speed = 1e-9 },
		"no number":      func(o *Options) { o.Speed = math.NaN() },
	} {
		options := shortDay(t)
		spoil(&options)
		var refused *OptionError
		if _, err := Play(t.Context(), options); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBalanceFindsWhatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	good := func() (state, api ledger.Sum, accounts []Account) {
		state = ledger.Sum{Issued: 100, Spendable: 80, Locked: 20}
		return state, state, []Account{
			{Name: "Alder", Start: 40, In: 10, Held: 45, Locked: 5},
			{Name: "Elm", Start: 60, Out: 10, Held: 35, Locked: 15},
		}
	}
	if books := balance(good()); !books.Conserved || len(books.Faults) > 0 {
		t.Errorf("good books: %+v", books)
	}
	for name, spoil := range map[string]func(state, api *ledger.Sum, accounts []Account){
		"a unit came":         func(state, _ *ledger.Sum, _ []Account) { state.Spendable++ },
		"a unit went":         func(state, _ *ledger.Sum, _ []Account) { state.Locked-- },
		"a fee":               func(state, _ *ledger.Sum, _ []Account) { state.Fees++ },
		"the API shows more":  func(_, api *ledger.Sum, _ []Account) { api.Spendable++ },
		"the API locks less":  func(_, api *ledger.Sum, _ []Account) { api.Locked-- },
		"the API issued more": func(_, api *ledger.Sum, _ []Account) { api.Issued++ },
		"more issued, all agree": func(state, api *ledger.Sum, _ []Account) {
			state.Issued++
			api.Issued++
			state.Spendable++
			api.Spendable++
		},
		"a household lost":   func(_, _ *ledger.Sum, accounts []Account) { accounts[0].Held-- },
		"between households": func(_, _ *ledger.Sum, accounts []Account) { accounts[0].In++; accounts[1].In-- },
	} {
		state, api, accounts := good()
		spoil(&state, &api, accounts)
		if books := balance(state, api, accounts); books.Conserved || len(books.Faults) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
}
