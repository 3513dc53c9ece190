package bench

import (
	"context"
	"time"
)

// arrivals are looked at this often; between two of them the moments at which trades are due are known exactly.
const arrivalTick = time.Millisecond

// arrive starts trades at a given rate, independent of earlier trades. A trade that finds no free pair waits, and its
// wait counts from the moment it was due (no coordinated omission).
func (r *runner) arrive(ctx context.Context) error {
	tick := time.NewTicker(arrivalTick)
	defer tick.Stop()
	actions := r.sessions[0].pair.world.actions
	every := time.Duration(float64(time.Second) * float64(actions) / r.plan.rate)
	due := r.begin()
	for {
		select {
		case <-tick.C:
		case <-r.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now := time.Now()
		if r.plan.until > 0 && now.Sub(r.begin()) > r.plan.until {
			r.close()
			return nil
		}
		for !due.After(now) && r.assign(due) {
			due = due.Add(every)
		}
		for r.plan.dropFirst && !due.After(now) { // no queue: a trade without a free pair is dropped
			r.drop()
			due = due.Add(every)
		}
	}
}

func (r *runner) begin() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.begin
}

// assign gives a trade to a pair that is free; false when none is.
func (r *runner) assign(due time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return false
	}
	s := r.idle[0]
	r.idle = r.idle[1:]
	s.due, s.first = due, due
	r.sendNext(s)
	return true
}

func (r *runner) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.dropped++
}

// close ends the arrivals.
func (r *runner) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.startNoMore()
}
