package types

import (
	"unicode"
	"unicode/utf8"
)

// CheckText refuses a text that can't be shown safely: too long (in bytes), not UTF-8, or with an invisible character in it.
func CheckText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return Refuse(CodeText, "the %s has %d bytes, at most %d are allowed", what, len(text), most)
	case !utf8.ValidString(text):
		return Refuse(CodeText, "the %s is not valid UTF-8", what)
	}
	for _, r := range text {
		if !visible(r) {
			return Refuse(CodeText, "the %s holds a character that is not seen, %U: leave it out", what, r)
		}
	}
	return nil
}

// visible reports whether a character shows as itself. An invisible one could make a terminal show something else, or make two
// texts look the same: controls, formats such as the zero-width ones, line and paragraph separators, unassigned code points,
// empty fillers, and variation selectors.
func visible(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.IsGraphic(r) && r != brailleBlank && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
