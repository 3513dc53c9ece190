package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"lockstep/internal/table"
	"lockstep/types"
)

const (
	overloadFactor = 3
	overloadRounds = 4 // a shared machine varies more from one minute to the next than the measured effect
	overloadTime   = 10 * time.Second
	// overloadPairs are more than a pool holds, so that it is the pool that refuses and not the pairs that run out.
	overloadPairs = 24_000
	// capacityAtOnce of them are under way while the capacity is measured: enough to keep a node busy, too few to fill its pool.
	capacityAtOnce = 4000
	// overloadSettles is the part of each time that is not counted, in which the pool fills up: one in so many.
	overloadSettles = 3
	// roundSteps are the transactions of one round of a pair.
	roundSteps = 3
)

// OverloadReport is the behaviour of a ledger under more load than its capacity.
type OverloadReport struct {
	Mode          string          `json:"mode"`
	Rounds        []OverloadRound `json:"rounds"`
	Capacity      float64         `json:"capacity_trades_per_s"` // this and the next two: the medians of the rounds
	TradesPerS    float64         `json:"trades_per_s"`
	Kept          float64         `json:"kept"`
	CapacityCPU   float64         `json:"capacity_cpu_us_per_trade"`
	CPUPerTrade   float64         `json:"cpu_us_per_trade"`    // while it is offered too much, for each trade that was done
	CapacityCores float64         `json:"capacity_cores_used"` // on average; those in overload can be compared
	CoresUsed     float64         `json:"cores_used"`
	Refused       map[string]int  `json:"refused"`  // by code; one that tries again is counted again
	GivenUp       int             `json:"given_up"` // trades that were never begun
	Times
	RSSBefore float64 `json:"rss_before_mb"` // at most, up to when it is first offered too much
	RSS       float64 `json:"rss_mb"`        // at most, then; both with the load generator in it, but for mode net
	Conserved bool    `json:"conserved"`
}

// OverloadRound is one measurement of a ledger's capacity, the load offered, and its speed under it.
type OverloadRound struct {
	Before     float64 `json:"capacity_before_trades_per_s"`
	Offered    float64 `json:"offered_trades_per_s"`
	TradesPerS float64 `json:"trades_per_s"` // once the pool is full, while trades are offered
	After      float64 `json:"capacity_after_trades_per_s"`
}

func (r *OverloadRound) capacity() float64 { return (r.Before + r.After) / 2 }

// kept is the speed under overload as a part of the capacity before and after.
func (r *OverloadRound) kept() float64 { return r.TradesPerS / r.capacity() }

