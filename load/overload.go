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
	overloadTime   = 30 * time.Second
	// overloadLanes are more than a pool holds, so that it is the pool that refuses and not the lanes that run out.
	overloadLanes = 24_000
	// capacityAtOnce of them are under way while the capacity is measured: enough to keep a node busy, too few to fill its pool.
	capacityAtOnce = 4000
	// overloadSettles is the part of the time that is not counted, in which the pool fills up: one in so many.
	overloadSettles = 3
)

// OverloadReport is what becomes of a ledger that is offered more than it can do.
type OverloadReport struct {
	Mode       string         `json:"mode"`
	Capacity   float64        `json:"capacity_trades_per_s"`
	Offered    float64        `json:"offered_trades_per_s"`
	TradesPerS float64        `json:"trades_per_s"` // once the pool is full, while trades are offered
	Kept       float64        `json:"kept"`         // of the capacity
	Refused    map[string]int `json:"refused"`      // by code; one that tries again is counted again
	GivenUp    int            `json:"given_up"`     // trades that were never begun
	Times
	RSSBefore float64 `json:"rss_before_mb"` // at most, up to when it is offered too much
	RSS       float64 `json:"rss_mb"`        // at most, then; both with the load generator in it, but for mode net
	Conserved bool    `json:"conserved"`
}

// Overload measures what a ledger can do, then offers the same ledger three times as much. Who finds the pool full goes away; who
// has begun a trade tries again until it is done.
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
	b, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	r, err := b.overload(ctx)
	if err = errors.Join(err, b.end(err == nil)); err != nil {
		return nil, err
	}
	r.Conserved = true
	return r, nil
}

// overload measures twice on one target: as much as it can do, then more.
func (b *bench) overload(ctx context.Context) (*OverloadReport, error) {
	o := b.o
	o.Progress(Progress{What: "measuring the capacity"})
	b.world.extend(1)
	able, _, err := b.measure(ctx, plan{atOnce: capacityAtOnce})
	if err != nil {
		return nil, err
	}
	r := &OverloadReport{Mode: o.Mode, Capacity: float64(able.trades) / able.took().Seconds()}
	r.Offered = overloadFactor * r.Capacity
	o.Progress(Progress{What: "making and signing trades"})
	b.world.extend(2 + int(spare*r.Capacity*o.Duration.Seconds())/o.Actions/len(b.world.lanes)) // no more can be done
	before, err := b.target.usage()
	if err != nil {
		return nil, err
	}
	p := b.plan()
	p.rate, p.dropFirst = r.Offered, true
	tally, used, err := b.measure(ctx, p)
	if err != nil {
		return nil, err
	}
	settled := o.Duration / overloadSettles
	r.TradesPerS = float64(o.Actions) * tally.pace(settled, o.Duration)
	r.Kept = r.TradesPerS / r.Capacity
	r.Refused, r.GivenUp, r.Times = refusals(tally.refused), tally.dropped*o.Actions, timesOf(tally.steps)
	r.RSSBefore, r.RSS = float64(before.rss)/(1<<20), float64(used.rss)/(1<<20)
	return r, nil
}

// WriteText writes the report for people.
func (r *OverloadReport) WriteText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "Offered %s trades/s, three times what it can do, the ledger (mode %s) still did %s trades/s: %.0f %% of its %s.\n\n",
		number(r.Offered), r.Mode, number(r.TradesPerS), 100*r.Kept, number(r.Capacity))
	fmt.Fprintf(out, "refused, as the pool was full\t%s\n", number(float64(r.Refused[types.CodePoolFull.String()])))
	fmt.Fprintf(out, "trades given up\t%s\n", number(float64(r.GivenUp)))
	fmt.Fprintf(out, "transaction final after\t%.1f ms (p50), %.1f (p99)\n", r.P50, r.P99)
	fmt.Fprintf(out, "memory\t%.0f MB at most before, %.0f MB at most then%s\n", r.RSSBefore, r.RSS,
		map[bool]string{true: ", of the largest node", false: ", with the load generator and all that it has signed"}[r.Mode == ModeNet])
	fmt.Fprintf(out, "\nThe books add up: all the money that was issued is there.\n")
	return out.Flush()
}
