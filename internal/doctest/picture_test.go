package doctest

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"lockstep/internal/browser"
	"lockstep/internal/svg"
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
// To show another run: lockstep demo --text -q > docs/images/demo.txt, then -update.
func TestPicture(t *testing.T) {
	t.Parallel()
	current(t, "docs/images/demo.svg", picture("lockstep demo --text", read(t, "docs/images/demo.txt")))
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
	var drawing svg.Drawing
	drawing.Add("rect", "width", width, "height", height, "rx", 8, "fill", "#16191d", "stroke", "#3b424a")
	for i, colour := range []string{"#ec6a5e", "#f4bf4f", "#61c554"} {
		drawing.Add("circle", "cx", margin+18*float64(i), "cy", 17, "r", 5.5, "fill", colour)
	}
	end := drawing.Group("font-family", face, "font-size", "13.3", "fill", "#d7dbe0")
	for i, l := range lines {
		for _, c := range columns(l) {
			// textLength keeps the columns aligned in every typeface.
			drawing.Text(c.text, append([]any{
				"x", margin + letter*float64(c.at), "y", baseline(i),
				"textLength", letter * float64(utf8.RuneCountInString(c.text)), "lengthAdjust", "spacingAndGlyphs",
			}, shade(l)...)...)
		}
	}
	end()
	return drawing.Document(title, width, height, "width", width, "height", height)
}

// baseline is the height of a line's foot.
func baseline(i int) float64 { return bar + line*float64(i) + 13 }

// A column is a part of a line without two spaces side by side: browsers draw those as one.
type column struct {
	at   int // letters before it
	text string
}

func columns(l string) []column {
	var found []column
	at := 0
	for part := range strings.SplitSeq(l, "  ") {
		text := strings.TrimSpace(part)
		if text != "" {
			indent := len(part) - len(strings.TrimLeft(part, " "))
			found = append(found, column{at + indent, text})
		}
		at += utf8.RuneCountInString(part) + 2
	}
	return found
}

// TestPictureInBrowser holds each letter that a browser draws against its place in the text, to a quarter of its width.
func TestPictureInBrowser(t *testing.T) {
	t.Parallel()
	text := "$ lockstep demo --text\n\n" + read(t, "docs/images/demo.txt")
	want := make(map[place]string)
	for i, l := range strings.Split(text, "\n") {
		for at, r := range []rune(l) {
			if r != ' ' {
				want[place{i, at}] = string(r)
			}
		}
	}
	drawing := browser.Drawings(t, "demo.svg", read(t, "docs/images/demo.svg"))[0]
	for _, fault := range drawing.Legible() {
		t.Error(fault)
	}
	for _, drawn := range drawing.Texts {
		for i, r := range []rune(drawn.Text) { // none is beyond 16 bits
			if r == ' ' || i >= len(drawn.Glyphs) {
				continue
			}
			glyph := drawn.Glyphs[i]
			at := place{int(math.Round((glyph.Base - baseline(0)) / line)), int(math.Round((glyph.Left - margin) / letter))}
			if off := math.Abs(glyph.Left - margin - letter*float64(at.letter)); want[at] != string(r) || off > letter/4 {
				t.Errorf("%c of %q is drawn at letter %d of line %d, %.1f beside it; the text has %q there",
					r, drawn.Text, at.letter, at.line, off, want[at])
			}
			delete(want, at)
		}
	}
	for at, r := range want {
		t.Errorf("the %s at letter %d of line %d is not drawn", r, at.letter, at.line)
	}
}

type place struct{ line, letter int }

// TestDrawingsInBrowser wants every drawing of the documents to be legible.
func TestDrawingsInBrowser(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "docs", "images", "*.svg"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d drawings: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			for _, drawing := range browser.Drawings(t, file, read(t, "docs/images/"+filepath.Base(file))) {
				for _, fault := range drawing.Legible() {
					t.Error(fault)
				}
			}
		})
	}
}

// shade returns the attributes that set headings and rules apart.
func shade(l string) []any {
	switch {
	case strings.HasPrefix(l, "$ "):
		return []any{"fill", "#8fd18f"}
	case strings.HasPrefix(l, "---"):
		return []any{"fill", "#5b646e"}
	case l[0] != ' ' && !strings.Contains(l, "  ") && len(l) < 60:
		return []any{"fill", "#8fb8f0", "font-weight", "bold"}
	}
	return nil
}
