package disk

import (
	"sync"
	"time"
)

// Pace knows how fast a disk fills, from samples of the last day. It is safe for concurrent use.
type Pace struct {
	mu      sync.Mutex
	samples []sample // at least paceStep apart, the oldest first
}

type sample struct {
	at   time.Time
	free uint64
}

const (
	paceStep  = 10 * time.Minute
	paceSpan  = 24 * time.Hour
	paceLeast = time.Hour // below that a forecast is a guess
)

// Note notes the room on the disk at a moment.
func (p *Pace) Note(now time.Time, free uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.samples); n > 0 && now.Sub(p.samples[n-1].at) < paceStep {
		return
	}
	p.samples = append(p.samples, sample{now, free})
	for now.Sub(p.samples[0].at) > paceSpan {
		p.samples = p.samples[1:]
	}
}

// FullIn returns how long the disk takes to fill up, at the pace of the last day, until a node must stop. false: it doesn't fill, or
// the samples are of less than an hour.
func (p *Pace) FullIn() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.samples) == 0 {
		return 0, false
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	span := last.at.Sub(first.at)
	if span < paceLeast || last.free >= first.free {
		return 0, false
	}
	if last.free <= RoomToRun {
		return 0, true
	}
	const longest = float64(100 * 365 * 24 * time.Hour)
	left := float64(last.free-RoomToRun) / float64(first.free-last.free) * float64(span)
	return time.Duration(min(left, longest)).Truncate(time.Second), true
}
