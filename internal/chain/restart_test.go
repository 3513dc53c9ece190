package chain

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// logbook records log messages.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestStopInMidBlock stops a chain while it proposes, again and again: no start logs an error, and each makes its first block
// without a lost round.
func TestStopInMidBlock(t *testing.T) {
	t.Parallel()
	log := new(logbook)
	w := newWorld(t, func(c *Config) { c.Idle = 100 * time.Millisecond })
	w.logger = slog.New(slog.NewTextHandler(log, nil))
	for i := range 8 {
		w.close()
		w.open()
		w.run()
		w.must(w.mint(types.Amount(1+i), "peter"))
		if i%2 == 0 { // while it waits for a transaction to propose
			time.Sleep(10 * time.Millisecond)
		}
	}
	w.close()
	if text := log.String(); strings.Contains(text, "level=ERROR") {
		t.Error(text)
	}
}

// TestLedgerAhead: a ledger whose last block is a day ahead of the clock goes on, its clock all but standing still; an
// operator can accept that, and then its clock goes on as before.
func TestLedgerAhead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	m := &machine{boot: "a", off: day}
	w := newWorld(t, func(c *Config) { c.clock = m.read }).run()
	w.must(w.mintAt(m.read().wall, 1, "peter", ""))
	ahead := w.blockTime()
	m.set(0)
	for _, boot := range []string{"a", "b"} {
		w.close()
		m.boot = boot
		w.open()
		w.run()
		before := w.ledgerClock()
		w.must(w.mintAt(ahead, 2, "peter", boot), w.mintAt(ahead, 3, "peter", boot))
		if after := w.ledgerClock(); after-before > 1000 {
			t.Errorf("the ledger clock went on by %d ms while it was ahead", after-before)
		}
		wantTrouble(t, "ahead", w.clock, "see \"lockstep node clock\"")
	}
	w.close()
	w.config.ClockAhead = day
	w.open()
	w.run()
	before := w.ledgerClock()
	m.pass(5 * time.Second)
	w.must(w.mintAt(ahead, 4, "peter", "c"))
	w.must(w.mintAt(ahead, 5, "peter", "c"))
	if after := w.ledgerClock(); after-before < 4000 {
		t.Errorf("the ledger clock went on by %d ms in more than five seconds", after-before)
	}
	wantTrouble(t, "accepted", w.clock, "")
	w.check()
}

func (w *world) ledgerClock() types.Time {
	head := w.head()
	defer head.Close()
	return head.Clock().Now()
}

// mintAt is mint on a ledger whose time is another than the machine's.
func (w *world) mintAt(now time.Time, amount types.Amount, name, memo string) *types.Tx {
	body := w.body(&types.Issue{Asset: party.Euro(), Amount: amount})
	body.Outputs, body.Memo, body.ValidUntil = []types.Output{party.Output(name, amount)}, memo, types.TimeOf(now).Add(w.params.MaxValidity/2)
	return party.Sign(body, "issuer")
}

// TestRunOfAnEndedContext: a node that is stopped while it starts ends in order.
func TestRunOfAnEndedContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
}
