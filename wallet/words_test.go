package wallet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWordLayouts(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	list := strings.Fields(w.Words())
	numbered := func(format string, order ...int) string {
		var text strings.Builder
		for _, i := range order {
			fmt.Fprintf(&text, format, i+1, list[i])
		}
		return text.String()
	}
	rows := make([]int, len(list))
	columns := make([]int, 0, len(list))
	for i := range list {
		rows[i] = i
		columns = append(columns, i%2*12+i/2)
	}
	for name, text := range map[string]string{
		"plain":           w.Words(),
		"lines":           strings.Join(list, "\n"),
		"DOS lines":       strings.Join(list, "\r\n") + "\r\n",
		"commas":          strings.Join(list, ", "),
		"JSON":            `["` + strings.Join(list, `", "`) + `"]`,
		"capitals":        strings.ToUpper(w.Words()),
		"spaces":          "  " + strings.Join(list, " \t  ") + "\n\n",
		"no-break spaces": strings.Join(list, "\u00a0"),
		"byte order mark": "\ufeff" + w.Words(),
		"table":           WordTable(w.Words()),
		"table with BOM":  "\ufeff" + WordTable(w.Words()),
		"what wallet new prints": "Wallet /home/you/wallet1.age\nKey    lk1frum5umkdwdrfwgtpzvjlwxng0e5e6n4kzvjwd3lc4a57qlsuxjshv0v2p\n\n" +
			"Write these words down and keep them.\n\n" + WordTable(w.Words()),
		"numbers with dots":   numbered("%d. %s\n", rows...),
		"numbers in a line":   numbered("%d.%s ", rows...),
		"numbers glued":       numbered("%d%s ", rows...),
		"numbers in brackets": numbered("(%d) %s; ", rows...),
		"two columns":         numbered("%02d: %s\n", columns...),
		"numbers behind":      strings.Join(list, " 7 ") + " 24",
		"numbers of rows":     "1-6: " + strings.Join(list[:6], " ") + "\n7-24: " + strings.Join(list[6:], " "),
		"fullwidth": strings.Map(func(r rune) rune {
			if r > ' ' {
				return r + 0xfee0
			}
			return r
		}, w.Words()),
	} {
		seed, err := ParseWords(text, "")
		if err != nil || seed.Words() != w.Words() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongNumbers(t *testing.T) {
	t.Parallel()
	good := WordTable(artWords)
	for name, c := range map[string][2]string{
		"twice":   {strings.Replace(good, "13 ", "12 ", 1), "two words have the number 12"},
		"missing": {strings.Replace(good, "13 abandon", "", 1), "word 13 is missing"},
		"beyond":  {strings.Replace(good, "24 ", "25 ", 1), "number 25"},
		"zero":    {strings.Replace(good, " 1 ", " 0 ", 1), "number 0"},
	} {
		if _, err := ParseWords(c[0], ""); ReasonOf(err) != ReasonWords || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(artWords)
	f.Add(WordTable(artWords))
	f.Add("1 a 1 a\n\xff 999 \u00e9")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := splitWords(text)
		if err != nil {
			if ReasonOf(err) != ReasonWords {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if again, err := splitWords(strings.Join(words, " ")); err != nil || !slices.Equal(again, words) {
			t.Fatalf("%q became %q, %v", words, again, err)
		}
	})
}
