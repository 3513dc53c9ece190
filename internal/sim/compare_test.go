package sim

import (
	"os"
	"testing"
)

// TestCompare: under truthful limits both auctions trade the most there is and so have the same welfare; every rule moves money
// from household to household and makes none; no household is worse off than with the utility alone.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, season := range []string{Summer, Winter} {
		profile, err := Standard(season)
		if err != nil {
			t.Fatal(err)
		}
		c := Compare(profile, season, Households(1), true)
		byName := map[string]*Scheme{}
		for i := range c.Schemes {
			s := &c.Schemes[i]
			byName[s.Name] = s
			var saved int64
			for _, sum := range s.Saved {
				saved += sum
				if sum < 0 {
					t.Errorf("%s, %s: a household loses %d", season, s.Name, -sum)
				}
			}
			if saved != s.Welfare {
				t.Errorf("%s, %s: the households save %d, all together %d", season, s.Name, saved, s.Welfare)
			}
			if g := s.Gini(); g < 0 || g >= 1 {
				t.Errorf("%s, %s: Gini %f", season, s.Name, g)
			}
		}
		one, pairs, equal := byName["uniform price"], byName["pay-as-bid"], byName["static split, equal shares"]
		if one.Volume != pairs.Volume || one.Volume == 0 || one.Volume < equal.Volume || one.Welfare < pairs.Welfare {
			t.Errorf("%s: uniform %d Wh, pay-as-bid %d Wh, static %d Wh", season, one.Volume, pairs.Volume, equal.Volume)
		}
		if testing.Verbose() {
			if err := c.WriteText(os.Stdout); err != nil {
				t.Error(err)
			}
		}
	}
}
