package game_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"lockstep/internal/game"
)

// stateLimit is how many states of a scene a test sees. LOCKSTEP_EXPLORE=everything lifts it, though no scene needs that now.
func stateLimit() int {
	switch {
	case os.Getenv("LOCKSTEP_EXPLORE") == "everything":
		return 0
	case racing:
		return 150
	}
	return 12_000
}

// TestExplore lets everybody try everything, and each honest party face all others. A story is a bug: in the ledger, in
// the protocol, or in the book that stands for it here.
func TestExplore(t *testing.T) {
	t.Parallel()
	for _, scene := range game.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && scene.Pairs {
				t.Skip("every two actions in one transaction: make test explores them, make race doesn't")
			}
			report, err := game.Explore(scene, stateLimit())
			if err != nil {
				t.Fatal(err)
			}
			t.Log(report)
			if report.Story != nil {
				t.Errorf("a promise of the protocol is broken\n%s", report.Story)
			}
			if report.States < 100 || scene.Honest == "" && report.Refusals < 1000 {
				t.Error("so few states show nothing")
			}
		})
	}
}

func TestExploringIsDeterministic(t *testing.T) {
	t.Parallel()
	scene := game.Scenes()[0]
	one, err := game.Explore(scene, 200)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := game.Explore(scene, 200); !reflect.DeepEqual(one, other) {
		t.Errorf("once %v, then %v", one, other)
	}
	if one.Whole || !strings.Contains(one.String(), "and there are more") {
		t.Errorf("200 states are not all: %v", one)
	}
}
