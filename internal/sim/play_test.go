package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"lockstep/internal/browser"
	"lockstep/internal/ledger"
	"lockstep/internal/sim/rules"
)

// shortDay is an afternoon's two hours, with both broken words and the cloud in it.
func shortDay(t *testing.T) Options {
	t.Helper()
	profile, err := Standard(Summer)
	if err != nil {
		t.Fatal(err)
	}
	houses := Households(1)
	houses[defaulter].DeliversUntil, houses[withholder].ReleasesUntil, houses[clouded].Cloud = 62, 64, Slots{66, 68}
	return Options{Profile: profile, Households: houses, From: 60, To: 68, Logger: slog.New(slog.DiscardHandler)}
}

func TestPlay(t *testing.T) {
	t.Parallel()
	options := shortDay(t)
	options.Folder = t.TempDir()
	var steps []Progress
	options.Progress = func(p Progress) { steps = append(steps, p) }
	report, err := Play(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Conserved || len(report.Faults) > 0 || report.Issued != report.Held+report.Locked || report.Held != report.Spendable {
		t.Errorf("the books: %+v", report.Books)
	}
	if report.Trades == 0 || report.Trades != report.Released+report.Settled || report.Locked != 0 {
		t.Errorf("%d trades: %d released, %d settled, %d locked", report.Trades, report.Released, report.Settled, report.Locked)
	}
	if len(steps) > 8 { // it was played again
		steps = steps[len(steps)-8:]
	}
	if len(steps) != 8 || steps[7].Trades != report.Trades || steps[7].Clock.Format("15:04") != "17:00" {
		t.Errorf("progress: %+v", steps)
	}
	checkForms(t, report)
	checkPage(t, report)
	if report.Missed > 0 {
		t.Fatalf("%d transactions came too late twice, so the broken words can't be told by the numbers", report.Missed)
	}
	checkAuctions(t, report, options.Households)
	checkBreaches(t, report)
}

// checkAuctions clears every slot again from the households' own figures, knowing nothing of the ledger.
func checkAuctions(t *testing.T, report *Report, houses []Household) {
	t.Helper()
	profile, err := Standard(Summer)
	if err != nil {
		t.Fatal(err)
	}
	d := newCompared(profile, houses)
	trades := 0
	for _, a := range report.Auctions {
		var volume uint64
		for _, f := range rules.Uniform(d.book(a.Slot, make([]int, len(houses)))) {
			volume += f.Wh
		}
		if a.Volume != volume || a.Price == "" || len(a.Rounds) == 0 || a.Void != "" {
			t.Errorf("%s: matched %d Wh at %q, the households' figures give %d Wh", a.Clock, a.Volume, a.Price, volume)
		}
		trades += a.Trades
		for _, round := range a.Rounds {
			checkPoints(t, a.Clock, &round)
		}
	}
	if trades != report.Trades || len(report.Auctions) != 8 {
		t.Errorf("%d trades of %d auctions, the report has %d", trades, len(report.Auctions), report.Trades)
	}
}

// checkPoints finds the price of a round as a person does, by the table of the page.
func checkPoints(t *testing.T, clock string, round *Round) {
	t.Helper()
	var best []priceRow
	for _, row := range round.points() {
		if row.Best {
			best = append(best, row)
		}
	}
	low, high := best[0].Low, best[len(best)-1].High
	price := (low + high) / 2
	switch surplus := int64(best[0].Supply) - int64(best[0].Demand); {
	case surplus > 0:
		price = low
	case surplus < 0:
		price = high
	}
	if round.Price != fmt.Sprint(price) || best[0].Traded != round.Volume {
		t.Errorf("%s: by hand %d Wh at %d, from %d to %d, on the ledger %d Wh at %s", clock, best[0].Traded, price, low, high, round.Volume, round.Price)
	}
}

func checkBreaches(t *testing.T, report *Report) {
	t.Helper()
	if report.Default == nil || report.Withholding == nil || report.Shortfall == nil {
		t.Fatalf("default %+v, withholding %+v, shortfall %+v", report.Default, report.Withholding, report.Shortfall)
	}
	if b := report.Default; b.Who != "Birch" || b.Since != "15:30" || b.Read != 0 || b.Lost != lotBond*b.Energy || b.Lost < b.Price {
		t.Errorf("default %+v", b)
	}
	withheld, short := report.Withholding, report.Shortfall
	if withheld.Who != "Loom" || withheld.Since != "16:00" || withheld.Read != withheld.Energy || withheld.Lost == 0 {
		t.Errorf("withholding %+v", withheld)
	}
	if short.Who != "Cedar" || short.Since != "16:30" || short.Read == 0 || short.Read >= short.Energy || short.Lost == 0 {
		t.Errorf("shortfall %+v", short)
	}
	if report.Default.Trades+withheld.Trades+short.Trades != report.Settled {
		t.Errorf("%d not delivered, %d withheld and %d short of %d settled", report.Default.Trades, withheld.Trades, short.Trades, report.Settled)
	}
	var bought, sold, got uint64
	var saved int64
	for _, a := range report.Households {
		bought, sold, saved = bought+a.Bought, sold+a.Sold, saved+a.Saved
	}
	for _, a := range report.Auctions {
		got += a.Got
	}
	if bought != sold || bought != report.Got || got != report.Got || saved <= 0 {
		t.Errorf("bought %d Wh, sold %d, got %d, by slot %d; saved %d", bought, sold, report.Got, got, saved)
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
	for _, name := range []string{"trades", "released", "settled", "held", "issued", "spendable", "locked", "seconds"} {
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
	for _, says := range []string{"Birch stops delivering", "Loom stops releasing", "A cloud over Cedar", "issued = held + locked"} {
		if !strings.Contains(page.String(), says) {
			t.Errorf("the text does not say %q:\n%s", says, page.String())
		}
	}
	for _, line := range strings.Split(page.String(), "\n") {
		if utf8.RuneCountInString(line) > 120 {
			t.Errorf("the line is too long for a terminal: %s", line)
		}
	}
}

// checkPage checks that the page stands alone and shows the figures of the report.
func checkPage(t *testing.T, report *Report) {
	t.Helper()
	for _, lang := range []string{"en", "zh"} {
		var page bytes.Buffer
		if err := report.WritePage(&page, lang, ""); err != nil {
			t.Fatal(err)
		}
		text := page.String()
		chosen, err := report.choose("")
		if err != nil {
			t.Fatal(err)
		}
		wants := []string{`<html lang="` + lang + `">`, "<title>", chosen.Clock, euros(report.Issued), "lockstep market clear orders.csv"}
		for _, line := range chosen.Rounds[0].Orders {
			wants = append(wants, fmt.Sprintf("%s,%s,%d,%d,%s\n", line.ID, line.Side, line.Quantity, line.Limit, line.Who))
		}
		for _, pair := range chosen.Rounds[0].Pairs {
			wants = append(wants, fmt.Sprintf("× %s → %d", chosen.Rounds[0].Price, pair.Price))
		}
		for _, a := range report.Households {
			wants = append(wants, "<td>"+signed(a.Saved)+"</td>")
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not have %q", lang, want)
			}
		}
		text = fontAddress.ReplaceAllString(text, "") // the font is within
		for _, foreign := range []string{"<script", "http://", "https://", "<link", "url(", "NaN", "Inf", "%!"} {
			if strings.Contains(text, foreign) {
				at := strings.Index(text, foreign)
				t.Errorf("%s: the page has %q: %s", lang, foreign, text[max(0, at-200):min(len(text), at+50)])
			}
		}
		checkNesting(t, text)
		t.Run("drawings_"+lang, func(t *testing.T) {
			for _, drawing := range browser.Drawings(t, "day.html", strings.Replace(text, "</style>", ".wide-only, .narrow-only { display: block !important }</style>", 1)) {
				for _, fault := range drawing.Legible() {
					t.Error(fault)
				}
			}
		})
	}
	var refused *OptionError
	if err := report.WritePage(io.Discard, "en", "03:00"); !errors.As(err, &refused) {
		t.Errorf("a slot without an auction: %v", err)
	}
}

var fontAddress = regexp.MustCompile(`url\("data:font/woff2;base64,[A-Za-z0-9+/=]+"\)`)

// checkNesting wants every element that is opened to be closed, in order.
func checkNesting(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%d elements are not closed", depth)
	}
}

func TestPlayCancellation(t *testing.T) {
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

func TestPlayRefusals(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"no slot":        func(o *Options) { o.To = o.From },
		"before the day": func(o *Options) { o.From = -1 },
		"after the day":  func(o *Options) { o.To = SlotsPerDay + 1 },
		"backwards":      func(o *Options) { o.Speed = -1 },
		"too fast":       func(o *Options) { o.Speed = 1e9 },
		"too slow":       func(o *Options) { o.Speed = 1e-9 },
		"no number":      func(o *Options) { o.Speed = math.NaN() },
		"too hasty":      func(o *Options) { o.Window = 1 },
	} {
		options := shortDay(t)
		spoil(&options)
		var refused *OptionError
		if _, err := Play(t.Context(), options); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBalanceFaults(t *testing.T) {
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
		"a unit came":                           func(state, _ *ledger.Sum, _ []Account) { state.Spendable++ },
		"a unit went":                           func(state, _ *ledger.Sum, _ []Account) { state.Locked-- },
		"a stake is counted by the state alone": func(state, _ *ledger.Sum, _ []Account) { state.InOrders++ },
		"a stake is counted by the API alone":   func(_, api *ledger.Sum, _ []Account) { api.InOrders++ },
		"a fee":                                 func(state, _ *ledger.Sum, _ []Account) { state.Fees++ },
		"the API shows more":                    func(_, api *ledger.Sum, _ []Account) { api.Spendable++ },
		"the API locks less":                    func(_, api *ledger.Sum, _ []Account) { api.Locked-- },
		"the API issued more":                   func(_, api *ledger.Sum, _ []Account) { api.Issued++ },
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
