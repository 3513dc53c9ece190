package page

import (
	"fmt"
	"html/template"
	"strings"
	"unicode/utf8"

	"lockstep/trade"
	"lockstep/trade/words"
)

// entry is one text of the page in both languages. Words about the state of a trade are not here: package trade/words has them.
type entry struct{ key, english, chinese string }

// texts finds the entries of the catalogue by their keys.
var texts = index(catalogueFrame, cataloguePages, catalogueWallet, catalogueCommunity, catalogueMarket, catalogueEvidence, catalogueTown, catalogueCodes) //nolint:gochecknoglobals // a constant table

func index(lists ...[]entry) map[string]*entry {
	found := map[string]*entry{}
	for _, list := range lists {
		for i := range list {
			found[list[i].key] = &list[i]
		}
	}
	return found
}

// T returns a text of the page. Arguments are pairs of a name and a value; a value that is not HTML is escaped.
func (c *screen) T(key string, args ...any) template.HTML { return translate(c.Lang, key, args...) }

func translate(language words.Language, key string, args ...any) template.HTML {
	one := texts[key]
	if one == nil {
		return template.HTML(escape(key))
	}
	text := one.english
	if language == words.Chinese {
		text = one.chinese
	}
	if len(args) == 0 {
		return template.HTML(text)
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		value, safe := args[i+1].(template.HTML)
		if !safe {
			value = template.HTML(escape(fmt.Sprint(args[i+1])))
		}
		pairs = append(pairs, "{"+fmt.Sprint(args[i])+"}", string(value))
	}
	return template.HTML(strings.NewReplacer(pairs...).Replace(text))
}

// N returns the text for a number of things: the key with .none, .one or .many.
func (c *screen) N(key string, n any, args ...any) template.HTML {
	number := fmt.Sprint(n)
	form := ".many"
	switch {
	case number == "1":
		form = ".one"
	case number == "0" && texts[key+".none"] != nil:
		form = ".none"
	}
	return c.T(key+form, append([]any{"n", c.Count(n)}, args...)...)
}

// Plain is T as text, for attributes.
func (c *screen) Plain(key string, args ...any) string { return plainText(c.T(key, args...)) }

// plainText takes the marks off a text.
func plainText(text template.HTML) string {
	var out strings.Builder
	inside := false
	for _, r := range string(text) {
		switch {
		case r == '<':
			inside = true
		case r == '>':
			inside = false
		case !inside:
			out.WriteRune(r)
		}
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(out.String())
}

// W returns a text of the catalogue of trades, such as the name of a phase.
func (c *screen) W(key trade.Key) string {
	return (&words.Printer{Language: c.Lang}).Key(key)
}

// Stop, Comma and Colon are the marks of the language.
func (c *screen) Stop() string { return c.mark(".", "。") }

// Comma separates two parts of a line.
func (c *screen) Comma() string { return c.mark(", ", "，") }

// Colon leads on.
func (c *screen) Colon() string { return c.mark(": ", "：") }

func (c *screen) mark(english, chinese string) string {
	if c.Lang == words.Chinese {
		return chinese
	}
	return english
}

// Say writes a text as a sentence: with a capital letter, and a full stop unless it has an end.
func (c *screen) Say(text string) string {
	text = words.Upper(text)
	if last, _ := utf8.DecodeLastRuneInString(text); strings.ContainsRune(".!?…。！？", last) {
		return text
	}
	return text + c.Stop()
}

// Upper begins a sentence.
func (c *screen) Upper(text string) string { return words.Upper(text) }

// functions are those of the templates that belong to no screen.
func functions() template.FuncMap {
	return template.FuncMap{
		"pair": func(screen, value any) map[string]any { return map[string]any{"S": screen, "V": value} },
		"list": func(values ...any) []any { return values },
		"add":  func(a, b int) int { return a + b },
	}
}
