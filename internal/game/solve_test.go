package game_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/game"
	"lockstep/types"
)

func solved(t testing.TB, terms game.Terms) *game.Solution {
	t.Helper()
	if terms.Instalments == 0 {
		terms.Instalments = 1
	}
	s, err := game.Solve(terms)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// usual is a trade that both sides gain from, with odd numbers.
func usual(fallback string) game.Terms {
	return game.Terms{Value: 151, Cost: 61, Price: 101, Deposit: 11, Bond: 7, Instalments: 1, Fallback: fallback}
}

// TestProtocolClaims checks the claims of protocol.md section 5 on incentives and worst losses.
func TestProtocolClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		terms              game.Terms
		rating, unbacked   string
		consumer, producer string
		ratio              game.Ratio
	}{
		{"bare hold", usual("hold"), "neither", "releases", "112", "68", "unlimited"},
		{"meter", usual("meter"), "strictly best", "keeps its secret", "0", "0", "0"},
		{"an arbiter who sees the truth", usual("arbiter"), "strictly best", "keeps its secret", "0", "0", "0"},
		{"hold, the goods worth less than price and deposit", edited(usual("hold"), func(t *game.Terms) { t.Value = 110 }), "neither", "releases", "112", "68", "34"},
		{"meter, price = value", edited(usual("meter"), func(t *game.Terms) { t.Value = 101 }), "weakly best", "keeps its secret", "0", "0", "0"},
		{"meter, price = cost", edited(usual("meter"), func(t *game.Terms) { t.Cost = 101 }), "weakly best", "keeps its secret", "0", "0", "0"},
		{"meter, price below cost", edited(usual("meter"), func(t *game.Terms) { t.Cost = 103 }), "neither", "keeps its secret", "0", "2", "unlimited"},
		{"meter, no bond", edited(usual("meter"), func(t *game.Terms) { t.Bond = 0 }), "strictly best", "keeps its secret", "0", "0", "0"},
		{"meter, a release as dear as the deposit", edited(usual("meter"), func(t *game.Terms) { t.ReleaseCost = 11 }), "weakly best", "keeps its secret", "0", "0", "0"},
		{"meter, a release dearer than the deposit", edited(usual("meter"), func(t *game.Terms) { t.ReleaseCost = 12 }), "neither", "keeps its secret", "0", "0", "0"},
		{"hold, a release as dear as the deposit", edited(usual("hold"), func(t *game.Terms) { t.ReleaseCost = 11 }), "weakly best", "either", "112", "68", "unlimited"},
		{"hold, four instalments", edited(usual("hold"), func(t *game.Terms) { t.Instalments = 4 }), "neither", "releases", "112", "23", "unlimited"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := solved(t, c.terms)
			got := []string{s.Rating, s.WithoutGoods, s.ConsumerWorstLoss.String(), s.ProducerWorstLoss.String(), string(s.GriefingRatio)}
			want := []string{c.rating, c.unbacked, c.consumer, c.producer, string(c.ratio)}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if s.Honest != (c.rating != "neither") || s.Strict != (c.rating == "strictly best") || len(s.Advice) == 0 {
				t.Errorf("honest %t, strict %t, advice %q", s.Honest, s.Strict, s.Advice)
			}
		})
	}
}

func edited(terms game.Terms, edit func(*game.Terms)) game.Terms {
	edit(&terms)
	return terms
}

// TestCommitmentUnderHold: an agent that is committed to "no goods, no secret" makes honesty the producer's best.
func TestCommitmentUnderHold(t *testing.T) {
	t.Parallel()
	s := solved(t, usual("hold"))
	if s.Committed != "strictly best" {
		t.Errorf("with a committed consumer honesty is %s", s.Committed)
	}
	if got := game.Short(s.IfPaid); got != "pays, records the delivery, hands over nothing, releases all, without the goods" {
		t.Errorf("two selfish parties: %s", got)
	}
	if !strings.Contains(strings.Join(s.Advice, "\n"), "no goods, no secret") {
		t.Errorf("the advice doesn't speak of it: %q", s.Advice)
	}
}

