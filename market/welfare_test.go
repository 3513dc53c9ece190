package market_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lockstep/market"
)

// drawBook draws orders of which so many in a hundred name a smallest fill, all of their lots or a part.
func drawBook(draw *rand.Rand, orders, demanding int, all bool) []market.Order {
	book := make([]market.Order, orders)
	for i := range book {
		o := market.Order{ID: fmt.Sprintf("%02d", i), Side: market.Side(1 + draw.IntN(2)), Lots: 1 + draw.Uint64N(100), Limit: draw.Uint64N(1000)}
		if o.Side == market.Bid {
			o.Limit += 300
		}
		if draw.IntN(100) < demanding {
			if o.MinFill = o.Lots; !all {
				o.MinFill = 1 + draw.Uint64N(o.Lots)
			}
		}
		book[i] = o
	}
	return book
}

// bestWelfare is that of the best set of orders with smallest fills that all get them, by trying every set.
func bestWelfare(book []market.Order) (best uint64) {
	var demanding []int
	for i := range book {
		if book[i].MinFill > 1 {
			demanding = append(demanding, i)
		}
	}
sets:
	for set := range 1 << len(demanding) {
		var some []market.Order
		for i, o := range book {
			if k := slices.Index(demanding, i); k < 0 || set>>k&1 == 1 {
				o.MinFill = 0
				some = append(some, o)
			}
		}
		c, _ := market.Clear(some)
		if c.Welfare.Lo <= best {
			continue
		}
		for k, i := range demanding {
			if set>>k&1 == 1 && !slices.ContainsFunc(c.Fills, func(f market.Fill) bool { return f.ID == book[i].ID && f.Lots >= book[i].MinFill }) {
				continue sets
			}
		}
		best = c.Welfare.Lo
	}
	return best
}

// welfareLost measures the loss of the rule for smallest fills against the best set: in all, in thousandths, and how often more than a
// tenth is lost.
func welfareLost(books, orders, demanding int, all bool) (lost, often int) {
	draw := rand.New(rand.NewPCG(1, uint64(demanding)))
	var sum, optimum uint64
	for range books {
		book := drawBook(draw, orders, demanding, all)
		c, _ := market.Clear(book)
		best := bestWelfare(book)
		sum += c.Welfare.Lo
		optimum += best
		if c.Welfare.Lo*10 < best*9 {
			often++
		}
	}
	return int(1000 - sum*1000/optimum), often * 1000 / books
}

// TestWelfareLost: with smallest fills on half of the orders, the rule comes within a hundredth or two of the best set.
func TestWelfareLost(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{false, true} {
		if lost, often := welfareLost(100, 10, 50, all); lost > 20 || often > 50 {
			t.Errorf("all or nothing %v: %d thousandths are lost, more than a tenth in %d of a thousand books", all, lost, often)
		}
	}
}

func BenchmarkWelfareLost(b *testing.B) {
	for _, orders := range []int{8, 14} {
		for _, demanding := range []int{25, 50, 75, 100} {
			for _, all := range []bool{false, true} {
				b.Run(fmt.Sprintf("%d orders, %d%% demanding, all or nothing %v", orders, demanding, all), func(b *testing.B) {
					for b.Loop() {
						lost, often := welfareLost(100, orders, demanding, all)
						b.ReportMetric(float64(lost)/10, "%lost")
						b.ReportMetric(float64(often)/10, "%over-a-tenth")
					}
				})
			}
		}
	}
}