// Overload measures the capacity of a ledger, then offers three times as much, then measures the capacity again, some
// times over: a ledger grows and does deferred work, so its capacity differs before and after. A trade that
// finds the pool full is dropped; a trade under way is retried until it ends.
func Overload(ctx context.Context, o Options) (*OverloadReport, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Mode == ModeRules || o.Mode == ModeStore {
		return nil, &OptionError{fmt.Errorf("mode %s has no pool that could be full: overload node, api or net", o.Mode)}
	}
	o.Duration, o.Trades = cmp.Or(o.Duration, overloadTime), 0
	if want := cmp.Or(o.crowd, overloadPairs); o.pairs() < want {
		o.Keys = want * o.Keys / o.pairs()
	}
	profiles := o.Measured
	o.Measured = unmeasured
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

// overload measures on one target, in turns, as much as it can do and more. Each time is as long and counted alike. Profiles are of
// the first overload alone.
func (b *bench) overload(ctx context.Context, profiles func() (stop func())) (*OverloadReport, error) {
	r := &OverloadReport{Mode: b.o.Mode}
	var able, over total
	capacity := plan{atOnce: capacityAtOnce, until: b.o.Duration}
	before, err := b.interval(ctx, "measuring the capacity", b.pace, capacity)
	if err != nil {
		return nil, err
	}
	able.add(before)
	r.RSSBefore = megabytes(before.used.rss)
	for n := range overloadRounds {
		p := b.plan()
		p.rate, p.dropFirst = overloadFactor*before.pace, true
		if n == 0 {
			b.o.Measured = profiles
		}
		during, err := b.interval(ctx, fmt.Sprintf("offering three times as much, %d of %d", n+1, overloadRounds), before.pace, p)
		b.o.Measured = unmeasured
		if err != nil {
			return nil, err
		}
		after, err := b.interval(ctx, "measuring the capacity again", before.pace, capacity)
		if err != nil {
			return nil, err
		}
		over.add(during)
		able.add(after)
		r.Rounds = append(r.Rounds, OverloadRound{before.pace, p.rate, during.pace, after.pace})
		before = after
	}
	r.Capacity = median(r.Rounds, (*OverloadRound).capacity)
	r.TradesPerS = median(r.Rounds, func(o *OverloadRound) float64 { return o.TradesPerS })
	r.Kept = median(r.Rounds, (*OverloadRound).kept)
	r.CapacityCPU, r.CapacityCores = able.cpuPerTrade(), able.coresUsed()
	r.CPUPerTrade, r.CoresUsed = over.cpuPerTrade(), over.coresUsed()
	r.Refused, r.GivenUp, r.Times = refusals(over.refused), over.dropped*b.o.Actions, timesOf(over.steps)
	r.RSS = megabytes(over.rss)
	return r, nil
}

// median is the lower one of two in the middle.
func median(rounds []OverloadRound, of func(*OverloadRound) float64) float64 {
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = of(&rounds[i])
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// total is the sum of several intervals.
type total struct {
	trades  int
	cpu     time.Duration
	took    time.Duration
	rss     int64
	dropped int
	refused map[types.Code]int
	steps   []time.Duration
}

func (t *total) add(s *interval) {
	t.trades += s.trades
	t.cpu += s.used.cpu
	t.took += s.took()
	t.rss = max(t.rss, s.used.rss)
	t.dropped += s.dropped
	if t.refused == nil {
		t.refused = map[types.Code]int{}
	}
	for code, count := range s.refused { // any order: each by itself
		t.refused[code] += count
	}
	t.steps = append(t.steps, s.steps...)
}

func (t *total) cpuPerTrade() float64 { return microseconds(t.cpu) / float64(max(t.trades, 1)) }
func (t *total) coresUsed() float64   { return t.cpu.Seconds() / t.took.Seconds() }

// interval is one of several measurements on one target.
type interval struct {
	*tally
	used usage
	pace float64 // trades a second, once it runs evenly
}

// supply signs enough steps for an interval at a pace, in addition to those left of the one before.
func (b *bench) supply(pace float64) {
	b.o.Progress(Progress{What: "making and signing trades"})
	rounds := 2 + int(spare*pace*b.o.Duration.Seconds())/b.o.Actions/len(b.world.pairs)
	b.world.extendEach(func(pair int) int { return max(rounds-len(b.world.pairs[pair].steps)/roundSteps, 0) })
}

// interval signs enough steps for a pace, and runs them by a plan. Its own pace is counted in transactions: when thousands of trades
// begin at once, as many end at once, some seconds later.
func (b *bench) interval(ctx context.Context, what string, pace float64, p plan) (*interval, error) {
	b.supply(pace)
	b.o.Progress(Progress{What: what})
	tally, used, err := b.measure(ctx, p)
	if err != nil {
		return nil, err
	}
	even := tally.paceOf(tally.finals, b.o.Duration/overloadSettles, b.o.Duration)
	return &interval{tally, used, even / roundSteps * float64(b.o.Actions)}, nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// WriteText writes the report for people.
func (r *OverloadReport) WriteText(w io.Writer) error {
	out := table.New(w)
	row := func(name, format string, args ...any) { out.Row(name, fmt.Sprintf(format, args...)) }
	out.Line("Offered three times what it can do, the ledger (mode %s) still did %s trades/s: %.0f %% of its %s (medians).\n",
		r.Mode, number(r.TradesPerS), 100*r.Kept, number(r.Capacity))
	for _, round := range r.Rounds {
		row(fmt.Sprintf("%s trades/s, offered %s", number(round.Before), number(round.Offered)), "%s, then %s: it kept %.0f %%",
			number(round.TradesPerS), number(round.After), 100*round.kept())
	}
	row("a trade costs", "%.0f µs of a core (%.1f were used), %.0f when offered too much (%.1f)",
		r.CapacityCPU, r.CapacityCores, r.CPUPerTrade, r.CoresUsed)
	row("refused, as the pool was full", "%s", number(float64(r.Refused[types.CodePoolFull.String()])))
	if r.Refused[types.CodePoolFull.String()] == 0 {
		row("so that was no overload", "measure for longer, and while the machine does nothing else")
	}
	row("trades given up", "%s", number(float64(r.GivenUp)))
	row("transaction final after", "%.1f ms (p50), %.1f (p99)", r.P50, r.P99)
	row("memory", "%.0f MB at most before, %.0f MB at most then%s", r.RSSBefore, r.RSS,
		map[bool]string{true: ", of the largest node", false: ", with the load generator and all that it has signed"}[r.Mode == ModeNet])
	out.Line("\nThe books add up: all the money that was issued is there.")
	return out.Flush()
}