func TestLeagueWithTheArbiter(t *testing.T) {
	t.Parallel()
	s := solved(t, usual("arbiter"))
	if s.League == nil || s.League.Consumer.String() != "112" || s.League.Producer.String() != "68" {
		t.Errorf("in league: %+v", s.League)
	}
}

// Amounts up to the edge of 64 bits, and as many instalments as there can be.
func TestExtremes(t *testing.T) {
	t.Parallel()
	s := solved(t, game.Terms{
		Value: types.MaxAmount, Cost: 0, Price: types.MaxAmount - 3, Deposit: 1, Bond: 1, Instalments: 1, Quantity: types.MaxQuantity, Fallback: "meter",
	})
	if !s.Strict {
		t.Errorf("%+v", s)
	}
	s = solved(t, game.Terms{Value: 1 << 62, Cost: 1 << 60, Price: 1 << 61, Deposit: 3, Bond: 0, Instalments: 200, Fallback: "hold"})
	want := new(big.Int).Lsh(big.NewInt(1), 60)
	want = want.Add(want, big.NewInt(199)).Div(want, big.NewInt(200)) // one instalment of the goods, rounded up
	if s.ProducerWorstLoss.String() != want.String() {
		t.Errorf("the producer loses %s, want %s", s.ProducerWorstLoss, want)
	}
	for name, edit := range map[string]func(*game.Terms){
		"no instalments":  func(t *game.Terms) { t.Instalments = 0 },
		"beyond counting": func(t *game.Terms) { t.Bond = types.MaxAmount },
		"no terms":        func(t *game.Terms) { t.Fallback = "" },
		"no price":        func(t *game.Terms) { t.Price = 0 },
	} {
		if _, err := game.Solve(edited(usual("meter"), edit)); types.CodeOf(err) == types.CodeOK || types.CodeOf(err) == types.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFigureDecimals(t *testing.T) {
	t.Parallel()
	s := solved(t, edited(usual("hold"), func(t *game.Terms) { t.Decimals = 2 }))
	if got := s.ConsumerWorstLoss.String(); got != "1.12" {
		t.Errorf("got %s", got)
	}
	if got := s.ByProducer.AttackerLoss.String(); got != "0.07" {
		t.Errorf("got %s", got)
	}
}

// TestAnotherSolver solves the same game in another way: it puts the game together from its ends, tries every pure
// strategy of both, and keeps those from which nobody gains by changing one decision, at any fork.
func TestAnotherSolver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rating string
		terms  game.Terms
	}{
		{"strictly best", game.Terms{Value: 9, Cost: 1, Price: 4, Deposit: 2, Bond: 1, Instalments: 1, Fallback: "meter"}},
		{"weakly best", game.Terms{Value: 9, Cost: 0, Price: 4, Deposit: 2, Bond: 1, Instalments: 1, Fallback: "hold"}},
		{"neither", game.Terms{Value: 2, Cost: 3, Price: 6, Deposit: 1, Bond: 0, Instalments: 1, Fallback: "hold"}},
	} {
		if s := solved(t, c.terms); s.Rating != c.rating || enumerated(s) != c.rating {
			t.Errorf("%+v: solved as %s, by enumeration %s, want %s", c.terms, s.Rating, enumerated(s), c.rating)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		amount := func(name string, least, most int) types.Amount {
			return types.Amount(rapid.IntRange(least, most).Draw(rt, name))
		}
		terms := game.Terms{
			Value: amount("value", 2, 9), Cost: amount("cost", 0, 4), Price: amount("price", 2, 6), Deposit: amount("deposit", 1, 4),
			Bond: amount("bond", 0, 3), ReleaseCost: amount("release cost", 0, 2), Instalments: 1,
			Fallback: rapid.SampledFrom([]string{"hold", "meter", "arbiter"}).Draw(rt, "fallback"),
		}
		if terms.Fallback == "hold" {
			terms.Instalments = uint16(rapid.IntRange(1, 2).Draw(rt, "instalments"))
		}
		if s := solved(t, terms); s.Rating != enumerated(s) {
			rt.Fatalf("%+v: solved as %s, by enumeration %s", terms, s.Rating, enumerated(s))
		}
	})
}

