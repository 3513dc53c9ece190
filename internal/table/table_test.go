package table_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/table"
)

const pageWidth = 80

func written(rows ...[]string) string {
	var out bytes.Buffer
	w := table.New(&out)
	w.Page = pageWidth
	for _, row := range rows {
		w.Row(row...)
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return out.String()
}

func TestColumns(t *testing.T) {
	t.Parallel()
	got := written([]string{"asset", "spendable"}, []string{"EUR", "10.00"}, []string{"能源", "", "x"})
	if want := "asset  spendable\nEUR    10.00\n能源              x\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// Columns are aligned to the right, have a least width, and a rule is as wide as its table. A line of text ends the table.
func TestColumnOptions(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := table.New(&out, table.Column{Width: 6}, table.Column{Right: true, Width: 3}, table.Column{Right: true})
	w.Gap = 1
	w.Row("能源", "1", "long")
	w.Rule()
	w.Row("a", "2345", "能")
	w.Line("%d lines", 3)
	w.Row("b", "6", "7")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `能源      1 long
----------------
a      2345   能
3 lines
b        6 7
`
	if out.String() != want {
		t.Errorf("\n%s\nnot\n%s", out.String(), want)
	}
}

var errFull = errors.New("the disk is full")

type fullDisk struct{ before int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.before--; d.before < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestOutputError(t *testing.T) {
	t.Parallel()
	for before := range 3 {
		w := table.New(&fullDisk{before})
		w.Row("a")
		w.Line("b")
		w.Row("c")
		if err := w.Flush(); !errors.Is(err, errFull) {
			t.Errorf("after %d lines: %v", before, err)
		}
	}
}

// A cell that is too long for the page is broken between words, and the id in the last column is on the first line of its row.
func TestBrokenCells(t *testing.T) {
	t.Parallel()
	long := "1 kWh energy, 2026-11-27 01:45 to 02:00 UTC, north, of the roof behind the house"
	got := written([]string{"phase", "goods", "trade"}, []string{"paid", long, "b375faf3c614"}, []string{"paid", "short", "111111111111"})
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
func TestBrokenChineseCells(t *testing.T) {
	t.Parallel()
	got := written([]string{"阶段", strings.Repeat("货款和附加金，", 7) + "返回金"}, []string{"ab", "x"})
	want := "阶段  货款和附加金，货款和附加金，货款和附加金，货款和附加金，货款和附加金，货款\n      和附加金，货款和附加金，返回金\nab    x\n"
	if got != want {
		t.Errorf("\n%s\nnot\n%s", got, want)
	}
	for line := range strings.Lines(got) {
		if width := table.Width(strings.TrimRight(line, "\n")); width > pageWidth {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

func TestPageWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9é]{1,9}`), 0, 12)
		cell := rapid.Map(words, func(words []string) string { return strings.Join(words, " ") })
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 4), 1, 5).Draw(t, "rows")
		text := written(rows...)
		if got, want := strings.Fields(text), strings.Fields(strings.Join(slicesJoin(rows), " ")); len(got) != len(want) {
			t.Fatalf("%d words became %d:\n%s", len(want), len(got), text)
		}
		for line := range strings.Lines(text) {
			if width := table.Width(strings.TrimRight(line, "\n")); width > pageWidth {
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
