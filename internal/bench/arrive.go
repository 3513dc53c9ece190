package bench

import (
	"context"
	"time"
)

// arrivals are looked at this often; between two of them the moments at which trades are due are known exactly.
const arrivalTick = time.Millisecond

// arrive begins trades at a given rate, whatever became of the earlier ones. A trade that finds no lane free waits, and its
// waiting counts: it was due when it was due (no coordinated omission).
func (d *drive) arrive(ctx context.Context) error {
	tick := time.NewTicker(arrivalTick)
	defer tick.Stop()
	actions := d.rides[0].lane.world.actions
	every := time.Duration(float64(time.Second) * float64(actions) / d.plan.rate)
	due := d.begin()
	for {
		select {
		case <-tick.C:
		case <-d.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now := time.Now()
		if d.plan.until > 0 && now.Sub(d.begin()) > d.plan.until {
			d.close()
			return nil
		}
		for !due.After(now) && d.assign(due) {
			due = due.Add(every)
		}
		for d.plan.dropFirst && !due.After(now) { // nobody waits: who finds no place goes away
			d.drop()
			due = due.Add(every)
		}
	}
}

func (d *drive) begin() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.result.begin
}

// assign gives a trade to a lane that is free; false when none is.
func (d *drive) assign(due time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.idle) == 0 {
		return false
	}
	r := d.idle[0]
	d.idle = d.idle[1:]
	r.due, r.first = due, due
	d.sendNext(r)
	return true
}

func (d *drive) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.result.dropped++
}

// close ends the arrivals.
func (d *drive) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
}
