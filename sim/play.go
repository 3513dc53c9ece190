package sim

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"lockstep/client"
)

// Options say what to play.
type Options struct {
	Profile    *Profile
	Households []Household
	Seed       uint64        // of the order in which households choose
	From, To   int           // quarter-hours of the day, the last one not played
	Speed      float64       // quarter-hours a second; zero: as fast as the machine can
	Window     time.Duration // from one deadline of an offer to the next; see [DefaultWindow]
	Folder     string        // of the ledger, kept; empty: a temporary one, removed
	Logger     *slog.Logger
	Progress   func(Progress) // called after each quarter-hour
}

// DefaultWindow leaves a busy machine time to act before a deadline, and a refund is due after two of them.
const DefaultWindow = 3 * time.Second

// Progress is how far a play has come.
type Progress struct {
	Slot   int       // the one that was played
	Clock  time.Time // its end, in the day that is played
	Trades int       // so far
}

// tally counts what the ledger does not tell.
type tally struct {
	trades atomic.Int64
	missed atomic.Int64 // transactions that came too late for a deadline
}

// count counts a transaction that is on the ledger.
func (t *tally) count(p plan) {
	for _, effect := range p.effects {
		if _, ok := effect.(Buy); ok {
			t.trades.Add(1)
		}
	}
}

func (o *Options) check() error {
	switch {
	case o.From < 0 || o.To > SlotsPerDay || o.From >= o.To:
		return badOption("quarter-hours %d to %d are not a part of a day of %d", o.From, o.To, SlotsPerDay)
	case o.Speed != 0 && !(o.Speed >= minSpeed && o.Speed <= maxSpeed): // NaN too
		return badOption("the speed %g is not between %g and %d quarter-hours a second, nor 0 (as fast as can be)", o.Speed, minSpeed, maxSpeed)
	}
	return nil
}

// Bounds of the speed: a day takes from a tenth of a second, were there such a machine, to nearly three hours.
const (
	minSpeed = 0.01
	maxSpeed = 1000
)

// Play opens a ledger, plays the day on it, and reports. Whatever it started has ended when it returns, also after an error
// or when the context ends.
func Play(ctx context.Context, options Options) (*Report, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	begin := time.Now()
	var report *Report
	disk, err := onLedger(ctx, options.Folder, options.Logger, func(ctx context.Context, node *client.Client) (err error) {
		report, err = playOn(ctx, node, options)
		return err
	})
	if err != nil {
		return nil, err
	}
	report.close(disk)
	report.Seconds = time.Since(begin).Seconds()
	return report, nil
}

// playOn plays the day on a ledger: purses in the morning, the quarter-hours, and in the evening the accounts.
func playOn(ctx context.Context, node *client.Client, options Options) (*Report, error) {
	c, err := found(ctx, node, options.Profile, options.Households, options.Window)
	if err != nil {
		return nil, err
	}
	var done tally
	if err := c.playDay(ctx, options, &done); err != nil {
		return nil, err
	}
	evening, err := c.awaitRefunds(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.collect(ctx); err != nil {
		return nil, err
	}
	return c.report(ctx, options, &done, evening)
}

// playDay plays the quarter-hours at their speed.
func (c *community) playDay(ctx context.Context, options Options, done *tally) error {
	begin := time.Now()
	for slot := options.From; slot < options.To; slot++ {
		if options.Speed > 0 {
			due := time.Duration(float64(slot-options.From) / options.Speed * float64(time.Second))
			if err := wait(ctx, max(due-time.Since(begin), 0)); err != nil {
				return err
			}
		}
		if !c.idle(slot) {
			if err := c.playSlot(ctx, slot, turns(options.Seed, slot, len(c.members)), done); err != nil {
				return err
			}
		}
		if options.Progress != nil {
			_, until := c.profile.Slot(slot)
			options.Progress(Progress{Slot: slot, Clock: until.Std().In(c.profile.Start.Location()), Trades: int(done.trades.Load())})
		}
	}
	return nil
}
