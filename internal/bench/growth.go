package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lockstep/internal/store"
	"lockstep/types"
)

// The sample measured at each size of a growing ledger.
const (
	smallestLedger = 1000
	largestLedger  = 10_000_000
	growthPairs    = 1000
	growthRounds   = 40
	snapshots      = 100

	closedShare   = 10 // one closed trade for so many outputs, unless it is said how many
	closedPairs   = 50
	closedActions = 20 // in each of their transactions
	bulkBlock     = 20 // issues in a block of the bulk
)

// GrowthReport is the cost of a trade on ledgers of growing size.
type GrowthReport struct {
	Rows      []GrowthRow `json:"rows"`
	Conserved bool        `json:"conserved"`
}

// GrowthRow is one size.
type GrowthRow struct {
	Outputs    int     `json:"outputs"` // that nobody spends
	Closed     int     `json:"closed"`  // trades in the archive
	TradesPerS float64 `json:"trades_per_s"`
	Ratio      float64 `json:"ratio"` // to the smallest ledger
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	CPU        float64 `json:"cpu_us_per_trade"`
	Start      float64 `json:"start_ms"`    // to open the store
	Snapshot   float64 `json:"snapshot_us"` // to take one, read its head and give it back (p50)
	RSS        float64 `json:"rss_mb"`      // at most so far
	Disk       float64 `json:"disk_mb"`
	Prefill    float64 `json:"prefill_s"`
}

// grower is a store that grows. Its bulk goes through the rules but for the signatures, which nobody has made.
type grower struct {
	o       *Options
	ledger  *storeLedger
	height  uint64
	outputs int
	closed  int
	issued  types.Amount
}

// Growth says how far a ledger grows.
type Growth struct {
	Largest int // outputs
	Closed  int // trades behind the largest; smaller ledgers have as many for each output. Zero: a tenth of the outputs
}

func (g *Growth) check() error {
	switch {
	case g.Largest < smallestLedger || g.Largest > largestLedger:
		return &OptionError{fmt.Errorf("a ledger of %d outputs: %d to %d are possible", g.Largest, smallestLedger, largestLedger)}
	case g.Closed < 0 || g.Closed > largestLedger:
		return &OptionError{fmt.Errorf("%d closed trades: 0 to %d are possible", g.Closed, largestLedger)}
	}
	return nil
}

// closedBehind is how many closed trades a ledger of a size has.
func (g *Growth) closedBehind(size int) int {
	if g.Closed == 0 {
		return size / closedShare
	}
	return int(float64(g.Closed) * float64(size) / float64(g.Largest))
}

// Grow measures whole trades, by rules and store as a node has them, on a ledger that grows tenfold from 1,000 live outputs on,
// with closed trades behind it. The trades spend outputs that were there before the bulk.
func Grow(ctx context.Context, o Options, growth Growth) (_ *GrowthReport, err error) {
	o = o.withDefaults()
	if err := growth.check(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	g := &grower{o: &o}
	if g.ledger, err = newStoreLedger(&o, true); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(g.ledger.dir)) }()
	report := &GrowthReport{}
	for size := smallestLedger; size <= growth.Largest; size *= 10 {
		row, err := g.measure(ctx, size, growth.closedBehind(size))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("with %d outputs: %w", size, err), g.ledger.close())
		}
		report.Rows = append(report.Rows, *row)
		last := &report.Rows[len(report.Rows)-1]
		last.Ratio = last.TradesPerS / report.Rows[0].TradesPerS
	}
	o.Progress(Progress{What: "auditing"})
	sums, err := g.ledger.audit()
	if err == nil {
		err = checkSums(sums, g.issued)
	}
	if err != nil {
		return nil, err
	}
	report.Conserved = true
	return report, nil
}

// measure grows the ledger to a size and trades on it.
func (g *grower) measure(ctx context.Context, size, closed int) (*GrowthRow, error) {
	w := g.world(min(growthPairs, g.o.pairs()), g.o.Actions, true)
	begin := time.Now()
	if err := g.begin(w); err != nil {
		return nil, err
	}
	if err := errors.Join(g.fill(ctx, size), g.close(ctx, closed)); err != nil {
		return nil, err
	}
	row := &GrowthRow{Outputs: g.outputs, Closed: g.closed, Prefill: time.Since(begin).Seconds()}
	if err := g.reopen(row); err != nil {
		return nil, err
	}
	if err := rest(ctx); err != nil {
		return nil, err
	}
	g.o.Progress(Progress{What: fmt.Sprintf("trading on %d outputs", size)})
	m := newBlockProducer(g.ledger, w.params)
	m.height = g.height
	b := &bench{o: g.o, world: w, target: m}
	w.begin = types.TimeOf(time.Now()) // to fill the ledger can take longer than a signature is valid
	w.extend(1)
	if _, err := run(ctx, m, w.pairs, g.o.Clients, plan{}); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	w.extend(growthRounds)
	tally, used, err := b.measure(ctx, plan{})
	if err != nil {
		return nil, err
	}
	g.height = m.height
	times := timesOf(tally.steps)
	row.TradesPerS, row.P50, row.P99 = float64(tally.trades)/tally.took().Seconds(), times.P50, times.P99
	row.CPU = float64(used.cpu.Microseconds()) / float64(tally.trades)
	row.RSS = float64(used.rss) / (1 << 20)
	if row.Snapshot, err = g.snapshot(); err != nil {
		return nil, err
	}
	disk, err := folderBytes(g.ledger.dir)
	row.Disk = float64(disk) / (1 << 20)
	return row, err
}

