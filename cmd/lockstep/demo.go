package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"lockstep/internal/sim"
	"lockstep/internal/sim/study"
)

// demoCmd plays a day of a community on a new ledger: on a page that lives on, or as text that reports the results.
type demoCmd struct {
	Text      bool `help:"Play the day as text, report, and end; this is the default without a terminal, and with --json or --report."`
	NoBrowser bool `help:"Serve the page in any case, print its address, and open no browser."`

	Honest   bool     `help:"Every household keeps its word, and no cloud comes."`
	Season   string   `help:"Which standard day to play: ${enum}." enum:"summer,winter" default:"summer"`
	Profiles string   `help:"Play a measured day instead: CSV with timestamp, PV and load in W, in even steps of 1 to 60 minutes." type:"existingfile" placeholder:"FILE"`
	Speed    *float64 `help:"Quarter-hours a second: 0.01 to 10. By default 0.25 on the page, and as fast as the machine as text." placeholder:"NUMBER"`
	Seed     uint64   `help:"Seed of the sizes of the houses and of their prices elsewhere." default:"1" zero:""`
	Keep     string   `help:"Keep the ledger of the town in this folder; afterwards it can be the --home of other commands. A day as text needs no folder: the same seed plays it again." type:"path" placeholder:"DIR"`
	Quiet    bool     `help:"Show no progress." short:"q"`

	Report string `help:"Write the day as one HTML file: curves, prices, money, and an auction spelled out to be recomputed by hand." type:"path" placeholder:"FILE"`
	Lang   string `help:"Language of that file: ${enum}." enum:"en,zh" default:"en"`
	Slot   string `help:"Begin of the quarter-hour of the auction that is spelled out, such as 12:15; by default the one with the largest volume." placeholder:"TIME"`

	Compare bool `help:"Compare the auction with other rules to share the energy of the same day, and play nothing."`

	terminal func(any) bool // for tests; nil: whether a stream is a terminal
}

// errBooks makes the command fail when the ledger gained or lost money, which must never happen.
var errBooks = errors.New("the books do not add up: see the list above, and please report it")

// Run plays the day.
func (d *demoCmd) Run(ctx context.Context, a *app) error {
	onPage, err := d.onPage(a)
	if err != nil {
		return err
	}
	profile, err := d.profile()
	if err != nil {
		return err
	}
	if err := d.check(profile); err != nil {
		return err
	}
	switch {
	case d.Compare:
		return d.compare(a, profile)
	case onPage:
		return d.live(ctx, a, profile)
	}
	return d.play(ctx, a, profile)
}

// households are those of the demonstration.
func (d *demoCmd) households() []sim.Household {
	houses := sim.Households(d.Seed)
	if d.Honest {
		return sim.Honest(houses)
	}
	return houses
}

// check checks all arguments before anything is played.
func (d *demoCmd) check(profile *sim.Profile) error {
	if d.Speed != nil && *d.Speed == 0 {
		return misuse("--speed 0: nothing would happen; choose 0.01 to 10 quarter-hours a second")
	}
	for _, flag := range []struct {
		name  string
		given bool
	}{{"--report", d.Report != ""}, {"--slot", d.Slot != ""}, {"--keep", d.Keep != ""}, {"--speed", d.Speed != nil}} {
		if d.Compare && flag.given {
			return misuse("--compare plays nothing, so %s has no effect: leave one of them out", flag.name)
		}
	}
	var err error
	if d.Speed != nil {
		err = sim.CheckSpeed(*d.Speed)
	}
	if err == nil && d.Slot != "" {
		err = sim.CheckSlot(profile, d.households(), d.Slot)
	}
	var option *sim.OptionError
	if errors.As(err, &option) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	return checkWritable("--report", d.Report)
}

