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
)

// demoCmd plays a day of a community on a new ledger: on a page that lives on, or as text that reports the results.
type demoCmd struct {
	Text      bool `help:"Play the day as text, report, and end; this is the default without a terminal, and with --json or --report."`
	NoBrowser bool `help:"Serve the page in any case, print its address, and open no browser."`

	Honest   bool     `help:"Every household keeps its word, and no cloud comes."`
	Season   string   `help:"Which standard day to play: ${enum}." enum:"summer,winter" default:"summer"`
	Profiles string   `help:"Play a measured day instead: CSV with timestamp, PV and load in W, in even steps of 1 to 60 minutes." type:"existingfile" placeholder:"FILE"`
	Speed    *float64 `help:"Quarter-hours a second: 0.01 to 10. By default 0.25 on the page and 4 as text." placeholder:"NUMBER"`
	Seed     uint64   `help:"Seed of the sizes of the houses and of their prices elsewhere." default:"1" zero:""`
	Keep     string   `help:"Keep the ledger in this folder; afterwards it can be the --home of other commands." type:"path" placeholder:"DIR"`
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
	options := sim.Options{
		Profile: profile, Households: sim.Households(d.Seed), From: 0, To: sim.SlotsPerDay, Folder: d.folder(), Logger: d.logger(a),
	}
	if d.Honest {
		options.Households = sim.Honest(options.Households)
	}
	if d.Speed != nil {
		options.Speed = *d.Speed
	}
	if err := d.check(&options); err != nil {
		return err
	}
	switch {
	case d.Compare:
		return d.compare(a, &options)
	case onPage:
		return d.live(ctx, a, options)
	}
	return d.play(ctx, a, options)
}

// check checks all arguments before anything is played.
func (d *demoCmd) check(options *sim.Options) error {
	if d.Speed != nil && *d.Speed == 0 {
		return misuse("--speed 0: nothing would happen; choose 0.01 to 10 quarter-hours a second")
	}
	for flag, given := range map[string]bool{"--report": d.Report != "", "--slot": d.Slot != "", "--keep": d.Keep != ""} {
		if d.Compare && given {
			return misuse("--compare plays nothing, so %s has no effect: leave one of them out", flag)
		}
	}
	var option *sim.OptionError
	err := options.Check()
	if err == nil && d.Slot != "" {
		err = options.CheckSlot(d.Slot)
	}
	if errors.As(err, &option) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	return checkWritable("--report", d.Report)
}

// play plays the day, and reports.
func (d *demoCmd) play(ctx context.Context, a *app, options sim.Options) error {
	if !d.Quiet {
		speed := options.Speed
		if speed == 0 {
			speed = sim.DefaultSpeed
		}
		fmt.Fprintf(a.err, "A ledger of its own is made, and a day is played on it: %d quarter-hours at %v a second, about %s.\n",
			sim.SlotsPerDay, speed, time.Duration(float64(sim.SlotsPerDay)/speed*float64(time.Second)).Round(time.Second))
	}
	var end func(done bool)
	options.Progress, end = d.progress(a)
	report, err := sim.Play(ctx, options)
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

// compare prints the results of the same households under several rules, on the same day.
func (d *demoCmd) compare(a *app, options *sim.Options) error {
	season := d.Season
	if d.Profiles != "" {
		season = "measured day"
	}
	comparison := sim.Compare(options.Profile, season, options.Households, true)
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
	if d.Keep != "" {
		_, err := fmt.Fprintf(a.out, "The ledger is kept. To check all of it again: lockstep --home %s node check\n", d.Keep)
		return err
	}
	return nil
}

// progress returns the functions to call after each quarter-hour and at the end: they draw a bar on a terminal, and print a line
// now and then elsewhere.
func (d *demoCmd) progress(a *app) (each func(sim.Progress), end func(done bool)) {
	if d.Quiet {
		return nil, func(bool) {}
	}
	if file, ok := terminal(a.err); ok {
		return bar(file)
	}
	const every = 12 // quarter-hours
	each = func(p sim.Progress) {
		if (p.Slot+1)%every == 0 {
			fmt.Fprintf(a.err, "played until %s, %d trades\n", p.Clock.Format("15:04"), p.Trades)
		}
	}
	return each, func(bool) {}
}

func bar(file *os.File) (each func(sim.Progress), end func(done bool)) {
	var last atomic.Pointer[sim.Progress]
	last.Store(&sim.Progress{})
	bars := mpb.New(mpb.WithOutput(file), mpb.WithWidth(48))
	day := bars.AddBar(sim.SlotsPerDay,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			return last.Load().Clock.Format("15:04 ")
		})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			return fmt.Sprintf(" %d trades", last.Load().Trades)
		})),
	)
	each = func(p sim.Progress) {
		last.Store(&p)
		day.SetCurrent(int64(p.Slot) + 1)
	}
	end = func(done bool) {
		if !done {
			day.Abort(true)
		}
		bars.Wait()
	}
	return each, end
}
