package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func table(rows ...[]string) string {
	var out bytes.Buffer
	p := newPage(&out)
	for _, row := range rows {
		p.row(row...)
	}
	p.flush()
	return out.String()
}

func TestTableInColumns(t *testing.T) {
	t.Parallel()
	got := table([]string{"asset", "spendable"}, []string{"EUR", "10.00"}, []string{"能源", "", "x\ty"})
	if want := "asset  spendable\nEUR    10.00\n能源              x\\u0009y\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// A cell that is too long for the page is broken between words, and the id in the last column is on the first line of its row.
func TestTableBreaksCells(t *testing.T) {
	t.Parallel()
	long := "1 kWh energy, 2026-11-27 01:45 to 02:00 UTC, north, of the roof behind the house"
	got := table([]string{"phase", "goods", "trade"}, []string{"paid", long, "b375faf3c614"}, []string{"paid", "short", "111111111111"})
	want := `phase  goods                                                        trade
paid   1 kWh energy, 2026-11-27 01:45 to 02:00 UTC, north, of the   b375faf3c614
       roof behind the house
paid   short                                                        111111111111
`
	if got != want {
		t.Errorf("\n%s\nnot\n%s", got, want)
	}
}

// A Chinese text is broken between characters, never before its punctuation, and takes two columns for each of them.
func TestTableBreaksChinese(t *testing.T) {
	t.Parallel()
	got := table([]string{"阶段", strings.Repeat("货款和附加金，", 7) + "返回金"}, []string{"ab", "x"})
	want := "阶段  货款和附加金，货款和附加金，货款和附加金，货款和附加金，货款和附加金，货款\n      和附加金，货款和附加金，返回金\nab    x\n"
	if got != want {
		t.Errorf("\n%s\nnot\n%s", got, want)
	}
	for line := range strings.Lines(got) {
		if width := cells(strings.TrimRight(line, "\n")); width > pageWidth {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

func TestTableFitsThePage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9é]{1,9}`), 0, 12)
		cell := rapid.Map(words, func(words []string) string { return strings.Join(words, " ") })
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 4), 1, 5).Draw(t, "rows")
		text := table(rows...)
		if got, want := strings.Fields(text), strings.Fields(strings.Join(slicesJoin(rows), " ")); len(got) != len(want) {
			t.Fatalf("%d words became %d:\n%s", len(want), len(got), text)
		}
		for line := range strings.Lines(text) {
			if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > pageWidth {
				t.Fatalf("%d columns:\n%s", width, text)
			}
		}
	})
}

func slicesJoin(rows [][]string) (lines []string) {
	for _, row := range rows {
		lines = append(lines, strings.Join(row, " "))
	}
	return lines
}
