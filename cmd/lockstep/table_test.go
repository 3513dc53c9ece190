package main

import (
	"bytes"
	"strings"
	"testing"
)

// A page breaks cells at its width, and shows a control character of a cell in escaped form.
func TestPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newPage(&out)
	p.row("asset", "spendable")
	p.row("EUR", "10.00")
	p.row("能源", "", "x\ty")
	p.line("%s", strings.Repeat("a ", pageWidth))
	p.row(strings.Repeat("word ", pageWidth/5+1))
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	got, rest, _ := strings.Cut(out.String(), "a a")
	if strings.Count(rest, "\n") != 3 {
		t.Errorf("a cell wider than the page is not broken: %q", rest)
	}
	if want := "asset  spendable\nEUR    10.00\n能源              x\\u0009y\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
