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
	overloadTime   = 10 * time.Second
	// overloadLanes are more than a pool holds, so that it is the pool that refuses and not the lanes that run out.
	overloadLanes = 24_000
)

// OverloadReport is what becomes of a ledger that is offered more than it can do.
type OverloadReport struct {
	Mode       string         `json:"mode"`
	Capacity   float64        `json:"capacity_trades_per_s"`
	Offered    float64        `json:"offered_trades_per_s"`
	TradesPerS float64        `json:"trades_per_s"`
	Kept       float64        `json:"kept"` // of the capacity
	Refused    map[string]int `json:"refused"`
	GivenUp    int            `json:"given_up"` // trades that were never begun
	Times
	RSSBefore float64 `json:"rss_before_mb"`
	RSS       float64 `json:"rss_mb"`
	Conserved bool    `json:"conserved"`
}

// Overload measures what a ledger can do, then offers three times as much. Who finds the pool full goes away; who has begun a
// trade tries again until it is done.
func Overload(ctx context.Context, o Options) (*OverloadReport, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Mode == ModeRules || o.Mode == ModeStore {
		return nil, &OptionError{fmt.Errorf("mode %s has no pool that could be full: overload node, api or net", o.Mode)}
	}
	capacity, err := capacityOf(ctx, o)
	if err != nil {
		return nil, err
	}
	o.Duration, o.Trades = cmp.Or(o.Duration, overloadTime), 0
	o.Rate = overloadFactor * capacity.TradesPerS
	if lanes := o.lanes(); lanes < overloadLanes {
		o.Keys = overloadLanes * o.Keys / lanes
	}
	b, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	before, err := b.target.usage()
	if err != nil {
		return nil, errors.Join(err, b.end(false))
	}
	p := b.plan()
	p.dropFirst = true
	tally, used, err := b.measure(ctx, p)
	if err = errors.Join(err, b.end(err == nil)); err != nil {
		return nil, err
	}
	r := &OverloadReport{
		Mode: o.Mode, Capacity: capacity.TradesPerS, Offered: o.Rate, TradesPerS: float64(tally.trades) / tally.took().Seconds(),
		Refused: refusals(tally.refused), GivenUp: tally.dropped * o.Actions, Times: timesOf(tally.steps),
		RSSBefore: float64(before.rss) / (1 << 20), RSS: float64(used.rss) / (1 << 20), Conserved: true,
	}
	r.Kept = r.TradesPerS / r.Capacity
	return r, nil
}

// capacityOf measures at full speed, with as many lanes as keys were asked for.
func capacityOf(ctx context.Context, o Options) (*Report, error) {
	o.Rate, o.Duration = 0, 0
	o.Trades = cmp.Or(o.Trades, 20_000)
	return Run(ctx, o)
}

// WriteText writes the report for people.
func (r *OverloadReport) WriteText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "Offered %s trades/s, three times what it can do, the ledger (mode %s) still did %s trades/s: %.0f %% of its %s.\n\n",
		number(r.Offered), r.Mode, number(r.TradesPerS), 100*r.Kept, number(r.Capacity))
	fmt.Fprintf(out, "refused, as the pool was full\t%s\n", number(float64(r.Refused[types.CodePoolFull.String()])))
	fmt.Fprintf(out, "trades given up\t%s\n", number(float64(r.GivenUp)))
	fmt.Fprintf(out, "transaction final after\t%.1f ms (p50), %.1f (p99)\n", r.P50, r.P99)
	fmt.Fprintf(out, "memory\t%.0f MB before, %.0f MB at most\n", r.RSSBefore, r.RSS)
	fmt.Fprintf(out, "\nThe books add up: all the money that was issued is there.\n")
	return out.Flush()
}
