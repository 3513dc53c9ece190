package chain

import (
	"strings"
	"testing"
	"time"

	"lockstep/types"
)

// TestHalted: an idle chain isn't halted; one to which no block came for longer than that is.
func TestHalted(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	w.must(w.mint(1, "peter"))
	config := w.config.withDefaults(&w.params)
	limit := config.HaltedAfter
	for _, c := range []struct {
		since time.Duration
		want  bool
	}{{0, false}, {limit - time.Second, false}, {limit + time.Second, true}} {
		late := Chain{ // not a copy of the whole chain, which is running
			config: w.config.withDefaults(&w.params), pool: w.pool, engine: w.engine, clock: w.clock, custody: w.custody, genesis: w.genesis, store: w.store,
			feed: &feed{came: time.Now().Add(-c.since)},
		}
		if status := late.Status(); status.Halted != c.want || status.SinceBlock < c.since {
			t.Errorf("%s after a block: %+v", c.since, status)
		}
	}
	if status := w.Status(); status.Halted {
		t.Errorf("an idle chain: %+v", status)
	}
}

// TestInputSpentByQueuedTransaction: the refusal names the queued transaction that spends the same input.
func TestInputSpentByQueuedTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	coins := w.mint(5, "peter")
	first := w.pay(types.Outpoint{Tx: coins.ID()}, 5, "peter", "clara")
	second := w.pay(types.Outpoint{Tx: coins.ID()}, 5, "peter", "mallory")
	w.submit(coins, first)
	err := w.Submit(t.Context(), second)
	wantCode(t, err, types.CodeInputMissing)
	if !strings.Contains(err.Error(), first.ID().String()) || !strings.Contains(err.Error(), "which is queued") {
		t.Errorf("%v doesn't name %s", err, first.ID())
	}
	w.run()
	if _, err := w.Await(t.Context(), first.ID()); err != nil {
		t.Fatal(err)
	}
	err = w.Submit(t.Context(), second)
	wantCode(t, err, types.CodeInputMissing)
	if strings.Contains(err.Error(), "which is queued") || len(w.pool.queue.spends) != 0 {
		t.Errorf("%v, though nothing waits", err)
	}
}
