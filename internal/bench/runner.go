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

// batchLimit is how many transactions are handed in at once at most, as many as a node verifies at once.
const batchLimit = 512

// A client that is refused because the pool is full tries again after a pause, which doubles each time: thousands that ask
// without end would take the time of the node that they wait for.
const (
	fullPause    = 5 * time.Millisecond
	longestPause = time.Second
)

// runner sends the steps of each pair, one after the other has become final, and counts.
type runner struct {
	target target
	plan   plan
	done   chan struct{} // closed when all is done
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	ready     []sendQueue // for each node
	ended     bool        // nothing is sent any more
	sessions  []*session
	inFlight  map[types.TxID]*session
	idle      []*session // waiting for an arrival, or for another to end its trade
	open      int        // sessions that are not over
	closing   bool       // no new trades
	result    tally
	lastFinal time.Time // when something last became final
}

// sendQueue holds the sessions with a step to be sent to one node.
type sendQueue struct {
	sessions []*session
	nonEmpty sync.Cond // or no more will come
}

// plan says how fast to send and when to stop.
type plan struct {
	rate      float64       // trades a second to begin; zero: each pair goes on as soon as it can
	atOnce    int           // without a rate: pairs that may be under way, taking turns; zero: all
	until     time.Duration // begin no new trade after it; zero: do all steps
	dropFirst bool          // overload: a trade that finds the pool full is given up, not tried again
	progress  func(trades int)
}

// session is the progress of a pair in one run.
type session struct {
	pair  *pair
	node  int
	at    int           // the step to do or in flight
	due   time.Time     // when the step should be sent
	first time.Time     // when the first step of the trades under way should have been sent
	pause time.Duration // before it tries again, after a refusal
}

// tally holds the counts of a run.
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

// pace is how many pairs a second ended their trades in a part of the run: from the last block before it to the first behind it,
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

