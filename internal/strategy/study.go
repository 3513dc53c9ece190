package strategy

import (
	"fmt"
	"math/rand/v2"
)

// Row holds the gains of deviations against n honest traders: of one, two and three traders, by rule.
type Row struct {
	N    int
	Best [2][3]Best
}

// Table is a kind of market against growing numbers of honest traders.
type Table struct {
	Kind Kind
	Rows []Row
}

// Numbers are those of honest traders that the study goes through.
func Numbers() []int { return []int{2, 3, 5, 10, 20, 50, 100, 200} }

// games is how many are drawn against n honest traders.
func games(n int) int { return min(max(4000/n, 40), 400) }

// Study measures a kind of market. Each number of traders has a seed of its own, so that a part of the study gives the same rows.
func Study(kind Kind, numbers []int) Table {
	t := Table{Kind: kind}
	for _, n := range numbers {
		row := Row{N: n}
		for k := range row.Best[0] {
			draw := rand.New(rand.NewPCG(uint64(n), uint64(k)))
			drawn := make([]*game, games(n))
			for i := range drawn {
				drawn[i] = kind.game(draw, n, k+1)
			}
			for rule := range row.Best {
				row.Best[rule][k] = measure(drawn, Rule(rule))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Text is a table for each rule.
func (t *Table) Text() string {
	const head = "%6s |%6s%6s%6s |%6s%6s%6s%8s |%6s%6s%6s\n"
	text := t.Kind.Name + "\n"
	for _, rule := range []Rule{Pressure, Middle} {
		text += "\n" + rule.String() + "\n"
		text += fmt.Sprintf(head, "", "blind", "", "", "one", "", "", "", "all of", "these", "")
		text += fmt.Sprintf(head, "honest", "one", "two", "three", "shade", "split", "crumb", "phantom", "one", "two", "three")
		for i := range t.Rows {
			text += t.Rows[i].text(rule) + "\n"
		}
	}
	return text
}

func (r *Row) text(rule Rule) string {
	text := fmt.Sprintf("%6d |", r.N)
	for _, b := range r.Best[rule] {
		text += fmt.Sprintf("%6.1f", percent(b.Blind, b.Honest))
	}
	one := r.Best[rule][0]
	text += " |"
	for _, gain := range []int64{one.Shade, one.Split, one.Crumb} {
		text += fmt.Sprintf("%6.1f", percent(gain, one.Honest))
	}
	text += fmt.Sprintf("%8.1f |", percent(one.Phantom, one.Honest))
	for _, b := range r.Best[rule] {
		text += fmt.Sprintf("%6.1f", percent(b.All, b.Honest))
	}
	return text
}
