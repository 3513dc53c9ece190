package agent

import (
	"flag"
	"os"
	"strings"
	"testing"

	"lockstep/trade"
	"lockstep/types"
)

var update = flag.Bool("update", false, "write the diagram into the documentation")

const (
	page  = "../../docs/reference/agent.md"
	begin = "<!-- the diagram is generated: go test ./internal/agent -run Diagram -update -->\n```mermaid\n"
	end   = "```\n"
)

// The diagram in the documentation is that of the code.
func TestDiagram(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the diagram", page)
	}
	if old == Diagram() {
		return
	}
	if !*update {
		t.Fatalf("%s shows another diagram: run go test ./internal/agent -run Diagram -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+Diagram()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Each step leads where the trade machine says that a trade can get, and the table has each move of a party but those of the owner.
func TestRulesFitTheTradeMachine(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, r := range rules() {
		covered[r.move.String()] = true
	}
	for _, sample := range samples() {
		from := trade.PhaseAt(&sample.trade, sample.clock)
		for _, move := range trade.Moves(&sample.trade, sample.clock) {
			if !covered[move.What] && move.What != trade.MoveSplit.String() {
				t.Errorf("the agent has no rule for %s", move.What)
			}
			for _, r := range rules() {
				if r.move.String() == move.What && r.to != 0 && !trade.Reachable(from, r.to) {
					t.Errorf("%s leads from %s to %s, where no trade gets", move.What, from, r.to)
				}
			}
		}
	}
	if types.PhaseDelivered.String() != "delivered" {
		t.Error("the diagram names phases")
	}
}
