package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"time"

	"lockstep/internal/bench"
	"lockstep/internal/node"
)

// benchCmd measures the trades a second of this machine, and shows its bottleneck.
type benchCmd struct {
	Mode       string  `help:"What to measure: ${enum}. rules: in memory; store: with the disk; node: one validator; api: by its API; net: several validators, each a process." enum:"rules,store,node,api,net" default:"node"`
	Mix        string  `help:"Pairs of traders: ${enum}." enum:"spread,one-producer,one-consumer" default:"spread"`
	Actions    int     `help:"Actions in each transaction: 1 to 64." default:"1"`
	Trades     int     `help:"Number of trades; 20000 unless --seconds is given." placeholder:"N"`
	Seconds    float64 `help:"Measure for this many seconds instead, after a warm-up." placeholder:"S"`
	Rate       float64 `help:"Trades to start each second, whether or not the earlier ones have ended; 0 is as fast as possible." default:"0" zero:""`
	Keys       int     `help:"Number of keys that trade." default:"4000"`
	Clients    int     `help:"Clients of each node; each submits any transaction that is ready." default:"4"`
	Validators int     `help:"Number of validators, in mode net." default:"4"`
	Seed       uint64  `help:"Seed of the keys and the trades." default:"1" zero:""`

	Growth   bool   `help:"Measure the cost of a trade, and the time to start, against the size of the ledger instead."`
	Largest  int    `help:"The largest ledger of --growth, in outputs; 1000 to 10000000." default:"1000000"`
	Closed   int    `help:"Closed trades behind the largest ledger of --growth; a tenth of its outputs unless given." placeholder:"N"`
	Plot     string `help:"Draw --growth as an SVG." type:"path" placeholder:"FILE.svg"`
	Overload bool   `help:"Offer three times the throughput of the machine instead, and report the throughput that remains. With --mode net --validators 1 the memory is the node's alone."`
	Proof    bool   `help:"Measure the time from a submission to its proof instead, at a low rate: 20 trades a second unless --rate is given, on --validators processes."`
	City     int    `help:"Run some quarter-hours of this many households instead, as fast as one validator takes them: each reads its meter or releases its trades of the last slot and places an order for the next one, in one transaction; the gate closes, and the auctions are held; 4 to 2000000. A household takes 40 kB of memory: 100,000 take 4 GB." placeholder:"HOUSEHOLDS"`

	CPUProfile string `name:"cpuprofile" help:"Write a profile of the processors while trades are measured." type:"path" placeholder:"FILE"`
	MemProfile string `name:"memprofile" help:"Write a profile of the memory at the end." type:"path" placeholder:"FILE"`
	Trace      string `help:"Write an execution trace while trades are measured." type:"path" placeholder:"FILE"`
	Quiet      bool   `help:"Show no progress." short:"q"`
}

// Run measures.
func (b *benchCmd) Run(ctx context.Context, a *app) error {
	chosen := 0
	for _, one := range []bool{b.Growth, b.Overload, b.Proof, b.City != 0} {
		if one {
			chosen++
		}
	}
	if chosen > 1 {
		return misuse("--growth, --overload, --proof and --city are measurements of their own: choose one")
	}
	if b.Plot != "" && !b.Growth {
		return misuse("--plot draws --growth")
	}
	memory := node.DefaultMemoryMB // as a node does
	if b.City > 0 {
		_, memory = bench.CityMemory(b.City)
	}
	boundMemory(memory)
	profiles := &profiles{cpu: b.CPUProfile, trace: b.Trace}
	report, err := b.measure(ctx, b.options(a, profiles))
	err = errors.Join(err, profiles.err)
	var option *bench.OptionError
	switch {
	case errors.As(err, &option):
		return &usageError{err}
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted: nothing is left running")
	case err != nil:
		return fmt.Errorf("bench: %w", err)
	}
	if err := writeHeap(b.MemProfile); err != nil {
		return err
	}
	if a.JSON {
		return a.show(report, nil)
	}
	return report.WriteText(a.out)
}

// written is the report of any of the measurements.
type written interface{ WriteText(io.Writer) error }

func (b *benchCmd) measure(ctx context.Context, o bench.Options) (written, error) {
	switch {
	case b.Growth:
		return b.grow(ctx, o)
	case b.Overload:
		return bench.Overload(ctx, o)
	case b.Proof:
		return bench.Proof(ctx, o)
	case b.City != 0:
		return bench.City(ctx, o, b.City)
	}
	return bench.Run(ctx, o)
}

// grow measures a growing ledger, and draws it with --plot.
func (b *benchCmd) grow(ctx context.Context, o bench.Options) (_ written, err error) {
	var plot *os.File
	if b.Plot != "" { // before all the work, which could take most of an hour
		if plot, err = os.Create(b.Plot); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, plot.Close()) }()
	}
	report, err := bench.Grow(ctx, o, bench.Growth{Largest: b.Largest, Closed: b.Closed})
	if err == nil && plot != nil {
		err = report.WritePlot(plot)
	}
	return report, err
}

func (b *benchCmd) options(a *app, profiles *profiles) bench.Options {
	o := bench.Options{
		Mode: b.Mode, Mix: b.Mix, Actions: b.Actions, Trades: b.Trades, Duration: time.Duration(b.Seconds * float64(time.Second)), Rate: b.Rate, Keys: b.Keys,
		Clients: b.Clients, Validators: b.Validators, Seed: b.Seed, Node: ownNode, Measured: profiles.begin,
	}
	if a.Verbose {
		o.Logger = a.logger()
	}
	if !b.Quiet {
		o.Progress = benchProgress(a)
	}
	return o
}

// ownNode returns the command that runs this program as a node.
func ownNode(ctx context.Context, dir string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	return exec.CommandContext(ctx, program, "node", "start", "--dir", dir)
}

// benchProgress prints the current phase, and its progress once a second.
func benchProgress(a *app) func(bench.Progress) {
	var last time.Time
	what := ""
	return func(p bench.Progress) {
		switch {
		case p.What == what && time.Since(last) < time.Second:
			return
		case p.Total > 0:
			fmt.Fprintf(a.err, "%s: %d of %d\n", p.What, p.Done, p.Total)
		case p.Done > 0:
			fmt.Fprintf(a.err, "%s: %d\n", p.What, p.Done)
		default:
			fmt.Fprintf(a.err, "%s\n", p.What)
		}
		what, last = p.What, time.Now()
	}
}

// profiles are written while trades are measured.
type profiles struct {
	cpu, trace string
	err        error
}

// begin starts the requested profiles and returns the function that ends them.
func (p *profiles) begin() func() {
	var ends []func() error
	start := func(path string, begin func(*os.File) error, end func()) {
		if path == "" {
			return
		}
		file, err := os.Create(path)
		if err == nil {
			if err = begin(file); err == nil {
				ends = append(ends, func() error { end(); return file.Close() })
			}
		}
		p.err = errors.Join(p.err, err)
	}
	start(p.cpu, func(f *os.File) error { return pprof.StartCPUProfile(f) }, pprof.StopCPUProfile)
	start(p.trace, func(f *os.File) error { return trace.Start(f) }, trace.Stop)
	return func() {
		for _, end := range ends {
			p.err = errors.Join(p.err, end())
		}
	}
}

func writeHeap(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // so that the profile shows live memory only
	return errors.Join(pprof.WriteHeapProfile(file), file.Close())
}
