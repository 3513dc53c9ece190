package bench

import (
	"fmt"
	"io"
	"math"

	"lockstep/internal/svg"
)

// The plot's frame in its own units, and the axis of speeds, on which the first is 1.
const (
	plotWidth, plotHeight                    = 720, 420
	plotLeft, plotRight, plotTop, plotBottom = 70, 690, 56, 350
	plotMost                                 = 1.2
	plotStep                                 = 0.2
	growthGoal                               = 1.5 // a trade may be so many times as dear

	plotFont  = "font-family:system-ui,sans-serif"
	plotLight = "--ink:#222;--dim:#777;--grid:#ddd;--paper:#fff;--line:#0a6cbc"
	plotDark  = "--ink:#eee;--dim:#aaa;--grid:#444;--paper:#16181b;--line:#5ab0f2"
)

// WritePlot draws the speed of trades, compared with that on the smallest ledger, against the outputs on a logarithmic axis: an SVG
// that stands alone, light or dark as its reader has it.
func (r *GrowthReport) WritePlot(w io.Writer) error {
	p := &plot{}
	p.Style(fmt.Sprintf(`svg{%s;%s}@media (prefers-color-scheme:dark){svg{%s}}`, plotLight, plotFont, plotDark) +
		`text{fill:var(--ink);font-size:13px;paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}.dim{fill:var(--dim)}.grid{stroke:var(--grid)}.goal{stroke:var(--dim);stroke-dasharray:6 4}` +
		`.line{stroke:var(--line);stroke-width:2.5;fill:none}.dot{fill:var(--line)}`)
	p.Add("rect", "width", plotWidth, "height", plotHeight, "style", "fill:var(--paper)")
	p.Text("Trades a second on a growing ledger, of those on the smallest", "x", plotLeft, "y", 28, "style", "font-size:16px")
	p.speeds()
	p.sizes(r.Rows)
	p.goal()
	p.line(r.Rows)
	_, err := io.WriteString(w, p.Document("Trades a second as the ledger grows", plotWidth, plotHeight))
	return err
}

// plot is an unfinished drawing.
type plot struct{ svg.Drawing }

// height is where a speed is drawn.
func height(ratio float64) float64 {
	return plotBottom - min(ratio, plotMost)/plotMost*(plotBottom-plotTop)
}

// place is where a size is drawn, of those that the rows span.
func place(rows []GrowthRow, outputs int) float64 {
	first, last := math.Log10(float64(rows[0].Outputs)), math.Log10(float64(rows[len(rows)-1].Outputs))
	if first == last {
		return (plotLeft + plotRight) / 2
	}
	return plotLeft + (math.Log10(float64(outputs))-first)/(last-first)*(plotRight-plotLeft-40) + 20
}

func (p *plot) speeds() {
	for ratio := 0.0; ratio <= plotMost+plotStep/2; ratio += plotStep {
		y := height(ratio)
		p.Add("line", "class", "grid", "x1", plotLeft, "x2", plotRight, "y1", y, "y2", y)
		p.Text(fmt.Sprintf("%.0f %%", 100*ratio), "class", "dim", "x", plotLeft-8, "y", y+4, "text-anchor", "end")
	}
}

func (p *plot) sizes(rows []GrowthRow) {
	for _, row := range rows {
		x := place(rows, row.Outputs)
		p.Text(number(float64(row.Outputs)), "x", x, "y", plotBottom+20, "text-anchor", "middle")
		p.Text(number(float64(row.Closed)), "class", "dim", "x", x, "y", plotBottom+38, "text-anchor", "middle")
	}
	p.Text("live outputs", "x", plotLeft, "y", plotBottom+60)
	p.Text("closed trades behind them", "class", "dim", "x", plotRight, "y", plotBottom+60, "text-anchor", "end")
}

func (p *plot) goal() {
	y := height(1 / growthGoal)
	p.Add("line", "class", "goal", "x1", plotLeft, "x2", plotRight, "y1", y, "y2", y)
	p.Text(fmt.Sprintf("a trade takes %.1f times as long", growthGoal), "class", "dim", "x", plotLeft+8, "y", y+16)
}

func (p *plot) line(rows []GrowthRow) {
	points := make([][2]float64, len(rows))
	for i, row := range rows {
		points[i] = [2]float64{place(rows, row.Outputs), height(row.Ratio)}
	}
	p.Path(points, "class", "line")
	for i, row := range rows {
		x, y := points[i][0], points[i][1]
		p.Add("circle", "class", "dot", "cx", x, "cy", y, "r", 4.5)
		p.Text(number(row.TradesPerS)+"/s", "x", x, "y", y-12, "text-anchor", "middle")
	}
}