// enumerated is the rating by enumeration.
func enumerated(s *game.Solution) string {
	switch honest, other := enumerate(s); {
	case honest && !other:
		return "strictly best"
	case honest:
		return "weakly best"
	}
	return "neither"
}

// crossing is a fork of the game put together from its ends.
type crossing struct {
	consumer bool
	next     []*crossing // in the order of first mention
	says     []string
	end      *game.End
	pick     int
}

// enumerate reports whether some subgame perfect equilibrium in pure strategies is honest, and whether some is not.
func enumerate(s *game.Solution) (honest, other bool) {
	root := &crossing{}
	for i := range s.Ends {
		at := root
		for _, move := range s.Ends[i].Moves {
			at = at.follow(move)
		}
		at.end = &s.Ends[i]
	}
	root.dropFalseAwards()
	var forks []*crossing
	root.collect(&forks)
	var try func(n int)
	try = func(n int) {
		if n < len(forks) {
			for forks[n].pick = range forks[n].next {
				try(n + 1)
			}
			return
		}
		for _, f := range forks {
			got := f.play().payoff(f.consumer)
			for _, alternative := range f.next {
				if alternative.play().payoff(f.consumer).Cmp(got) > 0 {
					return
				}
			}
		}
		if root.play().Honest {
			honest = true
		} else {
			other = true
		}
	}
	try(0)
	return honest, other
}

type reached struct{ *game.End }

func (r reached) payoff(consumer bool) *big.Int {
	text := r.Payoffs.Producer.String()
	if consumer {
		text = r.Payoffs.Consumer.String()
	}
	n, _ := new(big.Int).SetString(text, 10)
	return n
}

func (c *crossing) follow(move string) *crossing {
	for i, says := range c.says {
		if says == move {
			return c.next[i]
		}
	}
	c.consumer = strings.HasPrefix(move, "the consumer")
	c.says, c.next = append(c.says, move), append(c.next, &crossing{})
	return c.next[len(c.next)-1]
}

// dropFalseAwards: the arbiter has no stake, and is taken to tell the truth.
func (c *crossing) dropFalseAwards() {
	if len(c.says) > 0 && strings.HasPrefix(c.says[0], "the arbiter") {
		c.next, c.says = c.next[:1], c.says[:1]
	}
	for _, next := range c.next {
		next.dropFalseAwards()
	}
}

func (c *crossing) collect(forks *[]*crossing) {
	if len(c.next) > 1 {
		*forks = append(*forks, c)
	}
	for _, next := range c.next {
		next.collect(forks)
	}
}

func (c *crossing) play() reached {
	for c.end == nil {
		c = c.next[c.pick]
	}
	return reached{c.end}
}

// A match of an auction under meter terms is kept while the goods cost the producer, or bring elsewhere, less than price and bond, for every
// the price: nobody could decline it.
func TestMatchIsKeptUpToPriceAndBond(t *testing.T) {
	t.Parallel()
	at := func(cost types.Amount, matched bool) game.Terms {
		return game.Terms{Value: 900, Cost: cost, Price: 300, Deposit: 10, Bond: 500, Instalments: 1, Fallback: game.Metered, Matched: matched}
	}
	for cost, want := range map[types.Amount]string{0: "strictly best", 300: "strictly best", 799: "strictly best", 800: "weakly best", 801: "neither"} {
		if s := solved(t, at(cost, true)); s.Rating != want {
			t.Errorf("a cost of %d: %s, want %s", cost, s.Rating, want)
		}
	}
	if s := solved(t, at(301, false)); s.Rating != "neither" {
		t.Errorf("by an agreement: %s", s.Rating)
	}
	s := solved(t, at(50, true))
	if len(s.Advice) != 1 || !strings.Contains(s.Advice[0], "less than 800") || s.Equilibrium[0] != "an auction matches the two orders with their money" {
		t.Errorf("%q, %q", s.Advice, s.Equilibrium)
	}
	if s := solved(t, game.Terms{Value: 9, Cost: 1, Price: 4, Deposit: 2, Bond: 1, Instalments: 1, Fallback: game.Hold, Matched: true}); s.IfPaid != nil {
		t.Errorf("a match under hold terms: %+v", s)
	}
}
