package page

import (
	"encoding/json"
	"strings"
	"testing"

	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// TestTextsOfOthers: no name of the ledger looks like a label of the viewer's own, and texts of records hold no character that is not seen.
func TestTextsOfOthers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"@clara": "clara", " @ @clara": "clara", "\uff20clara": "clara", "\ufe6bclara": "clara", "\u3000@clara": "clara", "\u00a0\ufe6b clara": "clara",
		"clara@home": "clara@home", "\ue000clara": "clara", "李雷": "李雷", "\ufe6b": "",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%+q is shown as %+q, want %+q", name, got, want)
		}
	}
	for _, hidden := range []string{"\u061c", "\u202e", "\u2066", "\ufeff", "\u0085", "\u00ad", "\u2028", "\U000e0041", "\ue000", "\x1b"} {
		if got := printable("a" + hidden + "b"); got != "ab" {
			t.Errorf("a record shows %+q as %+q", hidden, got)
		}
	}
}

// TestIsolated: a name that is written from the right can't turn the arrow between two names.
func TestIsolated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Clara": "Clara", "李雷": "李雷", "\u05d0\u05d1": "\u2068\u05d0\u05d1\u2069", "a\u0627": "\u2068a\u0627\u2069", "\U0001e900": "\u2068\U0001e900\u2069"} {
		if got := isolated(text); got != want {
			t.Errorf("%+q is shown as %+q", text, got)
		}
	}
}

// TestTroubleTexts: the troubles of an agent are told in the reader's language, any other as it came.
func TestTroubleTexts(t *testing.T) {
	t.Parallel()
	for trouble, want := range map[Trouble][2]string{
		"":                     {"", ""},
		"it rains":             {"it rains", "it rains"},
		TroubleUnseen:          {"It has not seen the ledger yet.", "尚未看到账本。"},
		TroubleStandby:         {"Another agent with the same words trades: this one stands back.", "另一个使用相同助记词的代理程序正在交易，本程序待命。"},
		TroubleSilent:          {"No value for some minutes.", "几分钟没有数值。"},
		TroubleNode + ": away": {"The node does not answer: away", "节点没有响应：away"},
	} {
		for i, language := range []words.Language{words.English, words.Chinese} {
			if got := (&screen{Lang: language}).trouble(trouble); got != want[i] {
				t.Errorf("%s in %s: %q, want %q", trouble, language, got, want[i])
			}
		}
	}
}

// TestDocumentOfOthers: a node of others can't stop the page by a document with gaps.
func TestDocumentOfOthers(t *testing.T) {
	t.Parallel()
	var document openAPI
	text := `{"paths":{"/v1/a":{"get":{"parameters":[{"schema":null}],"responses":{"200":{"content":{"x":{"schema":null}}}}}}},
		"components":{"schemas":{"Gap":null,"One":{"properties":{"gap":null,"n":{"oneOf":[null]}}}}}}`
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	v := documentView(&document)
	if len(v.Schemas) != 1 || len(v.Schemas[0].Fields) != 1 || len(v.Groups) != 1 {
		t.Errorf("%+v", v)
	}
}

// TestExplained: each code and each reason of a wallet has a Chinese sentence, and a reader of Chinese reads it before the English details; a text of the page's own stands alone, without
// the advice of its code.
func TestExplained(t *testing.T) {
	t.Parallel()
	english, chinese := &screen{Lang: words.English}, &screen{Lang: words.Chinese}
	for _, code := range types.CodeList() {
		if code.Code == types.CodeOK {
			continue
		}
		err := types.Refuse(code.Code, "the <detail>")
		if got := chinese.explain(err); !isChinese(got) || !strings.HasSuffix(got, "（the <detail>）") || strings.HasPrefix(got, "（") {
			t.Errorf("%s: %s", code.Name, got)
		}
		if got := english.explain(err); got != "the <detail>" || english.advice(err) != code.Sentence || chinese.advice(err) != "" {
			t.Errorf("%s: %s, %s", code.Name, got, english.advice(err))
		}
	}
	for _, reason := range []wallet.Reason{
		wallet.ReasonWords, wallet.ReasonPassphrase, wallet.ReasonConsent, wallet.ReasonExists, wallet.ReasonMissing, wallet.ReasonPermissions, wallet.ReasonNotWallet, wallet.ReasonDamaged,
		wallet.ReasonAccount, wallet.ReasonFunds, wallet.ReasonNotOurs, wallet.ReasonMismatch, wallet.ReasonLimit, wallet.ReasonLedger, wallet.ReasonClock, wallet.ReasonAsset, wallet.ReasonSealed, wallet.ReasonProposal,
	} {
		if got := chinese.explain(&wallet.Error{Reason: reason, Detail: "the detail"}); !isChinese(got) {
			t.Errorf("%s: %s", reason, got)
		}
	}
	own := chinese.tell(types.CodeMalformed, "fault.price", "text", "abc")
	if got := chinese.explain(own); strings.Contains(got, "（") || !strings.Contains(got, "abc") || types.CodeOf(own) != types.CodeMalformed {
		t.Errorf("a text of the page: %s", got)
	}
	if own := english.tell(types.CodeReplay, "ask.twice"); english.advice(own) != "" {
		t.Errorf("advice beside a text of the page: %s", english.advice(own))
	}
}
