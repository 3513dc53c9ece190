package sim_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"lockstep/internal/browser"
	"lockstep/internal/sim"
	"lockstep/internal/sim/rules"
	"lockstep/internal/sim/study"
)

// TestDay: the day of the demonstration is told by what the ledger has of it: auctions, broken words, money. The same seed gives the same report
// on every machine.
func TestDay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	scenario := study.Demonstration(sim.Summer, 1)
	report, err := study.Day(scenario, study.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Conserved || len(report.Faults) > 0 || report.Issued != report.Held+report.Locked || report.Held != report.Spendable {
		t.Errorf("the books: %+v", report.Books)
	}
	if report.Trades == 0 || report.Trades != report.Released+report.Settled || report.Locked != 0 {
		t.Errorf("%d trades: %d released, %d settled, %d locked", report.Trades, report.Released, report.Settled, report.Locked)
	}
	checkDocumented(t, report)
	checkForms(t, report)
	checkPage(t, report)
	checkAuctions(t, report)
	checkBreaches(t, report)
}

// checkDocumented compares the day with the text that the README shows.
func checkDocumented(t *testing.T, report *sim.Report) {
	t.Helper()
	shown, err := os.ReadFile("../../docs/images/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if text.String() != string(shown) {
		t.Error("docs/images/demo.txt shows another day: lockstep demo --text -q > docs/images/demo.txt, then go test ./internal/doctest -update")
	}
}

// TestHonestDay: without cheats and the cloud, the agents trade all that the figures of the households allow, here on a measured day.
func TestHonestDay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a day of a town, minutes under the race detector: make test runs it without, make race with it")
	}
	measured, err := sim.ReadProfiles(strings.NewReader(measuredDay()), "a house")
	if err != nil {
		t.Fatal(err)
	}
	scenario := study.Demonstration(sim.Summer, 1)
	scenario.Honest, scenario.Day = true, measured
	report, err := study.Day(scenario, study.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var volume uint64
	for _, s := range sim.Compare(measured, "measured", sim.Honest(sim.Households(1)), false).Schemes {
		if s.Name == "uniform price" {
			volume = s.Volume
		}
	}
	if !report.Conserved || report.Default != nil || report.Withholding != nil || report.Shortfall != nil || report.Settled > 0 || report.Got != volume || volume == 0 {
		t.Errorf("%d Wh traded, %d by the rule; %d settled; %+v", report.Got, volume, report.Settled, report.Books)
	}
}

// checkAuctions clears every slot again from the households' own figures, knowing nothing of the ledger.
func checkAuctions(t *testing.T, report *sim.Report) {
	t.Helper()
	profile, err := sim.Standard(sim.Summer)
	if err != nil {
		t.Fatal(err)
	}
	book := sim.Book(profile, sim.Households(1))
	trades := 0
	for _, a := range report.Auctions {
		var volume uint64
		for _, f := range rules.Uniform(book(a.Slot)) {
			volume += f.Wh
		}
		if a.Clock < "10:00" && a.Volume != volume || a.Price == "" || len(a.Rounds) == 0 || a.Void != "" { // later records are demanded
			t.Errorf("%s: matched %d Wh at %q, the households' figures give %d Wh", a.Clock, a.Volume, a.Price, volume)
		}
		trades += a.Trades
		for _, round := range a.Rounds {
			checkPoints(t, a.Clock, &round)
		}
	}
	if trades != report.Trades || len(report.Auctions) != 60 {
		t.Errorf("%d trades of %d auctions, the report has %d", trades, len(report.Auctions), report.Trades)
	}
}

// checkPoints finds the price of a round as a person does, by the table of the page.
func checkPoints(t *testing.T, clock string, round *sim.Round) {
	t.Helper()
	var best []sim.PriceRow
	for _, row := range round.Points() {
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

func checkBreaches(t *testing.T, report *sim.Report) {
	t.Helper()
	if report.Default == nil || report.Withholding == nil || report.Shortfall == nil {
		t.Fatalf("default %+v, withholding %+v, shortfall %+v", report.Default, report.Withholding, report.Shortfall)
	}
	if b := report.Default; b.Who != "Birch" || b.Since != "10:00" || b.Read != 0 || b.Lost != 500*b.Energy || b.Lost < b.Price {
		t.Errorf("default %+v", b)
	}
	withheld, short := report.Withholding, report.Shortfall
	if withheld.Who != "Loom" || withheld.Since != "12:00" || withheld.Read != withheld.Energy || withheld.Lost == 0 {
		t.Errorf("withholding %+v", withheld)
	}
	if short.Who != "Cedar" || short.Since != "17:30" || short.Read == 0 || short.Read >= short.Energy || short.Lost == 0 {
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

func checkForms(t *testing.T, report *sim.Report) {
	t.Helper()
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"trades", "released", "settled", "held", "issued", "spendable", "locked"} {
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
func checkPage(t *testing.T, report *sim.Report) {
	t.Helper()
	for _, lang := range []string{"en", "zh"} {
		var page bytes.Buffer
		if err := report.WritePage(&page, lang, ""); err != nil {
			t.Fatal(err)
		}
		text := page.String()
		chosen, err := report.Choose("")
		if err != nil {
			t.Fatal(err)
		}
		wants := []string{`<html lang="` + lang + `">`, "<title>", chosen.Clock, sim.Euros(report.Issued), "lockstep market clear orders.csv"}
		for _, line := range chosen.Rounds[0].Orders {
			wants = append(wants, fmt.Sprintf("%s,%s,%d,%d,%s\n", line.ID, line.Side, line.Quantity, line.Limit, line.Who))
		}
		for _, pair := range chosen.Rounds[0].Pairs {
			wants = append(wants, fmt.Sprintf("× %s → %d", chosen.Rounds[0].Price, pair.Price))
		}
		for _, a := range report.Households {
			wants = append(wants, "<td>"+sim.Signed(a.Saved)+"</td>")
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
	var refused *sim.OptionError
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

// measuredDay is a file of a house's hours: its roof makes 3 kW from nine to five, and it uses between 0.3 and 1.5 kW.
func measuredDay() string {
	text := "timestamp,PV,load\n"
	for hour := range 24 {
		sun := 0
		if hour >= 9 && hour < 17 {
			sun = 3000
		}
		text += fmt.Sprintf("2026-06-15T%02d:00:00+02:00,%d,%d\n", hour, sun, 300+50*hour)
	}
	return text
}
