package words_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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
		if !slices.Contains([]trade.Key{"separator", "colon", "aside", "text.of", "text.full_stop"}, key) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
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
		{words.English, "", trade.Message{Key: trade.StateSettled, Args: trade.Args{Total: 5}}, "the meter read <quantity 0> of <quantity 5>"},
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

// TestSpan: English has the form of Go, without zeros at the end; Chinese has its own units.
func TestSpan(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration][2]string{
		0:                             {"0s", "0 秒"},
		5 * time.Second:               {"5s", "5 秒"},
		30 * time.Minute:              {"30m", "30 分钟"},
		time.Minute:                   {"1m", "1 分钟"},
		90 * time.Second:              {"1m30s", "1 分钟 30 秒"},
		2 * time.Hour:                 {"2h", "2 小时"},
		time.Hour + 5*time.Minute:     {"1h5m", "1 小时 5 分钟"},
		time.Hour + 5*time.Second:     {"1h0m5s", "1 小时 5 秒"},
		10*time.Hour + 10*time.Minute: {"10h10m", "10 小时 10 分钟"},
		time.Hour - time.Second:       {"59m59s", "59 分钟 59 秒"},
	} {
		for i, language := range words.Languages() {
			if got := printer(language, "").Span(span); got != want[i] {
				t.Errorf("%s in %s is %q, not %q", span, language, got, want[i])
			}
		}
	}
}

// TestQuestion: a question lists the shares of the move; a sentence ends with the full stop of its language.
func TestQuestion(t *testing.T) {
	t.Parallel()
	c := trade.ConsentToAward(1, 2)
	for language, want := range map[words.Language]string{
		words.English: "Divide all locked money: <sum 1> to the producer, <sum 2> to you",
		words.Chinese: "分配全部锁定款项：生产者得<sum 1>，您得<sum 2>",
	} {
		if got := printer(language, trade.Consumer).Question(&c); got != want {
			t.Errorf("in %s: %q, not %q", language, got, want)
		}
	}
	for language, want := range map[words.Language]string{words.English: "Settled by the readings.", words.Chinese: "已按读数结算。"} {
		if got := printer(language, "").Sentence(trade.Message{Key: trade.DoneSettled}); got != want {
			t.Errorf("in %s: %q, not %q", language, got, want)
		}
	}
	flow := types.Flow{Point: types.PointID{1}, Direction: types.DirectionImport}
	if got := printer(words.English, "").Flow(flow); got != "import of connection point "+flow.Point.String() {
		t.Error(got)
	}
}
