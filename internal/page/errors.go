package page

import (
	"errors"
	"unicode"

	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// told is a refusal in the reader's language, with its own advice.
type told struct{ *types.Refusal }

// Unwrap returns the refusal.
func (t told) Unwrap() error { return t.Refusal }

// tell returns a refusal with a text of the catalogue.
func (c *screen) tell(code types.Code, key string, args ...any) error {
	return told{&types.Refusal{Code: code, Detail: c.Plain(key, args...)}}
}

// explain says why something failed, for a form that stays as it was typed. Details of the ledger and of the wallet are in English, so a reader of another language first reads the
// sentence of the code.
func (c *screen) explain(err error) string {
	detail := detail(err)
	if c.Lang != words.Chinese || isChinese(detail) {
		return detail
	}
	key := "code." + types.CodeOf(err).String()
	if reason := wallet.ReasonOf(err); reason != "" {
		key = "wallet.reason." + string(reason)
	}
	if texts[key] == nil {
		return detail
	}
	return c.Plain(key) + "（" + detail + "）"
}

// detail is the reason of an error without its code.
func detail(err error) string {
	refusal, refused := (*types.Refusal)(nil), (*wallet.Error)(nil)
	switch {
	case errors.As(err, &refusal):
		return refusal.Detail
	case errors.As(err, &refused):
		return refused.Detail
	}
	return err.Error()
}

// isChinese reports whether a text is written in Chinese, maybe with words of others.
func isChinese(text string) bool {
	for _, r := range text {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}

// advice is for a refusal, where neither its detail nor its explanation says it.
func (c *screen) advice(err error) string {
	if errors.As(err, new(told)) || wallet.ReasonOf(err) != "" || c.Lang == words.Chinese {
		return ""
	}
	return types.CodeOf(err).Sentence()
}
