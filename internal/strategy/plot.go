package strategy

import (
	"fmt"
	"math"

	"lockstep/internal/svg"
)

// The frame of a table's plot, in its own units. Gains are drawn on a square root's axis, since most are small.
const (
	width, height            = 760, 360
	panel                    = 370
	left, right, top, bottom = 56, 360, 70, 290
	most                     = 120.0
)

// Plot draws the gains of several tables side by side, against the number of honest traders on a logarithmic axis: an SVG that stands
// alone, light or dark as its reader has it.
func Plot(tables []Table) string {
	d := &svg.Drawing{}
	d.Style(`svg{--ink:#222;--dim:#777;--grid:#ddd;--paper:#fff;--a:#0a6cbc;--b:#c2570c;--c:#2e7d32;font-family:system-ui,sans-serif}` +
		`@media (prefers-color-scheme:dark){svg{--ink:#eee;--dim:#aaa;--grid:#444;--paper:#16181b;--a:#5ab0f2;--b:#f2985a;--c:#7ccf80}}` +
		`text{fill:var(--ink);font-size:12px}.dim{fill:var(--dim)}.grid{stroke:var(--grid)}path{fill:none;stroke-width:2.2}` +
		`.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}.more{stroke-dasharray:5 4}`)
	d.Add("rect", "width", width, "height", height, "style", "fill:var(--paper)")
	d.Text("What the best deviation gains, beside honest orders", "x", left, "y", 26, "style", "font-size:16px")
	for i := range tables {
		tables[i].plot(d, float64(i*panel))
	}
	legend(d)
	return d.Document("What deviations gain against a number of honest traders", width, height)
}

func (t *Table) plot(d *svg.Drawing, x float64) {
	d.Text(t.Kind.Name, "x", x+left, "y", 54, "class", "dim")
	for _, gain := range []float64{0, 1, 5, 10, 25, 50, 100} {
		d.Add("line", "class", "grid", "x1", x+left, "x2", x+right, "y1", y(gain), "y2", y(gain))
		d.Text(fmt.Sprintf("%.0f %%", gain), "class", "dim", "x", x+left-6, "y", y(gain)+4, "text-anchor", "end")
	}
	for _, n := range Numbers() {
		d.Text(fmt.Sprint(n), "x", x+place(n), "y", bottom+18, "text-anchor", "middle")
	}
	line := func(class string, gain func(r *Row) float64) {
		points := make([][2]float64, len(t.Rows))
		for i := range t.Rows {
			points[i] = [2]float64{x + place(t.Rows[i].N), y(gain(&t.Rows[i]))}
		}
		d.Path(points, "class", class)
	}
	for _, rule := range []Rule{Pressure, Middle} {
		class := []string{"a", "b"}[rule]
		line(class, func(r *Row) float64 { return percent(r.Best[rule][0].All, r.Best[rule][0].Honest) })
		line(class+" more", func(r *Row) float64 { return percent(r.Best[rule][2].All, r.Best[rule][2].Honest) })
	}
	line("c", func(r *Row) float64 { return percent(r.Best[Pressure][0].Blind, r.Best[Pressure][0].Honest) })
}

func y(gain float64) float64 { return bottom - math.Sqrt(min(max(gain, 0), most)/most)*(bottom-top) }

func place(n int) float64 {
	return left + 14 + (right-left-28)*math.Log(float64(n)/2)/math.Log(100)
}

func legend(d *svg.Drawing) {
	for i, entry := range []struct{ class, text string }{
		{"a", "one that sees all orders, at the market's pressure"}, {"b", "the same, at the middle of the interval"}, {"c", "one that sees no order, at the market's pressure"},
	} {
		x, y := left+i%2*panel, bottom+42+i/2*20
		d.Path([][2]float64{{float64(x), float64(y)}, {float64(x + 22), float64(y)}}, "class", entry.class)
		d.Text(entry.text, "x", x+28, "y", y+4)
	}
	d.Text("number of honest traders; dashed: three together", "x", left+panel, "y", bottom+66, "class", "dim")
}
