package game_test

import (
	"fmt"
	"math/big"
	"testing"

	"lockstep/internal/game"
	"lockstep/types"
)

func solvedMatch(t testing.TB, m game.Match) *game.MatchSolution {
	t.Helper()
	s, err := game.SolveMatch(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBondOfAMatch: a broken promise costs price and bond, and brings the energy's other use. The bond that this takes is the difference, so at
// the lowest price nearly the ceiling.
func TestBondOfAMatch(t *testing.T) {
	t.Parallel()
	const ceiling = 500
	for _, c := range []struct{ price, bond, need types.Amount }{
		{1, 0, 499}, {1, 498, 499}, {1, 499, 499}, {1, 500, 499}, {120, 0, 380}, {120, 500, 380}, {500, 0, 0}, {500, 1, 0},
	} {
		s := solvedMatch(t, game.Match{Price: c.price, Deposit: 10, Bond: c.bond, Elsewhere: ceiling})
		margin := new(big.Int).SetInt64(int64(c.price) + int64(c.bond) - ceiling)
		if s.Bond != c.need || s.Margin.String() != margin.String() || s.Kept {
			t.Errorf("price %s, bond %s: %+v, want a margin of %s and a bond of %s", c.price, c.bond, s, margin, c.need)
		}
	}
}

// TestDefaultGridPromise: with the bond of the default grid a broken promise never pays, at any price that its auctions can find.
func TestDefaultGridPromise(t *testing.T) {
	t.Parallel()
	for _, grid := range types.DefaultGrids() {
		if !grid.Metered() {
			continue
		}
		for _, price := range []types.Amount{grid.Tick, grid.Ceiling / 2, grid.Ceiling} {
			s := solvedMatch(t, game.Match{Price: price, Deposit: grid.Deposit, Bond: grid.Bond, Elsewhere: grid.Ceiling})
			if s.Bond > grid.Bond || s.Margin.String() != fmt.Sprint(price+grid.Bond-grid.Ceiling) {
				t.Errorf("at a price of %s: %+v", price, s)
			}
		}
	}
}

// TestUnreadMatch: a reading that does not come costs the producer price and bond, and gives them to the consumer. A consumer that is the only
// validator can bring that about, and a producer that knows it keeps no promise.
func TestUnreadMatch(t *testing.T) {
	t.Parallel()
	m := game.Match{Price: 120, Deposit: 10, Bond: 500, Elsewhere: 500}
	if s := solvedMatch(t, m); s.Unread.String() != "620" || s.Margin.String() != "120" {
		t.Errorf("%+v", s)
	}
	m.Censored = true
	if s := solvedMatch(t, m); s.Unread.String() != "620" || !s.Kept || s.Margin.String() != "-500" || s.Bond != 380 {
		t.Errorf("with a sole validator that consumes: %+v", s)
	}
}

// TestMatchRefusals: sums that no ledger takes.
func TestMatchRefusals(t *testing.T) {
	t.Parallel()
	for _, m := range []game.Match{{}, {Price: 1}, {Price: types.MaxAmount, Deposit: 1, Bond: 1}} {
		if _, err := game.SolveMatch(m); types.CodeOf(err) == types.CodeOK || types.CodeOf(err) == types.CodeInternal {
			t.Errorf("%+v: %v", m, err)
		}
	}
}
