package notify

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Sink takes notices to the owner.
type Sink interface {
	// Name names the sink in the queue; it never changes.
	Name() string
	// Send delivers a notice, within the context's time. An error is tried again, unless it is [ErrNever].
	Send(ctx context.Context, n Notice) error
}

// ErrNever is the error of a notice that a sink will never take.
var ErrNever = errors.New("it will never be taken")

// RetryAfter is the error of a receiver that names the time of the next attempt.
type RetryAfter struct {
	Wait time.Duration
	Err  error
}

func (r *RetryAfter) Error() string { return r.Err.Error() }

// Unwrap returns the receiver's error.
func (r *RetryAfter) Unwrap() error { return r.Err }

// The times of an attempt and between attempts.
const (
	sendTimeout  = 20 * time.Second
	firstBackoff = 5 * time.Second
	lastBackoff  = time.Hour
	maxAttempts  = 200 // more than a week
)

// backoff is the wait after some failed attempts: it doubles from five seconds to an hour, and is partly random.
func backoff(attempts int) time.Duration {
	wait := lastBackoff
	if attempts < 10 {
		wait = min(wait, firstBackoff<<max(attempts-1, 0))
	}
	return wait/2 + rand.N(wait/2)
}

// Courier takes the notices of a queue to a sink.
type Courier struct {
	Queue  *Queue
	Sink   Sink
	Counts *Counts // may be nil
	Log    *slog.Logger
	// Wait is the wait after some failed attempts; nil is the default, from five seconds to an hour.
	Wait func(attempts int) time.Duration
}

// Run delivers until the context ends: each notice until it is taken, the oldest first. One that fails does not hold up the others. The
// error is one of the queue's file.
func (c *Courier) Run(ctx context.Context) error {
	next := map[string]time.Time{} // of notices that failed since the start
	for {
		waiting, changed := c.Queue.waitingFor(c.Sink.Name())
		if len(next) > 2*maxPending { // of notices that the full queue has dropped
			clear(next)
		}
		soonest := time.Time{}
		for _, n := range waiting {
			at, failed := next[n.ID]
			if !failed || !time.Now().Before(at) {
				wait, err := c.deliver(ctx, n)
				if err != nil || ctx.Err() != nil {
					return err
				}
				if wait == 0 {
					delete(next, n.ID)
					continue
				}
				at = time.Now().Add(wait)
				next[n.ID] = at
			}
			if soonest.IsZero() || at.Before(soonest) {
				soonest = at
			}
		}
		var timer <-chan time.Time
		if !soonest.IsZero() {
			timer = time.After(time.Until(soonest))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-timer:
		}
	}
}

// deliver sends one notice. The wait is zero when nothing more is to be done for it.
func (c *Courier) deliver(ctx context.Context, n Notice) (wait time.Duration, err error) {
	attempt, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	name := c.Sink.Name()
	sent := c.Sink.Send(attempt, n)
	switch {
	case sent == nil:
		c.Counts.sent(name)
		return 0, c.Queue.settle(n.ID, name)
	case ctx.Err() != nil:
		return 0, nil // the program ends: the notice waits on disk
	case errors.Is(sent, ErrNever) || n.Attempts+1 >= maxAttempts:
		c.Log.Error("a notice is given up", "sink", name, "notice", n.ID, "headline", n.Headline, "why", sent)
		c.Counts.lost(name)
		return 0, c.Queue.settle(n.ID, name)
	}
	c.Counts.failed(name)
	wait = c.after(n.Attempts+1, sent)
	c.Log.Warn("a notice waits", "sink", name, "notice", n.ID, "attempt", n.Attempts+1, "again in", wait.Round(time.Second), "why", sent)
	return wait, c.Queue.fail(n.ID, name)
}

// after is the wait after a failed attempt.
func (c *Courier) after(attempts int, err error) time.Duration {
	if asked, ok := errors.AsType[*RetryAfter](err); ok {
		return min(max(asked.Wait, time.Second), lastBackoff)
	}
	if c.Wait != nil {
		return max(c.Wait(attempts), time.Millisecond)
	}
	return backoff(attempts)
}
