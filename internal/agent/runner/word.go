package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lockstep/internal/agent"
	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// The contents of a file with the owner's word on a trade.
const (
	wordCame    = "came"
	wordMissing = "missing"
)

const maxWord = 16

// GiveWord keeps the owner's word on a trade in a folder, where an agent finds it, now or after its next start. A later word replaces an
// earlier one.
func GiveWord(folder string, trade types.TradeID, came bool) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keep the word on a trade: %w", err)
	}
	word := wordMissing
	if came {
		word = wordCame
	}
	if err := atomicfile.Replace(filepath.Join(folder, trade.String()), []byte(word+"\n")); err != nil {
		return fmt.Errorf("keep the word on a trade: %w", err)
	}
	return nil
}

// words returns the owner's words on the open trades of a view that the agent does not know yet.
func (r *Runner) words(view *agent.View) (found []agent.Word) {
	if r.Words == "" {
		return nil
	}
	for i := range view.Trades {
		id := view.Trades[i].ID
		content, err := readAtMost(filepath.Join(r.Words, id.String()), maxWord)
		if err != nil {
			continue // there is none
		}
		text := strings.TrimSpace(string(content))
		if text != wordCame && text != wordMissing {
			r.Log.Warn("the word on a trade can't be read: write came or missing", "trade", id)
			continue
		}
		if word := (agent.Word{Trade: id, Came: text == wordCame}); !r.state.Knows(word) {
			found = append(found, word)
		}
	}
	return found
}
