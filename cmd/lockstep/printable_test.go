package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"lockstep/trade/words"
	"lockstep/types"
)

func TestNamesThatFake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"energy": "energy", "übergabe-3": "übergabe-3", "能源": "能源", "": `""`,
		"energy  0.01 EUR  free": `"energy  0.01 EUR  free"`, "energy, 12:00": `"energy, 12:00"`,
		"a\tb": `"a\u0009b"`, "a\u200bb": `"a\u200bb"`, "a\u202eb": `"a\u202eb"`, "a\u2028b": `"a\u2028b"`, "\x1b[2J": `"\u001b[2J"`,
		`x" (note: "`: `"x\" (note: \""`, "a\u00a0b": `"a\u00a0b"`, "a\u3164": `"a\u3164"`, "a\U000e0101": `"a\udb40\udd01"`, "a\xff": `"a\xff"`,
		"1kWh": "1kWh", "\ufffd": "\"\ufffd\"",
	} {
		if got := name(text); got != want {
			t.Errorf("%q is written as %s, not %s", text, got, want)
		}
	}
}

// Nothing hidden comes through, however the text is cut into writes, and JSON keeps its meaning.
func TestCleanWriter(t *testing.T) {
	t.Parallel()
	text := "line\twith é and 能\nand \x1b[31mred\x1b[0m, \u202egnol\u202c, \U000e0101 \xff.\r\n"
	want := "line\twith é and 能\nand \\u001b[31mred\\u001b[0m, \\u202egnol\\u202c, \\udb40\\udd01 \\xff.\\u000d\n"
	for cut := range len(text) {
		var out bytes.Buffer
		screen := &cleanWriter{to: &out}
		for _, part := range []string{text[:cut], text[cut:]} {
			if n, err := screen.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.String() != want {
			t.Fatalf("cut at %d:\n%q\nwant\n%q", cut, out.String(), want)
		}
	}
	var out bytes.Buffer
	value := map[string]string{"a": "\u202e\u200b\U000e0101 fine"}
	if err := json.NewEncoder(&cleanWriter{to: &out}).Encode(value); err != nil {
		t.Fatal(err)
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["a"] != value["a"] || strings.Contains(out.String(), "\u202e") {
		t.Errorf("%s is read as %q, %v", out.String(), back, err)
	}
}

func TestGoodsThatFake(t *testing.T) {
	t.Parallel()
	goods := types.Goods{Commodity: "energy, 1 MWh", Unit: "Wh", Quantity: 1, Zone: "a)  (note", Note: "free\nTrade signed"}
	if got, want := describeGoods(&words.Printer{}, &goods), `1 Wh "energy, 1 MWh", "a)  (note" (note: "free\u000aTrade signed")`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b\xff\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		if !utf8.ValidString(got) || strings.IndexFunc(got, hidden) >= 0 {
			t.Errorf("%q is written as %q", text, got)
		}
	})
}
