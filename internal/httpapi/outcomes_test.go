package httpapi

import (
	"encoding/json"
	"fmt"
	"testing"

	"lockstep/client/wire"
	"lockstep/types"
)

// decided reads outcomes up to a height, each with the id of its message.
func decided(t *testing.T, next func() message, height uint64) (all []wire.Outcomes, ids []string) {
	t.Helper()
	for {
		m := next()
		if m.id == fmt.Sprintf("%d:end", height) {
			return all, ids
		}
		if m == (message{}) {
			t.Fatal("the stream ended")
		}
		if m.data == "" {
			continue
		}
		var outcomes wire.Outcomes
		if err := json.Unmarshal([]byte(m.data), &outcomes); err != nil || m.name != "outcomes" {
			t.Fatalf("%+v: %v", m, err)
		}
		all, ids = append(all, outcomes), append(ids, m.id)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, _ := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	next, leave := w.listen("/v1/outcomes?from=1", "")
	all, ids := decided(t, next, last)
	leave()
	var told []types.TxID
	for _, outcomes := range all {
		for _, tx := range outcomes.Txs {
			if told = append(told, tx.ID); tx.Code != types.CodeOK {
				t.Errorf("%+v", tx)
			}
		}
	}
	if len(told) < len(story) {
		t.Fatalf("%d outcomes of %d transactions", len(told), len(story))
	}
	for i, tx := range story {
		if told[len(told)-len(story)+i] != tx.ID() {
			t.Errorf("outcome %d is of %s", i, told[i])
		}
	}
	next, leave = w.listen("/v1/outcomes", ids[2])
	again, _ := decided(t, next, last)
	leave()
	if len(again) != len(all)-3 || again[0].Height != all[3].Height {
		t.Errorf("after message %s come %d, not %d", ids[2], len(again), len(all)-3)
	}
}

// A block with many transactions is sent in parts, and a client that reconnects resumes after the last part.
func TestOutcomesInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	const many = outcomesAtOnce + 7
	for i := range many {
		tx := w.ledger.Issue(types.Amount(1+i), "alice")
		if err := w.ledger.Submit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	height := get[wire.Status](w, "/v1/status").Height + 1
	w.ledger.Resume()
	path := fmt.Sprintf("/v1/outcomes?from=%d", height)
	next, leave := w.listen(path, "")
	all, ids := decided(t, next, height)
	leave()
	if len(all) != 2 || len(all[0].Txs) != outcomesAtOnce || len(all[1].Txs) != 7 {
		t.Fatalf("%d parts: %v", len(all), ids)
	}
	next, leave = w.listen(path, ids[0])
	rest, _ := decided(t, next, height)
	leave()
	if len(rest) != 1 || len(rest[0].Txs) != 7 || rest[0].Txs[0] != all[1].Txs[0] {
		t.Errorf("after %s: %d parts", ids[0], len(rest))
	}
}
