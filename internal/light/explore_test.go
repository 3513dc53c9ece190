package light_test

import (
	"context"
	"strings"
	"testing"

	"lockstep/internal/agent"
	"lockstep/internal/game/explore"
	"lockstep/internal/light"
	"lockstep/types"
)

// judged believes by the rules of this package.
func judged(l *explore.Lie) bool {
	e := &light.Evidence{ID: l.ID, Trade: l.Shown, Newest: light.Header{Height: 1, Time: l.Header.Std()}, Now: l.Now.Std(), Lag: l.Lag, Goods: true}
	if l.Leaf != nil {
		e.Proof = &light.Proof{Outcome: l.Leaf}
		if e.Proof.Find(l.ID); e.Proof.Step == nil && e.Proof.Story == nil {
			return false
		}
	}
	step := light.HandOver
	if l.Step == explore.StepRelease {
		step = light.Release
	}
	return light.Refusal(light.Judge(step, e)) == nil
}

// trusting believes the node, as an agent without proofs does.
func trusting(l *explore.Lie) bool {
	phase := l.Shown.Phase
	return (agent.NodeBelief{}).Believes(context.Background(), 1, &agent.Trade{ID: l.ID, Trade: *l.Shown}) == nil &&
		(phase == types.PhaseDelivered || phase == types.PhaseReleased && l.Step == explore.StepHandOver)
}

// TestLyingNodeExplored: in every state that can be reached, a node shows every trade that it could invent, with every leaf and header of the past. No party lets goods
// or a secret go for a trade that is not delivered. A party without proofs does.
func TestLyingNodeExplored(t *testing.T) {
	t.Parallel()
	const states = 60
	seen := 0
	for _, scene := range explore.Scenes() {
		if scene.Honest != "" || scene.Orders || scene.Pairs || scene.Offered || scene.Lot > 0 { // a match begins delivered
			continue
		}
		seen++
		report, err := explore.Lies(scene, states, judged)
		if err != nil {
			t.Fatal(err)
		}
		if report.Story != nil {
			t.Errorf("%s: a lie is believed\n%s", scene.Name, report.Story)
		}
		if report, err = explore.Lies(scene, states, trusting); err != nil || report.Story == nil || !strings.Contains(report.Story.String(), "a node shows trade") {
			t.Errorf("%s: without proofs no lie harms (%v)", scene.Name, err)
		}
	}
	if seen < 4 {
		t.Errorf("%d scenes show nothing", seen)
	}
}
