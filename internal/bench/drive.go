package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/types"
)

// stallLimit is how long nothing may become final before a run is given up: a transaction must have been lost.
const stallLimit = 3 * time.Minute

// handedIn is how many transactions are handed in at once at most, as many as a node verifies at once.
const handedIn = 512

// A client that is refused because the pool is full tries again after a pause, which doubles each time: thousands that ask
// without end would take the time of the node that they wait for.
const (
	fullPause    = 5 * time.Millisecond
	longestPause = time.Second
)

// drive sends the steps of lanes, each when the one before is final, and counts.
type drive struct {
	target target
	plan   plan
	done   chan struct{} // closed when all is done
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	ready   []readied // for each node
	ended   bool      // nothing is sent any more
	rides   []*ride
	flying  map[types.TxID]*ride
	idle    []*ride // waiting for an arrival, or for another to end its trade
	open    int     // rides that are not over
	closing bool    // no new trades
	result  tally
	moved   time.Time // when something last became final
}

// readied are rides with a step to be sent to one node.
type readied struct {
	rides []*ride
	some  sync.Cond // or no more will come
}

// plan says how fast to send and when to stop.
type plan struct {
	rate      float64       // trades a second to begin; zero: each lane goes on as soon as it can
	atOnce    int           // without a rate: lanes that may be under way, taking turns; zero: all
	until     time.Duration // begin no new trade after it; zero: do all steps
	dropFirst bool          // overload: a trade that finds the pool full is given up, not tried again
	progress  func(trades int)
}

// ride is a lane on its way.
type ride struct {
	lane  *lane
	node  int
	at    int           // the step to do or in flight
	due   time.Time     // when the step should be sent
	first time.Time     // when the first step of the trades under way should have been sent
	pause time.Duration // before it tries again, after a refusal
}

// tally is what was counted.
type tally struct {
	begin, end time.Time // of the clock; end is when the last trade was final
	trades     int
	txs        int
	bytes      int64
	steps      []time.Duration // from when each transaction was due until it was final
	whole      []time.Duration // from when each trade was due until its end was final
	ends       []time.Time     // when that was
	finals     []time.Time     // when each transaction was final
	blocks     []time.Duration // between two blocks that held something, as the first node tells
	blockTxs   int             // in all blocks that the first node tells of
	lastHeight uint64
	lastBlock  time.Time
	refused    map[types.Code]int
	dropped    int // arrivals that were given up
}

// pace is how many lanes a second ended their trades in a part of the run: from the last block before it to the first behind it,
// so that it does not matter how the blocks lie.
func (t *tally) pace(from, to time.Duration) float64 { return t.paceOf(t.ends, from, to) }

// paceOf is [tally.pace] of other moments, in order.
func (t *tally) paceOf(moments []time.Time, from, to time.Duration) float64 {
	first, last, count := time.Duration(0), time.Duration(0), 0
	for _, moment := range moments {
		since := moment.Sub(t.begin)
		switch {
		case since <= from:
			first = since
		case since <= to || last < to || since == last:
			last = since
			count++
		}
	}
	if count == 0 {
		return 0
	}
	return float64(count) / (last - first).Seconds()
}

func (t *tally) took() time.Duration { return max(t.end.Sub(t.begin), time.Millisecond) }

// run does the steps that the lanes have, by their plan. So many clients hand them in at each node.
func run(ctx context.Context, t target, lanes []*lane, clients int, p plan) (*tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := &drive{
		target: t, plan: p, ready: make([]readied, t.nodes()), done: make(chan struct{}), cancel: cancel,
		flying: make(map[types.TxID]*ride, len(lanes)),
		result: tally{refused: map[types.Code]int{}},
	}
	for node := range d.ready {
		d.ready[node].some.L = &d.mu
	}
	for i, l := range lanes {
		if len(l.steps) > 0 {
			d.rides = append(d.rides, &ride{lane: l, node: i % t.nodes()})
		}
	}
	if d.open = len(d.rides); d.open == 0 {
		return &d.result, nil
	}
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	following, stop := context.WithCancel(ctx)
	group.Go(func() error { return t.follow(following, d.seen) })
	d.start()
	for node := range d.ready {
		for range clients {
			group.Go(func() error { return d.send(ctx, node) })
		}
	}
	group.Go(func() error { return d.watch(ctx) })
	if p.rate > 0 {
		group.Go(func() error { return d.arrive(ctx) })
	}
	group.Go(func() error {
		defer stop()
		defer d.sendNoMore()
		select {
		case <-d.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	d.finish()
	return &d.result, nil
}

func (d *drive) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.result.begin, d.moved, d.result.end = now, now, now
	if d.plan.rate > 0 {
		d.idle = append(d.idle, d.rides...)
		return
	}
	beginning := d.rides
	if d.plan.atOnce > 0 {
		beginning = d.rides[:min(d.plan.atOnce, len(d.rides))]
		d.idle = append(d.idle, d.rides[len(beginning):]...)
	}
	for _, r := range beginning {
		r.due, r.first = now, now
		d.sendNext(r)
	}
}

// finish drops the steps that were done, so that a later run goes on behind them.
func (d *drive) finish() {
	for _, r := range d.rides {
		r.lane.steps = r.lane.steps[r.at:]
	}
}

// sendNext puts a ride's step where it is sent from. Hold mu.
func (d *drive) sendNext(r *ride) {
	ready := &d.ready[r.node]
	ready.rides = append(ready.rides, r)
	ready.some.Signal()
}

func (d *drive) sendNoMore() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	for node := range d.ready {
		d.ready[node].some.Broadcast()
	}
}

// send hands in what is ready at one node, all of it at once, until all is done.
func (d *drive) send(ctx context.Context, node int) error {
	for {
		rides, txs := d.gather(node)
		if len(rides) == 0 {
			return nil
		}
		errs := d.target.submit(ctx, node, txs)
		if err := d.sent(rides, txs, errs); err != nil {
			return err
		}
	}
}

// gather waits for something to be ready, and returns as much of that as one request may hold; nothing at the end.
func (d *drive) gather(node int) (rides []*ride, txs []encoded) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ready := &d.ready[node]
	for len(ready.rides) == 0 && !d.ended {
		ready.some.Wait()
	}
	if d.ended {
		return nil, nil
	}
	count := min(len(ready.rides), handedIn)
	rides, ready.rides = ready.rides[:count:count], ready.rides[count:]
	txs = make([]encoded, count)
	for i, r := range rides {
		txs[i] = r.lane.steps[r.at].encoded
		d.flying[txs[i].id] = r // before it is sent: it can be final before the answer is here
	}
	return rides, txs
}