// world makes other parties than those before, for the same kind of money.
func (g *grower) world(pairs, actions int, signed bool) *world {
	g.o.wave++
	o := *g.o
	o.Actions = actions
	return newWorld(o.params(), types.TimeOf(time.Now()), &o, pairs, signed)
}

// begin puts a world's money and offers on the ledger.
func (g *grower) begin(w *world) error {
	g.issued += w.issued
	return errors.Join(g.block(w.grants), g.block(w.posts))
}

// block does transactions whose signatures nobody checks.
func (g *grower) block(txs []*types.Tx) error {
	g.height++
	executed := execute(g.ledger.view(), g.o.params(), g.height, types.TimeOf(time.Now()), trusted(txs))
	if err := firstRefusal(&executed); err != nil {
		return err
	}
	return g.ledger.commit(executed)
}

// fill makes outputs that nobody spends, of one unit each, locked to as many keys that nobody holds.
func (g *grower) fill(ctx context.Context, size int) error {
	w := g.world(0, 1, false)
	for g.outputs < size {
		w.begin = types.TimeOf(time.Now())
		var issues []*types.Tx
		for len(issues) < bulkBlock && g.outputs < size {
			outputs := make([]types.Output, min(grantSize, size-g.outputs))
			for i := range outputs {
				key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(g.outputs+i)))
				outputs[i] = w.toKey(&party{key: key}, 1)
			}
			issues = append(issues, w.issue(outputs))
			g.outputs += len(outputs)
		}
		if err := errors.Join(ctx.Err(), g.block(issues)); err != nil {
			return err
		}
		g.o.Progress(Progress{What: "making outputs", Done: g.outputs, Total: size})
	}
	g.issued += w.issued
	return nil
}

// close does whole trades until so many, rounded down to whole rounds, are behind the ledger.
func (g *grower) close(ctx context.Context, closed int) error {
	const each = closedPairs * closedActions
	if closed < g.closed+each {
		return nil
	}
	w := g.world(closedPairs, closedActions, false)
	if err := g.begin(w); err != nil {
		return err
	}
	for g.closed+each <= closed {
		if err := errors.Join(ctx.Err(), g.round(w)); err != nil {
			return err
		}
		g.o.Progress(Progress{What: "closing trades", Done: g.closed, Total: closed})
	}
	return nil
}

// round does one transaction's trades on every pair, a block for each step.
func (g *grower) round(w *world) error {
	w.begin = types.TimeOf(time.Now())
	w.extend(1)
	for i := range 3 {
		block, err := w.stepsAt(i)
		if err != nil {
			return err
		}
		if err := g.block(block); err != nil {
			return err
		}
	}
	for _, l := range w.pairs {
		l.steps = nil
	}
	g.closed += len(w.pairs) * w.actions
	return nil
}

// reopen starts from the files on the disk, as a node does.
func (g *grower) reopen(row *GrowthRow) error {
	if err := g.ledger.store.Close(); err != nil {
		return err
	}
	begin := time.Now()
	s, err := store.Open(filepath.Join(g.ledger.dir, "ledger"), g.o.params(), store.DefaultMemory, g.o.Logger)
	if err != nil {
		return err
	}
	g.ledger.store = s
	row.Start = milliseconds(time.Since(begin))
	return nil
}

// snapshot takes some, as every question to a node does.
func (g *grower) snapshot() (microseconds float64, err error) {
	took := make([]time.Duration, snapshots)
	for i := range took {
		begin := time.Now()
		snapshot, err := g.ledger.store.Snapshot()
		if err != nil {
			return 0, err
		}
		if err := snapshot.Close(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	return 1000 * timesOf(took).P50, nil
}

// rest waits until the store has tidied up behind the bulk: until this process hardly works any more, but not for ever.
func rest(ctx context.Context) error {
	const look, most, hardly = 500 * time.Millisecond, 2 * time.Minute, 10 // one part in so many of a core
	before, err := ownUsage()
	for begin := time.Now(); err == nil && time.Since(begin) < most; {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var now usage
		if now, err = ownUsage(); now.cpu-before.cpu < look/hardly {
			break
		}
		before = now
	}
	return err
}

// WriteText writes the report for people.
func (r *GrowthReport) WriteText(w io.Writer) error {
	out := numbers(w, 12)
	out.Row("outputs", "closed trades", "trades/s", "of the first", "p50 ms", "p99 ms", "µs of a core", "start ms", "snapshot µs", "memory MB", "disk MB", "filled in s")
	for _, row := range r.Rows {
		out.Row(number(float64(row.Outputs)), number(float64(row.Closed)), number(row.TradesPerS), rounded(100*row.Ratio)+" %",
			fmt.Sprintf("%.1f", row.P50), fmt.Sprintf("%.1f", row.P99), rounded(row.CPU), rounded(row.Start), rounded(row.Snapshot),
			rounded(row.RSS), rounded(row.Disk), rounded(row.Prefill))
	}
	out.Line("\nBy rules and store, written behind as a node does. The books add up: all the money that was issued is there.")
	return out.Flush()
}
