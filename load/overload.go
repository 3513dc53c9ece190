package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"lockstep/types"
)

const (
	overloadFactor = 3
	overloadTime   = 20 * time.Second
	// overloadLanes are more than a pool holds, so that it is the pool that refuses and not the lanes that run out.
	overloadLanes = 24_000
	// capacityAtOnce of them are under way while the capacity is measured: enough to keep a node busy, too few to fill its pool.
	capacityAtOnce = 4000
	// overloadSettles is the part of each time that is not counted, in which the pool fills up: one in so many.
	overloadSettles = 3
	// roundSteps are the transactions of one round of a lane.
	roundSteps = 3
)

// OverloadReport is what becomes of a ledger that is offered more than it can do.
type OverloadReport struct {
	Mode          string         `json:"mode"`
	Capacity      float64        `json:"capacity_trades_per_s"` // the mean of before and after
	Before        float64        `json:"capacity_before_trades_per_s"`
	After         float64        `json:"capacity_after_trades_per_s"`
	Offered       float64        `json:"offered_trades_per_s"`
	TradesPerS    float64        `json:"trades_per_s"`              // once the pool is full, while trades are offered
	Kept          float64        `json:"kept"`                      // of the capacity
	CapacityCPU   float64        `json:"capacity_cpu_us_per_trade"` // before and after
	CPUPerTrade   float64        `json:"cpu_us_per_trade"`          // while it is offered too much, for each trade that was done
	CapacityCores float64        `json:"capacity_cores_used"`       // on average, before and after; those in overload can be compared
	CoresUsed     float64        `json:"cores_used"`
	Refused       map[string]int `json:"refused"`  // by code; one that tries again is counted again
	GivenUp       int            `json:"given_up"` // trades that were never begun
	Times
	RSSBefore float64 `json:"rss_before_mb"` // at most, up to when it is offered too much
	RSS       float64 `json:"rss_mb"`        // at most, then; both with the load generator in it, but for mode net
	Conserved bool    `json:"conserved"`
}

// Overload measures what a ledger can do, then offers the same ledger three times as much, then measures again what it can do: as
// it grows, and as what it has put off catches up with it, a ledger is not the same before and after. Who finds the pool
// full goes away; who has begun a trade tries again until it is done.
func Overload(ctx context.Context, o Options) (*OverloadReport, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Mode == ModeRules || o.Mode == ModeStore {
		return nil, &OptionError{fmt.Errorf("mode %s has no pool that could be full: overload node, api or net", o.Mode)}
	}
	o.Duration, o.Trades = cmp.Or(o.Duration, overloadTime), 0
	if want := cmp.Or(o.crowd, overloadLanes); o.lanes() < want {
		o.Keys = want * o.Keys / o.lanes()
	}
	profiles := o.Measured
	o.Measured = func() func() { return func() {} }
	b, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	r, err := b.overload(ctx, profiles)
	if err = errors.Join(err, b.end(err == nil)); err != nil {
		return nil, err
	}
	r.Conserved = true
	return r, nil
}

// overload measures three times on one target: as much as it can do, more, and as much as it can do again. Each time is as long
// and counted alike. Profiles are of the overload alone.
func (b *bench) overload(ctx context.Context, profiles func() (stop func())) (*OverloadReport, error) {
	capacity := plan{atOnce: capacityAtOnce, until: b.o.Duration}
	b.supply(b.pace)
	before, err := b.stretch(ctx, "measuring the capacity", capacity)
	if err != nil {
		return nil, err
	}
	p := b.plan()
	p.rate, p.dropFirst = overloadFactor*before.pace, true
	b.supply(before.pace)
	stop := profiles()
	over, err := b.stretch(ctx, "offering three times as much", p)
	stop()
	if err != nil {
		return nil, err
	}
	b.supply(before.pace)
	after, err := b.stretch(ctx, "measuring the capacity again", capacity)
	if err != nil {
		return nil, err
	}
	r := &OverloadReport{
		Mode: b.o.Mode, Capacity: (before.pace + after.pace) / 2, Before: before.pace, After: after.pace,
		Offered: p.rate, TradesPerS: over.pace,
		CapacityCPU:   microseconds(before.used.cpu+after.used.cpu) / float64(max(before.trades+after.trades, 1)),
		CPUPerTrade:   microseconds(over.used.cpu) / float64(max(over.trades, 1)),
		CapacityCores: (before.used.cpu + after.used.cpu).Seconds() / (before.took() + after.took()).Seconds(),
		CoresUsed:     over.used.cpu.Seconds() / over.took().Seconds(),
		Refused:       refusals(over.refused), GivenUp: over.dropped * b.o.Actions, Times: timesOf(over.steps),
		RSSBefore: megabytes(before.used.rss), RSS: megabytes(over.used.rss), // what is signed for a stretch counts in its own
	}
	r.Kept = r.TradesPerS / r.Capacity
	return r, nil
}

// stretch is one of several measurements on one target.
type stretch struct {
	*tally
	used usage
	pace float64 // trades a second, once it runs evenly
}

// supply signs what may be done in a stretch at a pace, beside what is left of the one before.
func (b *bench) supply(pace float64) {
	b.o.Progress(Progress{What: "making and signing trades"})
	rounds := 2 + int(spare*pace*b.o.Duration.Seconds())/b.o.Actions/len(b.world.lanes)
	b.world.extendEach(func(lane int) int { return max(rounds-len(b.world.lanes[lane].steps)/roundSteps, 0) })
}

// stretch does what is signed by a plan. Its pace is counted in transactions: when thousands of trades begin at once, as many end
// at once, some seconds later.
func (b *bench) stretch(ctx context.Context, what string, p plan) (*stretch, error) {
	b.o.Progress(Progress{What: what})
	tally, used, err := b.measure(ctx, p)
	if err != nil {
		return nil, err
	}
	even := tally.paceOf(tally.finals, b.o.Duration/overloadSettles, b.o.Duration)
	return &stretch{tally, used, even / roundSteps * float64(b.o.Actions)}, nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// WriteText writes the report for people.
func (r *OverloadReport) WriteText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "Offered %s trades/s, three times what it can do, the ledger (mode %s) still did %s trades/s: %.0f %% of its %s.\n\n",
		number(r.Offered), r.Mode, number(r.TradesPerS), 100*r.Kept, number(r.Capacity))
	fmt.Fprintf(out, "what it can do\t%s trades/s before, %s after\n", number(r.Before), number(r.After))
	fmt.Fprintf(out, "a trade costs\t%.0f µs of a core (%.1f were used), %.0f when offered too much (%.1f)\n",
		r.CapacityCPU, r.CapacityCores, r.CPUPerTrade, r.CoresUsed)
	fmt.Fprintf(out, "refused, as the pool was full\t%s\n", number(float64(r.Refused[types.CodePoolFull.String()])))
	if r.Refused[types.CodePoolFull.String()] == 0 {
		fmt.Fprintf(out, "so that was no overload\tmeasure for longer, and while the machine does nothing else\n")
	}
	fmt.Fprintf(out, "trades given up\t%s\n", number(float64(r.GivenUp)))
	fmt.Fprintf(out, "transaction final after\t%.1f ms (p50), %.1f (p99)\n", r.P50, r.P99)
	fmt.Fprintf(out, "memory\t%.0f MB at most before, %.0f MB at most then%s\n", r.RSSBefore, r.RSS,
		map[bool]string{true: ", of the largest node", false: ", with the load generator and all that it has signed"}[r.Mode == ModeNet])
	fmt.Fprintf(out, "\nThe books add up: all the money that was issued is there.\n")
	return out.Flush()
}
