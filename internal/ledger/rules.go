package ledger

import (
	"fmt"

	"lockstep/types"
)

// Rules is a version of the rules. A program keeps the old versions, by which it replays the blocks of their time.
type Rules struct {
	Version uint32
	// Allow refuses transactions by a rule that this version has in addition to the first; nil for none.
	Allow func(*types.Tx) error
}

// KnownRules returns the versions of the rules that this program has, in order.
func KnownRules() []Rules { return []Rules{{Version: 1}} }

// RulesOf returns a version of the rules among those known; false when it is not.
func RulesOf(known []Rules, version uint32) (Rules, bool) {
	for _, rules := range known {
		if rules.Version == version {
			return rules, true
		}
	}
	return Rules{}, false
}

// followRules takes up the rules of the block.
func (s *State) followRules() {
	known := s.facts.Rules
	if known == nil {
		known = KnownRules()
	}
	rules, ok := RulesOf(known, s.params.Version())
	if !ok {
		panic(fmt.Sprintf("ledger: version %d of the rules is not known", s.params.Version()))
	}
	s.allow = rules.Allow
}
