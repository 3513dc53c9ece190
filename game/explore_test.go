package game_test

import (
	"testing"

	"lockstep/game"
)

func TestExplore(t *testing.T) {
	t.Parallel()
	for _, scene := range game.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			t.Parallel()
			report, err := game.Explore(scene, 8000)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(report)
			if report.Story != nil {
				t.Errorf("a promise of the protocol is broken\n%s", report.Story)
			}
		})
	}
}
