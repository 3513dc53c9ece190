package doctest

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"unicode/utf8"
)

// Sizes of the picture, in its own units.
const (
	letter = 8.0 // width of a letter of 13.3 in a monospaced face
	line   = 18.0
	margin = 20.0
	bar    = 34.0 // the window's title
)

const face = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

// TestPicture holds the picture of the demonstration in the README against the text of a real run, docs/images/demo.txt.
// To show another run: lockstep demo -q > docs/images/demo.txt, then -update.
func TestPicture(t *testing.T) {
	t.Parallel()
	current(t, "docs/images/demo.svg", picture("lockstep demo", read(t, "docs/images/demo.txt")))
}

// picture draws a text as a terminal shows it. It brings its own background, so that it reads the same on a light page and
// on a dark one.
func picture(title, text string) string {
	lines := append([]string{"$ " + title, ""}, strings.Split(strings.TrimRight(text, "\n"), "\n")...)
	widest := 0
	for _, l := range lines {
		widest = max(widest, utf8.RuneCountInString(l))
	}
	width, height := 2*margin+letter*float64(widest), bar+margin+line*float64(len(lines))
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(&out, `<rect width="%g" height="%g" rx="8" fill="#16191d" stroke="#3b424a"/>`+"\n", width, height)
	for i, colour := range []string{"#ec6a5e", "#f4bf4f", "#61c554"} {
		fmt.Fprintf(&out, `<circle cx="%g" cy="17" r="5.5" fill="%s"/>`+"\n", margin+18*float64(i), colour)
	}
	fmt.Fprintf(&out, `<g font-family="%s" font-size="13.3" fill="#d7dbe0" xml:space="preserve">`+"\n", face)
	for i, l := range lines {
		if l == "" {
			continue
		}
		// textLength keeps the columns in line, whatever face the reader has.
		fmt.Fprintf(&out, `<text x="%g" y="%g" textLength="%g" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			margin, bar+line*float64(i)+13, letter*float64(utf8.RuneCountInString(l)), shade(l), html.EscapeString(l))
	}
	out.WriteString("</g>\n</svg>\n")
	return out.String()
}

// shade sets headings and rules apart.
func shade(l string) string {
	switch {
	case strings.HasPrefix(l, "$ "):
		return ` fill="#8fd18f"`
	case strings.HasPrefix(l, "---"):
		return ` fill="#5b646e"`
	case l[0] != ' ' && !strings.Contains(l, "  ") && len(l) < 60:
		return ` fill="#8fb8f0" font-weight="bold"`
	}
	return ""
}
