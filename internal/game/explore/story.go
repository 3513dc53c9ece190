package explore

import (
	"fmt"
	"strings"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// Story is how a promise of the protocol was broken, from the opening on, for people to read.
type Story struct {
	Scene  string
	Lines  []string
	Broken string
}

func (s *Story) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Scene: %s\n", s.Scene)
	for i, line := range s.Lines {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, line)
	}
	fmt.Fprintf(&b, "  => %s\n", s.Broken)
	return b.String()
}

// broken ends the exploration with a story: the moves to a state, the move tried there, and the breach.
func (x *explorer) broken(n int, m *move, why string) {
	if x.report.Story != nil {
		return
	}
	story := &Story{Scene: x.Name, Broken: why}
	if m != nil {
		story.Lines = append(story.Lines, m.says)
	}
	for ; n > 0; n = x.nodes[n].parent {
		story.Lines = append([]string{x.nodes[n].move.says}, story.Lines...)
	}
	purses := []string{}
	for p := board.Producer; p <= board.Arbiter; p++ {
		purses = append(purses, fmt.Sprintf("%s has %s", p, x.purses[p]))
	}
	story.Lines = append([]string{strings.Join(purses, ", ")}, story.Lines...)
	x.report.Story = story
}

// when says where the ledger clock stands, by the deadlines around it.
func (x *explorer) when(b *book) string {
	said := "it is " + b.now.Since(board.Opening).String()
	for i := range x.Deals {
		of := ""
		if len(x.Deals) > 1 {
			of = " of " + x.title(i)
		}
		for _, deadline := range []struct {
			name string
			at   types.Time
		}{
			{"pay-by", x.deadlines[i].PayBy}, {"deliver-by", x.deadlines[i].DeliverBy},
			{"reading-by", x.deadlines[i].ReadingBy}, {"confirm-by", x.deadlines[i].ConfirmBy},
		} {
			switch {
			case b.now == deadline.at:
				said += ", " + deadline.name + of
			case b.now == deadline.at+1:
				said += ", just after " + deadline.name + of
			}
		}
	}
	if b.block > b.now {
		said += fmt.Sprintf(" (block time is %s ahead)", b.block.Since(b.now))
	}
	return said
}
