package strategy_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/strategy"
)

// The page has the study's tables between its fences, and its plot beside it.
var (
	page  = filepath.Join("..", "..", "docs", "explanation", "markets.md")
	plot  = filepath.Join("..", "..", "docs", "images", "strategy.svg")
	write = flag.Bool("write", false, "run the whole study and write its tables and its plot into the documentation; some minutes")
)

// TestStudy runs the study against the smallest number of honest traders, and wants the page to have the same rows.
func TestStudy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	numbers := strategy.Numbers()[:1]
	if *write {
		numbers = strategy.Numbers()
	}
	var tables []strategy.Table
	for _, kind := range strategy.Kinds() {
		tables = append(tables, strategy.Study(kind, numbers))
	}
	if *write {
		rewrite(t, string(text), tables)
		return
	}
	for i := range tables {
		for row := range strings.Lines(tables[i].Text()) {
			if !strings.Contains(string(text), row) {
				t.Errorf("%s lacks the row %q; -write writes it anew", page, row)
			}
		}
	}
}

// rewrite replaces the text block after the heading of each kind, and the plot.
func rewrite(t *testing.T, text string, tables []strategy.Table) {
	t.Helper()
	for i := range tables {
		table := tables[i].Text()
		title, _, _ := strings.Cut(table, "\n")
		before, after, found := strings.Cut(text, "```text\n"+title+"\n")
		_, after, closed := strings.Cut(after, "```\n")
		if !found || !closed {
			t.Fatalf("%s has no block of %q", page, title)
		}
		text = before + "```text\n" + table + "```\n" + after
	}
	for path, content := range map[string]string{page: text, plot: strategy.Plot(tables)} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSlotPhantom: on the documentation's slot a seller's second key that buys the surplus moves the price. At the market's
// pressure not even all sellers together gain by it; at the middle of the interval two of them would nearly double their gain.
func TestSlotPhantom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule    strategy.Rule
		sellers []string
		want    strategy.Phantom
	}{
		{strategy.Pressure, []string{"birch"}, strategy.Phantom{Before: 96, After: 114, Honest: 31395, Gain: -10611}},
		{strategy.Pressure, []string{"birch", "alder"}, strategy.Phantom{Before: 96, After: 114, Honest: 44989, Gain: 20461}},
		{strategy.Pressure, []string{"birch", "alder", "cedar", "dairy"}, strategy.Phantom{Before: 96, After: 114, Honest: 44989, Gain: 33889}},
		{strategy.Middle, []string{"birch"}, strategy.Phantom{Before: 104, After: 173, Honest: 42315, Gain: 35468}},
		{strategy.Middle, []string{"birch", "alder"}, strategy.Phantom{Before: 104, After: 173, Honest: 63677, Gain: 123829}},
		{strategy.Middle, []string{"birch", "alder", "cedar", "dairy"}, strategy.Phantom{Before: 104, After: 173, Honest: 64981, Gain: 181330}},
	} {
		if got := strategy.SlotPhantom(c.rule, 584, 232, c.sellers...); got != c.want {
			t.Errorf("%s, %v: %+v, want %+v", c.rule, c.sellers, got, c.want)
		}
	}
}
