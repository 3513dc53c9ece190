package load

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"lockstep/store"
	"lockstep/types"
)

// What is measured at each size of a growing ledger.
const (
	smallestLedger = 1000
	largestLedger  = 10_000_000
	growthLanes    = 1000
	growthRounds   = 4

	closedShare = 10 // one closed trade for so many outputs
	closedLanes = 500
	bulkBlock   = 20 // issues in a block of the bulk
)

// GrowthReport is what a trade costs on ledgers of growing size.
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
	Start      float64 `json:"start_ms"` // to open the store
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

// Grow measures whole trades, by rules and store, on a ledger that grows from 1,000 live outputs tenfold up to largest, with
// closed trades behind it. The trades spend outputs that were there before the bulk.
func Grow(ctx context.Context, o Options, largest int) (_ *GrowthReport, err error) {
	o = o.withDefaults()
	if largest < smallestLedger || largest > largestLedger {
		return nil, &OptionError{fmt.Errorf("a ledger of %d outputs: %d to %d are possible", largest, smallestLedger, largestLedger)}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	g := &grower{o: &o}
	if g.ledger, err = newStoreLedger(&o); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(g.ledger.dir)) }()
	report := &GrowthReport{}
	for size := smallestLedger; size <= largest; size *= 10 {
		row, err := g.measure(ctx, size)
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
func (g *grower) measure(ctx context.Context, size int) (*GrowthRow, error) {
	g.o.wave++
	w := newWorld(g.o.params(), types.TimeOf(time.Now()), g.o, min(growthLanes, g.o.lanes()), true)
	w.extend(growthRounds)
	begin := time.Now()
	if err := g.begin(w); err != nil {
		return nil, err
	}
	if err := g.fill(ctx, size); err != nil {
		return nil, err
	}
	row := &GrowthRow{Outputs: g.outputs, Closed: g.closed, Prefill: time.Since(begin).Seconds()}
	if err := g.reopen(row); err != nil {
		return nil, err
	}
	g.o.Progress(Progress{What: fmt.Sprintf("trading on %d outputs", size)})
	m := newMaker(g.ledger, w.params)
	m.height = g.height
	b := &bench{o: g.o, world: w, target: m}
	tally, used, err := b.measure(ctx, plan{})
	if err != nil {
		return nil, err
	}
	g.height = m.height
	times := timesOf(tally.steps)
	row.TradesPerS, row.P50, row.P99 = float64(tally.trades)/tally.took().Seconds(), times.P50, times.P99
	row.CPU = float64(used.cpu.Microseconds()) / float64(tally.trades)
	disk, err := folderBytes(g.ledger.dir)
	row.Disk = float64(disk) / (1 << 20)
	return row, err
}

// begin puts a world's money and offers on the ledger.
func (g *grower) begin(w *world) error {
	g.issued += w.issued()
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

// fill makes outputs that nobody spends, and whole trades.
func (g *grower) fill(ctx context.Context, size int) error {
	g.o.wave++
	w := newWorld(g.o.params(), types.TimeOf(time.Now()), g.o, min(closedLanes, g.o.lanes()), false)
	for g.outputs < size {
		var issues []*types.Tx
		for len(issues) < bulkBlock && g.outputs < size {
			issues = append(issues, g.bulk(w, min(grantSize, size-g.outputs)))
		}
		if err := errors.Join(ctx.Err(), g.block(issues)); err != nil {
			return err
		}
		g.o.Progress(Progress{What: "making outputs", Done: g.outputs, Total: size})
	}
	rounds := (size/closedShare - g.closed) / (len(w.lanes) * w.actions)
	if rounds < 1 {
		return nil
	}
	if err := g.begin(w); err != nil {
		return err
	}
	for range rounds {
		if err := errors.Join(ctx.Err(), g.round(w)); err != nil {
			return err
		}
		g.o.Progress(Progress{What: "closing trades", Done: g.closed, Total: size / closedShare})
	}
	return nil
}

// bulk issues one unit to each of many keys that nobody holds.
func (g *grower) bulk(w *world, count int) *types.Tx {
	outputs := make([]types.Output, count)
	for i := range outputs {
		var place [8]byte
		binary.BigEndian.PutUint64(place[:], uint64(g.outputs+i))
		outputs[i] = w.toKey(&party{key: sha256.Sum256(place[:])}, 1)
	}
	g.outputs += count
	g.issued += types.Amount(count)
	return w.issue(outputs)
}

// round does one trade on every lane, a block for each step.
func (g *grower) round(w *world) error {
	w.extend(1)
	for i := range 3 {
		block := make([]*types.Tx, len(w.lanes))
		for j, l := range w.lanes {
			block[j] = l.steps[i].tx
		}
		if err := g.block(block); err != nil {
			return err
		}
	}
	for _, l := range w.lanes {
		l.steps = nil
	}
	g.closed += len(w.lanes) * w.actions
	return nil
}

// reopen starts from what is on the disk, as a node does.
func (g *grower) reopen(row *GrowthRow) error {
	if err := g.ledger.store.Close(); err != nil {
		return err
	}
	begin := time.Now()
	s, err := store.Open(filepath.Join(g.ledger.dir, "ledger"), g.o.params(), g.o.Logger)
	if err != nil {
		return err
	}
	g.ledger.store = s
	row.Start = milliseconds(time.Since(begin))
	return nil
}

// WriteText writes the report for people.
func (r *GrowthReport) WriteText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "outputs\tclosed trades\ttrades/s\tof the first\tp50 ms\tp99 ms\tµs of a core\tstart ms\tdisk MB\t")
	for _, row := range r.Rows {
		fmt.Fprintf(out, "%s\t%s\t%s\t%.0f %%\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t\n", number(float64(row.Outputs)), number(float64(row.Closed)),
			number(row.TradesPerS), 100*row.Ratio, row.P50, row.P99, row.CPU, row.Start, row.Disk)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nBy rules and store. The books add up: all the money that was issued is there.")
	return err
}
