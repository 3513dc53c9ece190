package main

import (
	"context"
	"time"

	"lockstep/internal/node"
)

type nodeClockCmd struct {
	nodeFlags
	FollowLedger bool `help:"Let the ledger's time stay as far ahead of this machine's clock as it is. For a ledger with one validator."`
}

func (c *nodeClockCmd) Run(ctx context.Context, a *app) error {
	var report node.ClockReport
	look := func(do func() (node.ClockReport, error)) error {
		return within(ctx, "look at the clock", func() (err error) {
			report, err = do()
			return err
		})
	}
	logger := a.logger()
	if err := look(func() (node.ClockReport, error) { return node.Clock(c.dir(a), logger) }); err != nil {
		return err
	}
	if c.FollowLedger {
		if err := look(func() (node.ClockReport, error) { return node.FollowLedger(c.dir(a), logger) }); err != nil {
			return err
		}
	}
	return a.show(report, func(p *page) {
		p.row("this machine", stamp(report.Wall))
		p.row("last block", stamp(report.BlockTime))
		p.row("ahead", round(report.Ahead.Std()))
		p.row("accepted", round(report.Accepted.Std()))
		switch {
		case c.FollowLedger:
			p.line("The ledger's time stays %s ahead of this machine's clock: deadlines go on as before, slots and gates are at the ledger's time.",
				round(report.Accepted.Std()))
			p.line("Start the node with: %s", a.next("node start"))
		case report.Ahead > report.Accepted+10_000:
			p.line("The node makes blocks, but deadlines wait until this machine's clock gets there. If the clock is wrong, set it right. "+
				"If the ledger's time is wrong, wait, or let it stay ahead: %s", a.next("node clock", "--follow-ledger"))
		default:
			p.line("Nothing is wrong.")
		}
	})
}

func round(d time.Duration) string { return d.Round(time.Second).String() }
