package explore_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"lockstep/internal/game/explore"
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

// TestExplore lets every party try every action, and each honest party face all others. A story is a bug: in the ledger, in
// the protocol, or in the book that models it here.
func TestExplore(t *testing.T) {
	t.Parallel()
	exploreScenes(t, false)
}

// TestExplorePairs explores the scenes that also try every two actions in one transaction.
func TestExplorePairs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("some hundred thousand states, without -short")
	}
	exploreScenes(t, true)
}

func exploreScenes(t *testing.T, pairs bool) {
	t.Helper()
	for _, scene := range explore.Scenes() {
		if scene.Pairs != pairs {
			continue
		}
		t.Run(scene.Name, func(t *testing.T) {
			t.Parallel()
			report, err := explore.Explore(scene, stateLimit())
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

func TestExploreDeterminism(t *testing.T) {
	t.Parallel()
	scene := explore.Scenes()[0]
	one, err := explore.Explore(scene, 200)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := explore.Explore(scene, 200); !reflect.DeepEqual(one, other) {
		t.Errorf("once %v, then %v", one, other)
	}
	if one.Whole || !strings.Contains(one.String(), "and there are more") {
		t.Errorf("200 states are not all: %v", one)
	}
}
