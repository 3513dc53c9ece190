package table

import (
	"strings"

	"golang.org/x/text/width"
)

// Width returns the number of places that a text takes on a terminal.
func Width(text string) (places int) {
	for _, r := range text {
		places++
		if wide(r) {
			places++
		}
	}
	return places
}

func wide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// Pad fills a text up with spaces to a number of places, with at least one space.
func Pad(text string, places int) string {
	return text + strings.Repeat(" ", max(places-Width(text), 1))
}

// broken breaks a cell into lines of a width: between words, and around the characters of a script that puts no spaces between them.
func broken(cell string, places int) []string {
	if Width(cell) <= places {
		return []string{cell}
	}
	lines := []string{""}
	for word := range strings.FieldsSeq(cell) {
		for i, piece := range pieces(word) {
			last := &lines[len(lines)-1]
			space := ""
			if i == 0 && *last != "" {
				space = " "
			}
			if *last == "" || Width(*last)+len(space)+Width(piece) <= places {
				*last += space + piece
				continue
			}
			lines = append(lines, piece)
		}
	}
	return lines
}

// pieces returns the parts of a word between which a line can end: each wide character is one, with the punctuation that follows
// it.
func pieces(word string) (parts []string) {
	open := false // the last part takes narrow characters
	for _, r := range word {
		switch {
		case len(parts) > 0 && strings.ContainsRune("，。；：）、", r):
			parts[len(parts)-1] += string(r)
			open = false
		case wide(r):
			parts = append(parts, string(r))
			open = false
		case open:
			parts[len(parts)-1] += string(r)
		default:
			parts = append(parts, string(r))
			open = true
		}
	}
	return parts
}