// sent notes what a node has answered.
func (d *drive) sent(rides []*ride, txs []encoded, errs []error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, err := range errs {
		r, id := rides[i], txs[i].id
		if err == nil || d.flying[id] != r {
			continue // or it is final all the same
		}
		delete(d.flying, id)
		code := types.CodeOf(err)
		d.result.refused[code]++
		switch {
		case code != types.CodePoolFull && code != types.CodeUnavailable:
			return fmt.Errorf("transaction %s: %w", id, err)
		case d.plan.dropFirst && r.lane.steps[r.at].first:
			d.result.dropped++
			d.rest(r)
		default:
			r.pause = min(max(2*r.pause, fullPause), longestPause)
			time.AfterFunc(r.pause, func() { d.sendAgain(r) })
		}
	}
	return nil
}

func (d *drive) sendAgain(r *ride) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sendNext(r)
}

// seen notes what a node has made final, and sends its lanes on.
func (d *drive) seen(block final) {
	d.mu.Lock()
	defer d.mu.Unlock()
	own := 0
	for _, tx := range block.txs {
		r := d.flying[tx.id]
		if r == nil || r.node != block.node {
			continue
		}
		delete(d.flying, tx.id)
		if tx.code != types.CodeOK {
			d.cancel(fmt.Errorf("transaction %s was refused in its block: %w", tx.id, types.Refuse(tx.code, "a trade of the load")))
			return
		}
		own++
		d.land(r, block.at)
	}
	if block.node == 0 {
		d.result.block(&block)
	}
	if own == 0 {
		return
	}
	d.moved = block.at
	if d.plan.progress != nil {
		d.plan.progress(d.result.trades)
	}
}

// block counts a block, which may be told of in several parts.
func (t *tally) block(block *final) {
	if len(block.txs) == 0 {
		return
	}
	t.blockTxs += len(block.txs)
	if block.height == t.lastHeight {
		return
	}
	if t.lastHeight > 0 {
		t.blocks = append(t.blocks, block.at.Sub(t.lastBlock))
	}
	t.lastHeight, t.lastBlock = block.height, block.at
}

// land counts a step that is final and goes on to the next.
func (d *drive) land(r *ride, at time.Time) {
	step := &r.lane.steps[r.at]
	d.result.txs++
	d.result.bytes += int64(len(step.bytes))
	d.result.steps = append(d.result.steps, at.Sub(r.due))
	d.result.finals = append(d.result.finals, at)
	if step.ends > 0 {
		d.result.trades += step.ends
		d.result.end = at
		d.result.ends = append(d.result.ends, at)
		d.result.whole = append(d.result.whole, at.Sub(r.first))
	}
	step.bytes = nil // it is not needed again, and there are many
	r.at++
	r.pause = 0
	switch {
	case r.at == len(r.lane.steps):
		d.over()
		d.next(at)
	case !r.lane.steps[r.at].first:
		r.due = at
		d.sendNext(r)
	default:
		d.rest(r)
	}
}

// rest is where a lane stands between two trades.
func (d *drive) rest(r *ride) {
	now := time.Now()
	switch {
	case d.closing || d.plan.until > 0 && now.Sub(d.result.begin) > d.plan.until:
		d.over()
		d.end()
	default:
		d.idle = append(d.idle, r)
		d.next(now)
	}
}

// end lets what is under way end and begins nothing new.
func (d *drive) end() {
	d.closing = true
	for range d.idle {
		d.over()
	}
	d.idle = nil
}

// next begins the next trade of the lane that has waited longest, where nothing else tells when to.
func (d *drive) next(now time.Time) {
	if d.plan.rate > 0 || len(d.idle) == 0 {
		return
	}
	r := d.idle[0]
	d.idle = d.idle[1:]
	r.due, r.first = now, now
	d.sendNext(r)
}

func (d *drive) over() {
	if d.open--; d.open == 0 {
		close(d.done)
	}
}

// watch gives a run up that stands still.
func (d *drive) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-d.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		d.mu.Lock()
		silent, flying := time.Since(d.moved), len(d.flying)
		d.mu.Unlock()
		if flying > 0 && silent > stallLimit {
			return errors.New("nothing has become final for three minutes: see the node's log (--verbose)")
		}
	}
}
