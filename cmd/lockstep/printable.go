package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// name formats a word of another party, such as a commodity or a zone: unchanged when it is one plain word, else in quotes, so
// that it can't pass for a column, a number or a sentence of this program.
func name(text string) string {
	plain := text != ""
	for _, r := range text {
		plain = plain && !hidden(r) && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./", r))
	}
	if plain {
		return text
	}
	return `"` + strings.ReplaceAll(printable(text), `"`, `\"`) + `"`
}

// printable escapes the characters that a terminal obeys or hides: controls, line ends, and characters that change the direction
// of writing or take no room.
func printable(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&out, `\x%02x`, text[i])
		case hidden(r):
			for _, half := range utf16.Encode([]rune{r}) { // as JSON writes it too
				fmt.Fprintf(&out, `\u%04x`, half)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// hidden reports whether a character must not reach a terminal unchanged.
func hidden(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Zl, unicode.Zp) || invisible(r) || r != ' ' && unicode.Is(unicode.Zs, r)
}

// invisible reports whether a graphic character shows nothing: fillers, and the selectors of variants.
func invisible(r rune) bool {
	switch {
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x3164, r == 0xffa0, r == 0x2800:
		return true
	case r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef:
		return true
	}
	return false
}

// cleanWriter escapes the characters that a terminal would obey or hide. Line ends and tabs pass.
type cleanWriter struct {
	mu   sync.Mutex
	to   io.Writer
	rest []byte // the begin of a character whose end is still to come
}

func (t *cleanWriter) Write(content []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := append(t.rest, content...)
	end := len(all)
	for back := 1; back < utf8.UTFMax && back <= len(all); back++ {
		if utf8.RuneStart(all[len(all)-back]) {
			if !utf8.FullRune(all[len(all)-back:]) {
				end -= back
			}
			break
		}
	}
	text := string(all[:end])
	t.rest = append([]byte(nil), all[end:]...)
	var out strings.Builder
	for len(text) > 0 {
		end := strings.IndexAny(text, "\n\t")
		if end < 0 {
			end = len(text)
		}
		out.WriteString(printable(text[:end]))
		if text = text[end:]; text != "" {
			out.WriteByte(text[0])
			text = text[1:]
		}
	}
	if _, err := io.WriteString(t.to, out.String()); err != nil {
		return 0, err
	}
	return len(content), nil
}
