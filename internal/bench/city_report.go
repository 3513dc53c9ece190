package bench

import (
	"fmt"
	"io"
	"slices"
	"time"

	"lockstep/internal/table"
	"lockstep/types"
)

// quarterHour is the time that a city has from one slot to the next.
const quarterHour = 15 * time.Minute

// CityReport is the result of one quarter-hour of a city.
type CityReport struct {
	Households int     `json:"households"`
	Zones      int     `json:"zones"` // each a product with an auction of its own, all in one block
	Cores      int     `json:"cores"`
	MemoryMB   int     `json:"memory_mb"` // of the node, as it is told
	Orders     int     `json:"orders"`
	Trades     int     `json:"trades"`
	Phases     []Phase `json:"phases"`
	Steady     Steady  `json:"steady"`  // a quarter-hour in which the trades of the last one end
	InTime     bool    `json:"in_time"` // a steady one within a quarter-hour
	// The largest cities by extrapolation, if every phase takes as long for each household as it did.
	ByQuarterHour int     `json:"households_by_quarter_hour"`
	ByWindows     int     `json:"households_by_default_windows"` // of the default parameters, to hold the auction and to read the meters
	Sizes         Sizes   `json:"bytes"`
	RSS           float64 `json:"rss_mb"`
	Disk          float64 `json:"disk_mb"`
	Conserved     bool    `json:"conserved"`
}

// Steady is the mean of the quarter-hours after the first one: a transaction of each household, and the auctions.
type Steady struct {
	quarters    int
	Txs         int     `json:"txs"`
	Trades      int     `json:"trades"`
	Seconds     float64 `json:"seconds"`      // of its phases, one after the other
	CoreSeconds float64 `json:"core_seconds"` // with the client's part
}

// addSteady adds the phases of one more steady quarter-hour.
func (r *CityReport) addSteady(phases []Phase) {
	s := &r.Steady
	for _, p := range phases {
		s.Txs += p.Txs
		s.Seconds += p.Seconds
		s.CoreSeconds += p.CoreSeconds
	}
	s.Trades += r.Trades
	s.quarters++
}

// Phase is one part of the quarter-hour, in which all households do the same.
type Phase struct {
	Name         string  `json:"phase"`
	Count        int     `json:"count"` // orders, or trades
	Txs          int     `json:"txs"`
	Seconds      float64 `json:"seconds"` // of the auction: from the gate until its block is final
	PerS         float64 `json:"per_s"`
	LongestBlock float64 `json:"longest_block_ms"`
	CPU          float64 `json:"cpu_us_each"` // of order or trade, with the client's part
	CoreSeconds  float64 `json:"core_seconds"`
	RSS          float64 `json:"rss_mb"`  // at most so far, with all that is signed
	Disk         float64 `json:"disk_mb"` // at the end
}

// finish adds up.
func (r *CityReport) finish() {
	var auctions, readings float64
	for _, p := range r.Phases {
		switch p.Name {
		case "auction":
			auctions = max(auctions, p.Seconds)
		case "read", "read and offer":
			readings = max(readings, p.Seconds)
		}
		r.RSS, r.Disk = p.RSS, p.Disk
	}
	s := &r.Steady
	s.Txs, s.Trades = s.Txs/s.quarters, s.Trades/s.quarters
	s.Seconds, s.CoreSeconds = s.Seconds/float64(s.quarters), s.CoreSeconds/float64(s.quarters)
	r.InTime = s.Seconds <= quarterHour.Seconds()
	r.ByQuarterHour = int(float64(r.Households) * quarterHour.Seconds() / s.Seconds)
	market := types.DefaultMarketParams()
	r.ByWindows = int(float64(r.Households) * min(market.Gate.Std().Seconds()/auctions, market.Reading.Std().Seconds()/readings))
	r.Conserved = true // or there would be an error instead of a report
}

// WriteText writes the report for people.
func (r *CityReport) WriteText(w io.Writer) error {
	zones := "1 zone"
	if r.Zones > 1 {
		zones = fmt.Sprintf("%d zones", r.Zones)
	}
	out := numbers(w, 10)
	out.Line("A city of %s households in %s on one validator with %d cores and %s MB (memory_mb): %s orders, %s trades.\n",
		number(float64(r.Households)), zones, r.Cores, number(float64(r.MemoryMB)), number(float64(r.Orders)), number(float64(r.Trades)))
	out.Row("phase", "count", "transactions", "seconds", "a second", "longest block ms", "µs of a core each", "seconds of a core", "memory MB", "disk MB")
	for _, p := range r.Phases {
		out.Row(p.Name, number(float64(p.Count)), number(float64(p.Txs)), fmt.Sprintf("%.1f", p.Seconds), number(p.PerS),
			rounded(p.LongestBlock), rounded(p.CPU), fmt.Sprintf("%.2f", p.CoreSeconds), rounded(p.RSS), rounded(p.Disk))
	}
	out.Line("")
	r.Sizes.write(out)
	verdict := "within the quarter-hour"
	if !r.InTime {
		verdict = "more than the quarter-hour"
	}
	out.Line(`A quarter-hour after another: %s transactions, one for each household, and %s trades. It took %.1f s, and %.2f seconds of a core,
%s. By extrapolation, which is no measurement:
at this speed a quarter-hour carries %s households;
%s get their trades before the slot begins, and are read in time, within the windows of the default parameters.
A trade is paid and delivered by the auction itself: no transaction does it. Its order has locked the money.
The books add up: all the money that was issued is there.`, number(float64(r.Steady.Txs)), number(float64(r.Steady.Trades)), r.Steady.Seconds, r.Steady.CoreSeconds,
		verdict, number(float64(r.ByQuarterHour)), number(float64(r.ByWindows)))
	return out.Flush()
}

// numbers returns a writer of tables with columns of numbers.
func numbers(w io.Writer, columns int) *table.Writer {
	return table.New(w, slices.Repeat([]table.Column{{Right: true}}, columns)...)
}

func rounded(n float64) string { return fmt.Sprintf("%.0f", n) }
