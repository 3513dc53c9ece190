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
	// settling goes before a time that is measured: lanes that all began at once spread out.
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

// prepare opens a target, puts money and offers on it, and lets every lane do one round. So every trade that is measured
// spends the proceeds of another.
func prepare(ctx context.Context, o *Options) (_ *bench, err error) {
	b := &bench{o: o}
	lanes := o.lanes()
	if o.Trades > 0 {
		lanes = min(lanes, (o.Trades+o.Actions-1)/o.Actions)
	}
	o.Progress(Progress{What: "making keys"})
	b.world = newWorld(o.params(), types.TimeOf(time.Now()), o, lanes, true)
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
	tally, err := run(ctx, b.target, b.world.lanes, o.Clients, plan{})
	if err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	b.pace = float64(tally.trades) / tally.took().Seconds()
	return b, nil
}

// single makes a lane of each transaction.
func single(txs []*types.Tx) []*lane {
	lanes := make([]*lane, len(txs))
	for i, tx := range txs {
		lanes[i] = &lane{steps: []step{{encoded: encode(tx)}}}
	}
	return lanes
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
	each, more := rounds/len(b.world.lanes), rounds%len(b.world.lanes)
	b.world.extendEach(func(lane int) int {
		if lane < more {
			return each + 1
		}
		return each
	})
}

// extend makes so many rounds of trades on every lane.
func (w *world) extend(rounds int) { w.extendEach(func(int) int { return rounds }) }

// extendEach works on all cores: lanes don't depend on each other.
func (w *world) extendEach(rounds func(lane int) int) {
	shared(len(w.lanes), func(i int) {
		for range rounds(i) {
			w.lanes[i].extend()
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

// measure does what is signed, by a plan, and returns what that used up.
func (b *bench) measure(ctx context.Context, p plan) (*tally, usage, error) {
	runtime.GC()
	before, err := b.target.usage()
	if err != nil {
		return nil, before, err
	}
	stop := b.o.Measured()
	tally, err := run(ctx, b.target, b.world.lanes, b.o.Clients, p)
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
