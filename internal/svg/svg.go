// Package svg writes SVG drawings: it escapes texts and formats numbers in one place.
package svg

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Drawing collects the elements of a drawing, one on each line. The zero value is empty. Attributes are pairs of a name and a
// value: a string, an int or a float64, which is written with two decimals at most.
type Drawing struct{ text strings.Builder }

// Add adds an element without content.
func (d *Drawing) Add(name string, attributes ...any) {
	d.open(name, attributes)
	d.text.WriteString("/>\n")
}

// Titled adds an element with a title, which browsers show when the pointer is on it.
func (d *Drawing) Titled(title, name string, attributes ...any) {
	d.open(name, attributes)
	fmt.Fprintf(&d.text, "><title>%s</title></%s>\n", html.EscapeString(title), name)
}

// Text adds a text.
func (d *Drawing) Text(text string, attributes ...any) {
	d.open("text", attributes)
	fmt.Fprintf(&d.text, ">%s</text>\n", html.EscapeString(text))
}

// Path adds a path of straight lines through points.
func (d *Drawing) Path(points [][2]float64, attributes ...any) {
	var steps strings.Builder
	for i, p := range points {
		fmt.Fprintf(&steps, "%c%s %s", "ML"[min(i, 1)], number(p[0]), number(p[1]))
	}
	d.Add("path", append(attributes, "d", steps.String())...)
}

// Style adds a style sheet, which is not escaped.
func (d *Drawing) Style(sheet string) { fmt.Fprintf(&d.text, "<style>%s</style>\n", sheet) }

// Group opens a group of elements; its result closes it.
func (d *Drawing) Group(attributes ...any) (end func()) {
	d.open("g", attributes)
	d.text.WriteString(">\n")
	return func() { d.text.WriteString("</g>\n") }
}

// Document returns the drawing as a file of a size. Screen readers read the title. More attributes may follow.
func (d *Drawing) Document(title string, width, height float64, attributes ...any) string {
	return d.close(title, width, height, append([]any{"xmlns", "http://www.w3.org/2000/svg"}, attributes...))
}

// Inline returns the drawing as a part of an HTML page. Attributes may follow.
func (d *Drawing) Inline(title string, width, height float64, attributes ...any) string {
	return d.close(title, width, height, attributes)
}

func (d *Drawing) close(title string, width, height float64, attributes []any) string {
	var whole Drawing
	whole.open("svg", append(attributes, "viewBox", "0 0 "+number(width)+" "+number(height), "role", "img", "aria-label", title))
	return whole.text.String() + ">\n" + d.text.String() + "</svg>\n"
}

// open writes the beginning of an element.
func (d *Drawing) open(name string, attributes []any) {
	d.text.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		value := fmt.Sprint(attributes[i+1])
		if n, ok := attributes[i+1].(float64); ok {
			value = number(n)
		}
		fmt.Fprintf(&d.text, ` %v="%s"`, attributes[i], html.EscapeString(value))
	}
}

// number formats a length with two decimals at most.
func number(n float64) string { return strconv.FormatFloat(math.Round(100*n)/100, 'f', -1, 64) }
