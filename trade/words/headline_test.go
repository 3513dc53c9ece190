package words_test

import (
	"strings"
	"testing"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// TestHeadline covers each move, by its viewer and by others, with and without names.
func TestHeadline(t *testing.T) {
	t.Parallel()
	status := trade.Status{Phase: types.PhaseDelivered, Turn: trade.Turn{Role: trade.Consumer, Move: trade.MoveKey("release"), Until: 7}}
	for _, c := range []struct {
		language words.Language
		viewer   trade.Role
		names    map[trade.Role]string
		want     string
	}{
		{words.English, trade.Consumer, nil, "You release next, by <time 7>"},
		{words.English, trade.Producer, nil, "The consumer releases next, by <time 7>"},
		{words.English, trade.Producer, map[trade.Role]string{trade.Consumer: "Loom"}, "Loom releases next, by <time 7>"},
		{words.English, trade.Consumer, map[trade.Role]string{trade.Consumer: "Loom"}, "You release next, by <time 7>"},
		{words.Chinese, "", map[trade.Role]string{trade.Consumer: "Loom"}, "等待Loom解锁，<time 7>之前"},
	} {
		p := printer(c.language, c.viewer)
		p.Names = c.names
		phase, turn := p.Headline(&status)
		if turn != c.want || !strings.Contains("Delivered 已交货", phase) {
			t.Errorf("%s %s for %q: %q", c.language, phase, c.viewer, turn)
		}
	}
	p := printer(words.English, "")
	p.Names = map[trade.Role]string{trade.Producer: "Cedar"}
	if got := p.Does(trade.Producer, trade.MoveKey("collect")); got != "payment and bond are Cedar’s" {
		t.Error(got)
	}
	if _, turn := p.Headline(&trade.Status{Phase: types.PhaseLapsed, Turn: trade.Turn{Role: trade.Nobody}}); turn != "" {
		t.Errorf("a trade that is over waits: %q", turn)
	}
}

// TestMoveForms: each move has both forms in each language.
func TestMoveForms(t *testing.T) {
	t.Parallel()
	for move := trade.MovePay; move <= trade.MoveRefund; move++ {
		for _, language := range words.Languages() {
			for _, viewer := range []trade.Role{trade.Consumer, ""} {
				key := trade.MoveKey(move.String())
				if got := printer(language, viewer).Does(trade.Consumer, key); strings.Contains(got, "move.") || strings.Contains(got, "{") {
					t.Errorf("%s in %s for %q: %q", key, language, viewer, got)
				}
			}
		}
	}
}
