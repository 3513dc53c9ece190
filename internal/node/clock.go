package node

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"lockstep/internal/chain"
	"lockstep/internal/store"
	"lockstep/types"
)

// ErrRestart is that the node is to be closed and opened anew, and can go on then.
var ErrRestart = chain.ErrRestart

// ClockReport holds a ledger's time against the machine's.
type ClockReport struct {
	Wall       types.Time `json:"wall"`       // the machine's clock
	BlockTime  types.Time `json:"block_time"` // of the last block
	Ahead      types.Span `json:"ahead"`      // the latter of the former; zero when it is not
	Accepted   types.Span `json:"accepted"`   // how far ahead the node's settings let it be
	Validators int        `json:"validators"`
}

// Clock compares the clock of the machine with the time of the last block. The node must not run.
func Clock(dir string, logger *slog.Logger) (report ClockReport, err error) {
	settings, err := LoadSettings(dir)
	if err != nil {
		return report, err
	}
	if report.Validators, err = chain.Validators(filepath.Join(dir, engineFolder)); err != nil {
		return report, err
	}
	s, err := openStore(dir, store.MinMemory, logger)
	if err != nil {
		return report, err
	}
	head := s.Head()
	report.Wall, report.Accepted = types.TimeOf(chain.WallClock()), settings.ClockAhead
	if head.Height() > 0 {
		report.BlockTime = head.Clock().BlockTime
	}
	if report.BlockTime > report.Wall {
		report.Ahead = report.BlockTime.Since(report.Wall)
	}
	return report, errors.Join(head.Close(), s.Close())
}

// FollowLedger lets the time of a ledger stay as far ahead of the machine's clock as its last block is: from now on its
// blocks bear the machine's time and that. Nothing of the ledger is changed, so nobody's copy parts from it. The node must
// not run, and be the only validator.
func FollowLedger(dir string, logger *slog.Logger) (report ClockReport, err error) {
	if report, err = Clock(dir, logger); err != nil {
		return report, err
	}
	if report.Validators > 1 {
		return report, fmt.Errorf("the ledger has %d validators, whose clocks decide on its time together: set this machine's clock right", report.Validators)
	}
	settings, err := LoadSettings(dir)
	if err != nil {
		return report, err
	}
	settings.ClockAhead, report.Accepted = report.Ahead, report.Ahead
	return report, writeSettings(filepath.Join(dir, settingsFile), settings)
}