// run does the steps that the pairs have, by their plan. So many clients hand them in at each node.
func run(ctx context.Context, t target, pairs []*pair, clients int, p plan) (*tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &runner{
		target: t, plan: p, ready: make([]sendQueue, t.nodes()), done: make(chan struct{}), cancel: cancel,
		inFlight: make(map[types.TxID]*session, len(pairs)),
		result:   tally{refused: map[types.Code]int{}},
	}
	for node := range r.ready {
		r.ready[node].nonEmpty.L = &r.mu
	}
	for i, l := range pairs {
		if len(l.steps) > 0 {
			r.sessions = append(r.sessions, &session{pair: l, node: i % t.nodes()})
		}
	}
	if r.open = len(r.sessions); r.open == 0 {
		return &r.result, nil
	}
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	following, stop := context.WithCancel(ctx)
	group.Go(func() error { return t.follow(following, r.committed) })
	r.start()
	for node := range r.ready {
		for range clients {
			group.Go(func() error { return r.send(ctx, node) })
		}
	}
	group.Go(func() error { return r.watch(ctx) })
	if p.rate > 0 {
		group.Go(func() error { return r.arrive(ctx) })
	}
	group.Go(func() error {
		defer stop()
		defer r.sendNoMore()
		select {
		case <-r.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	r.finish()
	return &r.result, nil
}

func (r *runner) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.result.begin, r.lastFinal, r.result.end = now, now, now
	if r.plan.rate > 0 {
		r.idle = append(r.idle, r.sessions...)
		return
	}
	beginning := r.sessions
	if r.plan.atOnce > 0 {
		beginning = r.sessions[:min(r.plan.atOnce, len(r.sessions))]
		r.idle = append(r.idle, r.sessions[len(beginning):]...)
	}
	for _, s := range beginning {
		s.due, s.first = now, now
		r.sendNext(s)
	}
}

// finish drops the steps that were done, so that a later run goes on behind them.
func (r *runner) finish() {
	for _, s := range r.sessions {
		s.pair.steps = s.pair.steps[s.at:]
	}
}

// sendNext puts a session's step where it is sent from. Hold mu.
func (r *runner) sendNext(s *session) {
	ready := &r.ready[s.node]
	ready.sessions = append(ready.sessions, s)
	ready.nonEmpty.Signal()
}

func (r *runner) sendNoMore() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for node := range r.ready {
		r.ready[node].nonEmpty.Broadcast()
	}
}

// send submits the ready steps of one node, in batches, until the run is over.
func (r *runner) send(ctx context.Context, node int) error {
	for {
		sessions, txs := r.takeBatch(node)
		if len(sessions) == 0 {
			return nil
		}
		errs := r.target.submit(ctx, node, txs)
		if err := r.answered(sessions, txs, errs); err != nil {
			return err
		}
	}
}

// takeBatch waits for something to be ready, and returns as much of that as one request may hold; nothing at the end.
func (r *runner) takeBatch(node int) (sessions []*session, txs []encoded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ready := &r.ready[node]
	for len(ready.sessions) == 0 && !r.ended {
		ready.nonEmpty.Wait()
	}
	if r.ended {
		return nil, nil
	}
	count := min(len(ready.sessions), batchLimit)
	sessions, ready.sessions = ready.sessions[:count:count], ready.sessions[count:]
	txs = make([]encoded, count)
	for i, s := range sessions {
		txs[i] = s.pair.steps[s.at].encoded
		r.inFlight[txs[i].id] = s // before it is sent: it can be final before the answer is here
	}
	return sessions, txs
}

// answered records a node's answers.
func (r *runner) answered(sessions []*session, txs []encoded, errs []error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, err := range errs {
		s, id := sessions[i], txs[i].id
		if err == nil || r.inFlight[id] != s {
			continue // or it is final all the same
		}
		delete(r.inFlight, id)
		code := types.CodeOf(err)
		r.result.refused[code]++
		switch {
		case code != types.CodePoolFull && code != types.CodeUnavailable:
			return fmt.Errorf("transaction %s: %w", id, err)
		case r.plan.dropFirst && s.pair.steps[s.at].first:
			r.result.dropped++
			r.park(s)
		default:
			s.pause = min(max(2*s.pause, fullPause), longestPause)
			time.AfterFunc(s.pause, func() { r.sendAgain(s) })
		}
	}
	return nil
}

func (r *runner) sendAgain(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sendNext(s)
}

// committed records a node's final transactions, and continues their pairs.
func (r *runner) committed(block final) {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := 0
	for _, tx := range block.txs {
		s := r.inFlight[tx.id]
		if s == nil || s.node != block.node {
			continue
		}
		delete(r.inFlight, tx.id)
		if tx.code != types.CodeOK {
			r.cancel(fmt.Errorf("transaction %s was refused in its block: %w", tx.id, types.Refuse(tx.code, "a trade of the load")))
			return
		}
		own++
		r.complete(s, block.at)
	}
	if block.node == 0 {
		r.result.block(&block)
	}
	if own == 0 {
		return
	}
	r.lastFinal = block.at
	if r.plan.progress != nil {
		r.plan.progress(r.result.trades)
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

// complete counts a final step and continues with the next.
func (r *runner) complete(s *session, at time.Time) {
	step := &s.pair.steps[s.at]
	r.result.txs++
	r.result.bytes += int64(len(step.bytes))
	r.result.steps = append(r.result.steps, at.Sub(s.due))
	r.result.finals = append(r.result.finals, at)
	if step.ends > 0 {
		r.result.trades += step.ends
		r.result.end = at
		r.result.ends = append(r.result.ends, at)
		r.result.whole = append(r.result.whole, at.Sub(s.first))
	}
	step.bytes = nil // it is not needed again, and there are many
	s.at++
	s.pause = 0
	switch {
	case s.at == len(s.pair.steps):
		r.closeSession()
		r.next(at)
	case !s.pair.steps[s.at].first:
		s.due = at
		r.sendNext(s)
	default:
		r.park(s)
	}
}

// park leaves a session idle between two trades, or ends it.
func (r *runner) park(s *session) {
	now := time.Now()
	switch {
	case r.closing || r.plan.until > 0 && now.Sub(r.result.begin) > r.plan.until:
		r.closeSession()
		r.startNoMore()
	default:
		r.idle = append(r.idle, s)
		r.next(now)
	}
}

// startNoMore lets running trades end and starts no others.
func (r *runner) startNoMore() {
	r.closing = true
	for range r.idle {
		r.closeSession()
	}
	r.idle = nil
}

// next begins the next trade of the pair that has waited longest, where nothing else tells when to.
func (r *runner) next(now time.Time) {
	if r.plan.rate > 0 || len(r.idle) == 0 {
		return
	}
	s := r.idle[0]
	r.idle = r.idle[1:]
	s.due, s.first = now, now
	r.sendNext(s)
}

func (r *runner) closeSession() {
	if r.open--; r.open == 0 {
		close(r.done)
	}
}

// watch gives a run up that stands still.
func (r *runner) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		r.mu.Lock()
		silent, inFlight := time.Since(r.lastFinal), len(r.inFlight)
		r.mu.Unlock()
		if inFlight > 0 && silent > stallLimit {
			return errors.New("nothing has become final for three minutes: see the node's log (--verbose)")
		}
	}
}
