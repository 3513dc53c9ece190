package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"lockstep/client/wire"
)

func TestWaitingFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status wire.Status
		says   string
	}{
		{wire.Status{SinceBlock: 42_000, Halted: true}, "No block for 42s, the ledger stands still; your money is safe, deadlines wait."},
		{wire.Status{SinceBlock: 1_000, Waiting: 7}, "the last one came 1s ago, 7 transactions wait"},
	} {
		if got := waitingFor(c.status); !strings.Contains(got, c.says) {
			t.Errorf("%q, want %q", got, c.says)
		}
	}
}

// TestLimitedLog: a message that repeats itself is written a few times, then counted, and the count is told.
func TestLimitedLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	handler := newLimited(slog.NewTextHandler(&out, nil))
	log := slog.New(handler).With("module", "a")
	for range 1000 {
		log.Error("the same")
	}
	log.Error("another")
	if got := strings.Count(out.String(), `"the same"`); got != logSame {
		t.Errorf("written %d times, want %d", got, logSame)
	}
	if !strings.Contains(out.String(), "another") {
		t.Error("another message is lost")
	}
	record := slog.NewRecord(time.Now().Add(2*logWindow), slog.LevelInfo, "later", 0)
	if err := handler.Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `message="the same" times=980`) {
		t.Errorf("nothing tells what was left out: %s", out.String()[len(out.String())-200:])
	}
}
