package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
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
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title">`, plotWidth, plotHeight)
	p.add(`<title id="title">Trades a second as the ledger grows</title>`)
	p.add(`<style>svg{%s;%s}@media (prefers-color-scheme:dark){svg{%s}}`, plotLight, plotFont, plotDark)
	p.add(`text{fill:var(--ink);font-size:13px;paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}.dim{fill:var(--dim)}.grid{stroke:var(--grid)}.goal{stroke:var(--dim);stroke-dasharray:6 4}` +
		`.line{stroke:var(--line);stroke-width:2.5;fill:none}.dot{fill:var(--line)}</style>`)
	p.add(`<rect width="%d" height="%d" style="fill:var(--paper)"/>`, plotWidth, plotHeight)
	p.add(`<text x="%d" y="28" style="font-size:16px">Trades a second on a growing ledger, of those on the smallest</text>`, plotLeft)
	p.speeds()
	p.sizes(r.Rows)
	p.goal()
	p.line(r.Rows)
	p.add(`</svg>`)
	_, err := io.WriteString(w, strings.Join(p.parts, "\n")+"\n")
	return err
}

// plot is a drawing under way.
type plot struct{ parts []string }

func (p *plot) add(format string, args ...any) {
	p.parts = append(p.parts, fmt.Sprintf(format, args...))
}

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
		p.add(`<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotRight, y, y)
		p.add(`<text class="dim" x="%d" y="%.1f" text-anchor="end">%.0f %%</text>`, plotLeft-8, y+4, 100*ratio)
	}
}

func (p *plot) sizes(rows []GrowthRow) {
	for _, row := range rows {
		x := place(rows, row.Outputs)
		p.add(`<text x="%.1f" y="%d" text-anchor="middle">%s</text>`, x, plotBottom+20, number(float64(row.Outputs)))
		p.add(`<text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>`, x, plotBottom+38, number(float64(row.Closed)))
	}
	p.add(`<text x="%d" y="%d" text-anchor="end">live outputs, <tspan class="dim">and closed trades behind them</tspan></text>`, plotRight, plotBottom+60)
}

func (p *plot) goal() {
	y := height(1 / growthGoal)
	p.add(`<line class="goal" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotRight, y, y)
	p.add(`<text class="dim" x="%d" y="%.1f">a trade takes %.1f times as long</text>`, plotLeft+8, y+16, growthGoal)
}

func (p *plot) line(rows []GrowthRow) {
	points := make([]string, len(rows))
	for i, row := range rows {
		points[i] = fmt.Sprintf("%.1f,%.1f", place(rows, row.Outputs), height(row.Ratio))
	}
	p.add(`<polyline class="line" points="%s"/>`, strings.Join(points, " "))
	for _, row := range rows {
		x, y := place(rows, row.Outputs), height(row.Ratio)
		p.add(`<circle class="dot" cx="%.1f" cy="%.1f" r="4.5"/>`, x, y)
		p.add(`<text x="%.1f" y="%.1f" text-anchor="middle">%s/s</text>`, x, y-12, number(row.TradesPerS))
	}
}
