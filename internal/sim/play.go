package sim

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"lockstep/client"
	"lockstep/wallet"
)

// Options describe the day to play.
type Options struct {
	Profile    *Profile
	Households []Household
	From, To   int           // quarter-hours of the day, the last one not played
	Speed      float64       // quarter-hours a second; zero: [DefaultSpeed]
	Window     time.Duration // from one deadline of a trade to the next; zero: [DefaultWindow]
	Folder     string        // of the ledger, kept; empty: a temporary one, removed
	Logger     *slog.Logger
	Progress   func(Progress) // called after each quarter-hour

	accounts func(household string) (*wallet.Account, error) // nil: new ones
	endless  bool
}

// account returns the wallet's account of a household.
func (o *Options) account(household string) (*wallet.Account, error) {
	if o.accounts == nil {
		return wallet.Ephemeral()
	}
	return o.accounts(household)
}

// DefaultSpeed plays a summer's day in half a minute. DefaultWindow leaves a busy machine time to act before a deadline.
const (
	DefaultSpeed  = 4
	DefaultWindow = 1500 * time.Millisecond
)

// Progress is how far a play has come.
type Progress struct {
	Slot   int       // the one that was played
	Clock  time.Time // its end, in the day that is played
	Trades int       // that the auctions of the slots so far have made
}

// tally counts events that the ledger does not record.
type tally struct {
	trades atomic.Int64 // seen so far
	missed atomic.Int64 // transactions that came too late for a deadline, and orders for a gate
}

// Check checks the options.
func (o *Options) Check() error {
	completed := *o
	return completed.complete()
}

// CheckSlot checks that a slot by its begin, such as "12:15", has an auction.
func (o *Options) CheckSlot(clock string) error {
	c := newCompared(o.Profile, o.Households)
	last := ""
	for quarter := o.From; quarter < o.To; quarter++ {
		from, _ := o.Profile.Slot(quarter)
		for _, m := range c.members {
			if surplus, _ := m.foreseen(quarter); surplus > 0 {
				if last = from.Std().In(o.Profile.Start.Location()).Format("15:04"); last == clock {
					return nil
				}
				break
			}
		}
	}
	if last == "" {
		return badOption("no household has a surplus on this day, so there is no auction to spell out")
	}
	return noAuction(clock)
}

// noAuction is the error of a slot in which nothing is auctioned.
func noAuction(clock string) error {
	return badOption("there is no auction for the slot %q: name the begin of a quarter-hour with sun, such as 12:15", clock)
}

func (o *Options) complete() error {
	if o.Speed == 0 {
		o.Speed = DefaultSpeed
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	switch {
	case o.From < 0 || o.To > SlotsPerDay || o.From >= o.To:
		return badOption("quarter-hours %d to %d are not a part of a day of %d", o.From, o.To, SlotsPerDay)
	case !(o.Speed >= minSpeed && o.Speed <= maxSpeed): // NaN too
		return badOption("the speed %g is not between %g and %d quarter-hours a second", o.Speed, minSpeed, maxSpeed)
	case o.Window < minWindow:
		return badOption("the window %s is below %s", o.Window, minWindow)
	}
	return nil
}

// Bounds of the speed: a day takes from ten seconds to nearly three hours. A window must leave room for several blocks.
const (
	minSpeed  = 0.01
	maxSpeed  = 10
	minWindow = 600 * time.Millisecond
)

// Play opens a ledger, plays the day on it, and reports. When the machine was too busy for the deadlines, it plays once more with
// longer ones, on a new ledger. All processes that it started have ended when it returns, also after an error or when the context ends. With an error after the
// day it returns the report too, as far as it got.
func Play(ctx context.Context, options Options) (*Report, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	report, err := playOnce(ctx, options)
	if err != nil || report.Missed == 0 {
		return report, err
	}
	if options.Folder != "" { // it was empty, so all in it is of the first play
		if err := os.RemoveAll(options.Folder); err != nil {
			return nil, err
		}
	}
	options.Window *= patientTimes
	return playOnce(ctx, options)
}

// patientTimes is by how much longer the deadlines of a second play are.
const patientTimes = 4

func playOnce(ctx context.Context, options Options) (*Report, error) {
	begin := time.Now()
	folder := options.Folder
	if folder == "" {
		temporary, err := os.MkdirTemp("", "lockstep-demo-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temporary)
		folder = temporary
	}
	issuer, err := wallet.Ephemeral()
	if err != nil {
		return nil, err
	}
	h, err := makeHost(folder, &options, issuer.Key())
	if err != nil {
		return nil, err
	}
	var report *Report
	if err := h.run(ctx, func(ctx context.Context, node *client.Client) (err error) {
		report, err = playOn(ctx, node, issuer, &options)
		return err
	}); err != nil {
		return nil, err
	}
	report.Seconds = time.Since(begin).Seconds()
	return report, report.close(h)
}

// playOn plays the day on a ledger: purses in the morning, the quarter-hours, and in the evening the accounts.
func playOn(ctx context.Context, node *client.Client, issuer *wallet.Account, options *Options) (*Report, error) {
	c, err := found(ctx, node, issuer, options)
	if err != nil {
		return nil, err
	}
	evening, err := c.playDay(ctx, &progress{options: options})
	if err != nil {
		return nil, err
	}
	if err := c.collect(ctx); err != nil {
		return nil, err
	}
	return c.report(ctx, options, evening)
}

// progress tells how far the day has come, each quarter-hour once, also those in which nothing is traded.
type progress struct {
	options *Options
	shown   int
}

func (p *progress) show(ended int, c *community) {
	if p.options.Progress == nil {
		return
	}
	until := p.options.From
	switch {
	case ended == c.slots:
		until = p.options.To
	case ended > 0:
		until = c.played[ended-1] + 1
	}
	for slot := p.options.From + p.shown; slot < until; slot++ {
		p.shown++
		_, end := c.profile.Slot(slot)
		clock := end.Std().In(c.profile.Start.Location())
		p.options.Progress(Progress{Slot: slot, Clock: clock, Trades: int(c.done.trades.Load())})
	}
}
