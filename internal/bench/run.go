package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"lockstep/types"
)

const (
	// spare is how many more trades are made than a time is thought to suffice for.
	spare = 1.6
	// settling goes before a time that is measured: pairs that all began at once spread out.
	settling = 2 * time.Second
)

// Run does one measurement.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Progress(Progress{What: "measuring the machine"})
	limits, err := MeasureLimits(ctx, o)
	if err != nil {
		return nil, err
	}
	b, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	o.Progress(Progress{What: "making and signing trades"})
	b.extend()
	tally, used, err := b.measure(ctx, b.plan())
	if err = errors.Join(err, b.end(err == nil)); err != nil {
		return nil, err
	}
	return newReport(&o, &limits, tally, used), nil
}

// bench is a target with everything on it that trades need, and a world whose next trades are signed.
type bench struct {
	o      *Options
	world  *world
	target target
	pace   float64 // trades a second when warming up
}

// prepare opens a target, puts money and offers on it, and lets every pair do one round. So every trade that is measured
// spends the proceeds of another.
func prepare(ctx context.Context, o *Options) (_ *bench, err error) {
	b := &bench{o: o}
	pairs := o.pairs()
	if o.Trades > 0 {
		pairs = min(pairs, (o.Trades+o.Actions-1)/o.Actions)
	}
	o.Progress(Progress{What: "making keys"})
	b.world = newWorld(o.params(), types.TimeOf(time.Now()), o, pairs, true)
	b.world.extend(1)
	if b.target, err = open(ctx, o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.end(false))
		}
	}()
	o.Progress(Progress{What: "issuing money and posting offers"})
	for _, txs := range [][]*types.Tx{b.world.grants, b.world.posts} {
		if _, err = run(ctx, b.target, single(txs), o.Clients, plan{}); err != nil {
			return nil, fmt.Errorf("set up: %w", err)
		}
	}
	o.Progress(Progress{What: "warming up"})
	tally, err := run(ctx, b.target, b.world.pairs, o.Clients, plan{})
	if err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	b.pace = float64(tally.trades) / tally.took().Seconds()
	return b, nil
}

// single makes a pair of each transaction.
func single(txs []*types.Tx) []*pair {
	pairs := make([]*pair, len(txs))
	for i, tx := range txs {
		pairs[i] = &pair{steps: []step{{encoded: encode(tx)}}}
	}
	return pairs
}

// extend makes the trades that are to be measured.
func (b *bench) extend() {
	trades := b.o.Trades
	if trades == 0 {
		pace := b.pace
		if b.o.Rate > 0 {
			pace = b.o.Rate
		}
		trades = int(min(pace*(settling+b.o.Duration).Seconds()*spare, maxTrades)) + b.o.Actions
	}
	rounds := (trades + b.o.Actions - 1) / b.o.Actions
	each, more := rounds/len(b.world.pairs), rounds%len(b.world.pairs)
	b.world.extendEach(func(pair int) int {
		if pair < more {
			return each + 1
		}
		return each
	})
}

// extend makes so many rounds of trades on every pair.
func (w *world) extend(rounds int) { w.extendEach(func(int) int { return rounds }) }

// extendEach works on all cores: pairs don't depend on each other.
func (w *world) extendEach(rounds func(pair int) int) {
	shared(len(w.pairs), func(i int) {
		for range rounds(i) {
			w.pairs[i].extend()
		}
	})
}

func (b *bench) plan() plan {
	total, until := b.o.Trades, b.o.Duration
	if b.o.steady() {
		until += settling
	}
	return plan{rate: b.o.Rate, until: until, progress: func(trades int) {
		b.o.Progress(Progress{What: "trading", Done: trades, Total: total})
	}}
}

// measure runs the signed steps by a plan, and returns the resources used.
func (b *bench) measure(ctx context.Context, p plan) (*tally, usage, error) {
	runtime.GC()
	before, err := b.target.usage()
	if err != nil {
		return nil, before, err
	}
	stop := b.o.Measured()
	tally, err := run(ctx, b.target, b.world.pairs, b.o.Clients, p)
	stop()
	if err != nil {
		return nil, before, err
	}
	after, err := b.target.usage()
	after.cpu -= before.cpu
	after.disk -= before.disk
	return tally, after, err
}

// end stops the target; when all went well its books are checked.
func (b *bench) end(audit bool) error {
	var err error
	if audit {
		b.o.Progress(Progress{What: "auditing"})
		err = b.target.close(b.world.issued)
	} else {
		err = b.target.abandon()
	}
	return errors.Join(err, b.target.remove())
}
