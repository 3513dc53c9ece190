package study

import "math/big"

// Sweep is the results of one scenario for several seeds, with the mean and the spread of each figure.
type Sweep struct {
	Runs    []*Result `json:"runs"`
	Figures []Figure  `json:"figures"`
}

// Figure is a figure of a result over all seeds. Mean and deviation are in thousandths of the figure's unit.
type Figure struct {
	Name      string `json:"name"`
	Unit      string `json:"unit"`
	Mean      int64  `json:"mean_thousandths"`
	Deviation uint64 `json:"deviation_thousandths"` // standard, of the sample
	Least     int64  `json:"least"`
	Most      int64  `json:"most"`
}

// Units of figures.
const (
	unitWh      = "Wh"
	unitMoney   = "0.000001 EUR"
	unitPrice   = "0.00001 ct/Wh" // hundredths of the smallest unit for a Wh
	unitCount   = ""
	unitPerMill = "‰"
)

// figuresOf lists the figures of a result that a sweep compares.
func figuresOf(r *Result) []Figure {
	share := func(part, whole uint64) int64 {
		if whole == 0 {
			return 0
		}
		return int64(part * 1000 / whole)
	}
	var lost, missing uint64
	for _, b := range r.Breaches {
		lost, missing = lost+b.Lost, missing+b.Energy-b.Read
	}
	figures := []Figure{
		{Name: "trades", Unit: unitCount, Least: int64(r.Trades)}, {Name: "settled by readings", Unit: unitCount, Least: int64(r.Settled)},
		{Name: "matched", Unit: unitWh, Least: int64(r.Sold)}, {Name: "traded", Unit: unitWh, Least: int64(r.Traded)}, {Name: "sold and not fed in", Unit: unitWh, Least: int64(missing)},
		{Name: "self-sufficiency", Unit: unitPerMill, Least: share(r.Own+r.Traded, r.Use)}, {Name: "mean price", Unit: unitPrice, Least: int64(r.MeanPrice)},
		{Name: "saved by all", Unit: unitMoney, Least: r.Saved}, {Name: "lost by broken promises", Unit: unitMoney, Least: int64(lost)},
	}
	for _, rule := range r.Rules {
		figures = append(figures, Figure{Name: "saved under " + rule.Name, Unit: unitMoney, Least: rule.Saved})
	}
	return figures
}

// NewSweep compares results of one scenario.
func NewSweep(runs []*Result) *Sweep {
	s := &Sweep{Runs: runs}
	for i, figure := range figuresOf(runs[0]) {
		var values []int64
		for _, r := range runs {
			values = append(values, figuresOf(r)[i].Least)
		}
		figure.measure(values)
		s.Figures = append(s.Figures, figure)
	}
	return s
}

// measure computes the mean, the sample's standard deviation, and the extremes of some values.
func (f *Figure) measure(values []int64) {
	n := int64(len(values))
	var sum int64
	f.Least, f.Most = values[0], values[0]
	for _, v := range values {
		sum += v
		f.Least, f.Most = min(f.Least, v), max(f.Most, v)
	}
	f.Mean = sum/n*1000 + sum%n*1000/n
	if n < 2 {
		return
	}
	squares := new(big.Int) // of n*v-sum, which are whole
	for _, v := range values {
		distance := big.NewInt(n*v - sum)
		squares.Add(squares, distance.Mul(distance, distance))
	}
	// 1000*sqrt(squares / (n*n*(n-1))), rounded down
	squares.Mul(squares, big.NewInt(1_000_000)).Quo(squares, big.NewInt(n*n*(n-1)))
	f.Deviation = squares.Sqrt(squares).Uint64()
}
