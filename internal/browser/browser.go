// Package browser shows drawings to a real browser and measures how it drew them. Only tests use it: a file that is well
// formed can still be unreadable on a screen.
package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"lockstep/internal/component"
)

// A Drawing is an SVG as the browser drew it. All lengths are in the units of its view box.
type Drawing struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Texts  []Text  `json:"texts"`
}

// A Text is a text element with the box that its letters fill.
type Text struct {
	Text   string  `json:"text"`
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Right  float64 `json:"right"`
	Bottom float64 `json:"bottom"`
	Glyphs []Glyph `json:"glyphs"` // one for each UTF-16 unit that was drawn: collapsed white space has none
}

// A Glyph is the place of a letter: from where to where it reaches, and its base line.
type Glyph struct {
	Left  float64 `json:"left"`
	Right float64 `json:"right"`
	Base  float64 `json:"base"`
}

//go:embed measure.js
var script string

var measurement = regexp.MustCompile(`data-measured="([^"]*)"`)

// Drawings shows a page, an SVG or an HTML file by the end of its name, and returns its drawings in order. The test is
// skipped where there is no Chromium, and fails there if it runs in CI.
func Drawings(t testing.TB, name, content string) []Drawing {
	t.Helper()
	program := component.Find(t, "chromium", "chromium-browser", "google-chrome", "chrome")
	end := map[string]string{".svg": "</svg>", ".html": "</body>"}[filepath.Ext(name)]
	at := strings.LastIndex(content, end)
	if end == "" || at < 0 {
		t.Fatalf("%s is neither an SVG nor an HTML file", name)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, filepath.Base(name))
	if err := os.WriteFile(file, []byte(content[:at]+"<script>"+script+"</script>"+content[at:]), 0o600); err != nil {
		t.Fatal(err)
	}
	// The sandbox needs rights that containers don't give, and the page is our own.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+profile(t), "--dump-dom", "file://"+file)
	command.WaitDelay = 10 * time.Second
	page, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", program, name, err)
	}
	found := measurement.FindSubmatch(page)
	if found == nil {
		t.Fatalf("%s did not measure %s; its page has %d bytes", program, name, len(page))
	}
	text, err := url.PathUnescape(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	var drawings []Drawing
	if err := json.Unmarshal([]byte(text), &drawings); err != nil {
		t.Fatal(err)
	}
	return drawings
}

// Legible lists illegible texts: those that reach beyond their drawing, that lie over each other, or of which
// the browser left out letters.
func (d *Drawing) Legible() []string {
	var faults []string
	for i := range d.Texts {
		a := &d.Texts[i]
		const rounding = 0.5
		if a.Left < -rounding || a.Top < -rounding || a.Right > d.Width+rounding || a.Bottom > d.Height+rounding {
			faults = append(faults, a.Text+": reaches beyond the drawing")
		}
		if units := len(utf16.Encode([]rune(a.Text))); len(a.Glyphs) != units {
			faults = append(faults, a.Text+": the browser left out letters")
		}
		for j := range d.Texts[:i] {
			if b := &d.Texts[j]; a.overlaps(b) {
				faults = append(faults, a.Text+": lies over "+b.Text)
			}
		}
	}
	return faults
}

// overlaps compares boxes. A box has room for accents and descenders that few lines fill, so a fifth at top and bottom may
// be shared.
func (t *Text) overlaps(o *Text) bool {
	const shared = 0.2
	top, bottom := t.Top+shared*(t.Bottom-t.Top), t.Bottom-shared*(t.Bottom-t.Top)
	return t.Left < o.Right && o.Left < t.Right && top < o.Bottom-shared*(o.Bottom-o.Top) && o.Top+shared*(o.Bottom-o.Top) < bottom
}
