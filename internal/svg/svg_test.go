package svg

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDrawing(t *testing.T) {
	t.Parallel()
	var d Drawing
	d.Style("text{fill:red}")
	d.Add("line", "class", `a"b`, "x1", 1, "x2", 2.345)
	d.Titled("<tip>", "rect", "width", 10.0)
	end := d.Group("fill", "blue")
	d.Text("a < b & c", "x", -0.5)
	d.Path([][2]float64{{0, 1}, {2.004, 3.5}, {4, 5}}, "class", "p")
	end()
	want := `<svg xmlns="http://www.w3.org/2000/svg" width="100" viewBox="0 0 100 50.5" role="img" aria-label="1 &lt; 2">
<style>text{fill:red}</style>
<line class="a&#34;b" x1="1" x2="2.35"/>
<rect width="10"><title>&lt;tip&gt;</title></rect>
<g fill="blue">
<text x="-0.5">a &lt; b &amp; c</text>
<path class="p" d="M0 1L2 3.5L4 5"/>
</g>
</svg>
`
	got := d.Document("1 < 2", 100, 50.5, "width", 100)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := d.Inline("", 1, 1); !strings.HasPrefix(got, `<svg viewBox="0 0 1 1" role="img" aria-label="">`) {
		t.Errorf("inline: %s", got)
	}
	decoder := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
