package words_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

func printer(language words.Language, viewer trade.Role) *words.Printer {
	return &words.Printer{
		Language: language, Viewer: viewer,
		Money:    func(a types.Amount) string { return "<sum " + a.String() + ">" },
		Time:     func(t types.Time) string { return fmt.Sprintf("<time %d>", t) },
		Quantity: func(n uint64) string { return fmt.Sprintf("<quantity %d>", n) },
	}
}

// TestCatalogue: every key of package trade has a text in each language, and each text uses exactly the arguments of its key.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	used := regexp.MustCompile(`\{([a-z]+)('s)?\}`)
	listed := map[trade.Key]bool{}
	for _, info := range trade.Keys() {
		listed[info.Key] = true
		for _, language := range words.Languages() {
			text, known := words.LookUp(language, info.Key)
			if !known || strings.TrimSpace(text) == "" {
				t.Errorf("%s has no text in %s", info.Key, language)
				continue
			}
			names := []string{}
			for _, match := range used.FindAllStringSubmatch(text, -1) {
				names = append(names, match[1])
			}
			slices.Sort(names)
			want := slices.Sorted(slices.Values(info.Args))
			if !slices.Equal(names, want) {
				t.Errorf("%s in %s uses %q, its arguments are %q: %s", info.Key, language, names, want, text)
			}
		}
	}
	seen := map[trade.Key]bool{}
	for _, key := range words.AllKeys() {
		if seen[key] {
			t.Errorf("%s stands twice in the catalogue", key)
		}
		seen[key] = true
		if !listed[key] && !words.IsOwn(key) {
			t.Errorf("%s has a text, and nothing gives it", key)
		}
	}
}

// TestChineseTexts: all Chinese texts contain Chinese characters and full-width punctuation.
func TestChineseTexts(t *testing.T) {
	t.Parallel()
	for _, key := range words.AllKeys() {
		text, _ := words.LookUp(words.Chinese, key)
		if strings.ContainsAny(text, ",;:!?()") {
			t.Errorf("%s: %q has narrow punctuation", key, text)
		}
		if key != "separator" && key != "colon" && key != "aside" && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %q is not Chinese", key, text)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	lapsed := trade.Message{Key: trade.StateLapsed, Args: trade.Args{Role: trade.Consumer, Until: 5}}
	owner := trade.Message{Key: trade.OwnerRole, Args: trade.Args{Role: trade.Consumer}}
	for _, c := range []struct {
		language words.Language
		viewer   trade.Role
		message  trade.Message
		want     string
	}{
		{words.English, trade.Consumer, lapsed, "you did not pay by <time 5>"},
		{words.English, trade.Producer, lapsed, "the consumer did not pay by <time 5>"},
		{words.English, "", lapsed, "the consumer did not pay by <time 5>"},
		{words.Chinese, trade.Consumer, lapsed, "您未在<time 5>之前付款"},
		{words.Chinese, trade.Producer, lapsed, "消费者未在<time 5>之前付款"},
		{words.English, trade.Consumer, owner, "yours to spend"},
		{words.English, trade.Producer, owner, "the consumer's to spend"},
		{words.English, "", trade.Message{Key: trade.NotePartlyReleased, Args: trade.Args{Released: 2, Instalments: 5, Sum: 9}}, "2 of 5 instalments so far: <sum 9> is the producer's"},
		{words.English, "", trade.Message{Key: trade.StateSettled, Args: trade.Args{Total: 5}}, "settled by the reading: <quantity 0> of <quantity 5>"},
		{words.English, "", trade.Message{Key: "state.of_a_newer_node"}, "state.of_a_newer_node"},
	} {
		if got := printer(c.language, c.viewer).Text(c.message); got != c.want {
			t.Errorf("%s for %q: %q, not %q", c.message.Key, c.viewer, got, c.want)
		}
	}
}

func TestLanguageOfLocale(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]words.Language{
		"": words.English, "C": words.English, "en_GB.UTF-8": words.English, "zh": words.Chinese, "zh_CN.UTF-8": words.Chinese, "zh-Hans-CN": words.Chinese,
		"ZH_TW": words.Chinese, "zh.UTF-8": words.Chinese, "zha": words.English, "de_ZH": words.English,
	} {
		if got := words.Of(locale); got != want {
			t.Errorf("%q is %s, not %s", locale, got, want)
		}
	}
}