// play plays the day as a scenario of simulated households, and reports.
func (d *demoCmd) play(ctx context.Context, a *app, profile *sim.Profile) error {
	if !d.Quiet {
		fmt.Fprintf(a.err, "A ledger of its own is made, and a day of %d quarter-hours is played on it.\n", sim.SlotsPerDay)
	}
	scenario := study.Demonstration(d.Season, d.Seed)
	scenario.Honest, scenario.Day = d.Honest, profile
	show, end := d.progress(a, profile)
	report, err := study.Day(scenario, study.Options{Context: ctx, Progress: func(slot int) {
		show(slot)
		d.pace(ctx)
	}})
	end(err == nil)
	if report != nil && d.Report != "" { // also when something failed since
		if failed := d.writeReport(report); failed != nil {
			return errors.Join(err, fmt.Errorf("write the report: %w", failed))
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted: the demonstration has ended and left nothing running")
	case err != nil:
		return fmt.Errorf("demo: %w", err)
	}
	if err := d.show(a, report); err != nil {
		return err
	}
	if !report.Conserved {
		return errBooks
	}
	return nil
}

// pace waits for the next quarter-hour, when the day is to be watched.
func (d *demoCmd) pace(ctx context.Context) {
	if d.Speed == nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(float64(time.Second) / *d.Speed)):
	}
}

// compare prints the results of the same households under several rules, on the same day.
func (d *demoCmd) compare(a *app, profile *sim.Profile) error {
	season := d.Season
	if d.Profiles != "" {
		season = "measured day"
	}
	comparison := sim.Compare(profile, season, d.households(), true)
	if a.JSON {
		return a.show(comparison, nil)
	}
	return comparison.WriteText(a.out)
}

// writeReport writes the HTML file.
func (d *demoCmd) writeReport(report *sim.Report) error {
	var page bytes.Buffer
	if err := report.WritePage(&page, d.Lang, d.Slot); err != nil {
		return err
	}
	return os.WriteFile(d.Report, page.Bytes(), 0o600)
}

func (d *demoCmd) profile() (*sim.Profile, error) {
	if d.Profiles != "" {
		return sim.ReadProfilesFile(d.Profiles)
	}
	return sim.Standard(d.Season)
}

// folder returns the node's folder within the folder to keep; empty for a ledger that is not kept.
func (d *demoCmd) folder() string {
	if d.Keep == "" {
		return ""
	}
	return (&app{globals: &globals{Home: d.Keep}}).nodeDir()
}

// logger drops the node's log unless --verbose is set: failures come back as errors.
func (d *demoCmd) logger(a *app) *slog.Logger {
	if a.Verbose {
		return a.logger()
	}
	return quietLogger()
}

func quietLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (d *demoCmd) show(a *app, report *sim.Report) error {
	if a.JSON {
		return a.show(report, nil)
	}
	if err := report.WriteText(a.out); err != nil {
		return err
	}
	if d.Report != "" {
		if _, err := fmt.Fprintf(a.out, "The day with its curves: %s\n", d.Report); err != nil {
			return err
		}
	}
	return nil
}

// progress returns the functions to call after each quarter-hour and at the end: they draw a bar on a terminal, and print a line
// now and then elsewhere.
func (d *demoCmd) progress(a *app, profile *sim.Profile) (each func(slot int), end func(done bool)) {
	if d.Quiet {
		return func(int) {}, func(bool) {}
	}
	clock := func(slot int) string {
		_, until := profile.Slot(slot)
		return until.Std().In(profile.Start.Location()).Format("15:04")
	}
	if file, ok := terminal(a.err); ok {
		return bar(file, clock)
	}
	const every = 12 // quarter-hours
	each = func(slot int) {
		if (slot+1)%every == 0 {
			fmt.Fprintf(a.err, "played until %s\n", clock(slot))
		}
	}
	return each, func(bool) {}
}

func bar(file *os.File, clock func(slot int) string) (each func(slot int), end func(done bool)) {
	var last atomic.Int64
	bars := mpb.New(mpb.WithOutput(file), mpb.WithWidth(48))
	day := bars.AddBar(sim.SlotsPerDay,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return clock(int(last.Load())) + " " })),
	)
	each = func(slot int) {
		last.Store(int64(slot))
		day.SetCurrent(int64(slot) + 1)
	}
	end = func(done bool) {
		if !done {
			day.Abort(true)
		}
		bars.Wait()
	}
	return each, end
}
