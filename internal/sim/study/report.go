package study

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"lockstep/internal/page"
	"lockstep/internal/svg"
)

//go:embed report.html
var reportText string

// reportView is the content of a report: the first run in full, and the figures of all.
type reportView struct {
	*Result
	Sheet   template.CSS
	Seeds   int
	Figures []figureRow
	Prices  template.HTML
	Shown   []Breach
	More    int
}

type figureRow struct{ Name, Unit, Mean, Deviation, Least, Most string }

// WriteReport writes a sweep as one HTML file that needs nothing else, in the style of the page.
func (s *Sweep) WriteReport(to io.Writer) error {
	sheet, err := page.Sheet()
	if err != nil {
		return err
	}
	const most = 40
	first := s.Runs[0]
	v := reportView{Result: first, Sheet: template.CSS(sheet), Seeds: len(s.Runs), Prices: first.drawPrices(), Shown: first.Breaches} //nolint:gosec // our own
	if len(v.Shown) > most {
		v.Shown, v.More = v.Shown[:most], len(v.Shown)-most
	}
	for i := range s.Figures {
		f := &s.Figures[i]
		unit, write := f.people()
		v.Figures = append(v.Figures, figureRow{f.Name, unit, write(f.Mean, 1000), write(int64(f.Deviation), 1000), write(f.Least, 1), write(f.Most, 1)})
	}
	text, err := template.New("report").Funcs(template.FuncMap{
		"kWh": kWh, "ct": ct, "eur": eur, "exact": exact, "share": share, "sum": func(a, b uint64) uint64 { return a + b }, "signed": func(n uint64) int64 { return int64(n) },
	}).Parse(reportText)
	if err != nil {
		return err
	}
	return text.Execute(to, &v)
}

// drawPrices draws the price of each slot, at two widths.
func (r *Result) drawPrices() template.HTML {
	var most uint64 = 1
	for _, p := range r.Prices {
		most = max(most, p.Price)
	}
	out := ""
	for _, size := range []struct {
		class               string
		width, height, left float64
		labels              int
	}{{"ch wide-only", 760, 240, 46, 8}, {"ch narrow-only", 360, 220, 40, 4}} {
		const top, bottom, right, units = 26.0, 40.0, 8.0, 10
		d := &svg.Drawing{}
		x := func(n int) float64 {
			return size.left + float64(n)/float64(len(r.Prices))*(size.width-size.left-right)
		}
		y := func(price float64) float64 {
			return size.height - bottom - price/float64(most)/1.1*(size.height-top-bottom)
		}
		for price := 0.0; price <= float64(most)*1.1; price += float64(max(most/4/units*units, units)) {
			d.Add("line", "class", "gr", "x1", size.left, "x2", size.width-right, "y1", y(price), "y2", y(price))
			d.Text(fmt.Sprintf("%.0f", price/units), "x", size.left-8, "y", y(price)+4, "text-anchor", "end")
		}
		d.Text("ct/kWh", "x", 2, "y", 12)
		for n := 0; n < len(r.Prices); n += max(len(r.Prices)/size.labels, 1) {
			if x(n) < size.width-50 {
				d.Text(r.Prices[n].Clock, "x", x(n), "y", size.height-bottom+20)
			}
		}
		var points [][2]float64
		flush := func() {
			if len(points) > 0 {
				d.Path(points, "class", "curve price")
			}
			points = nil
		}
		for n, p := range r.Prices {
			if p.Price == 0 {
				flush()
				continue
			}
			points = append(points, [2]float64{x(n), y(float64(p.Price))}, [2]float64{x(n + 1), y(float64(p.Price))})
		}
		flush()
		out += d.Inline("Price of each quarter-hour, up to "+strconv.FormatUint(most/units, 10)+" ct/kWh", size.width, size.height, "class", size.class)
	}
	return template.HTML(out) //nolint:gosec // the drawing escapes all texts
}
