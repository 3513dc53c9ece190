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

// ErrRestart asks the caller to close the node and open it again; it can then continue.
var ErrRestart = chain.ErrRestart

// ClockReport compares a ledger's time with the machine's clock.
type ClockReport struct {
	Wall       types.Time     `json:"wall"`       // the machine's clock
	BlockTime  types.Time     `json:"block_time"` // of the last block
	Ahead      types.Duration `json:"ahead"`      // of block time before the machine's clock; zero when it is behind
	Accepted   types.Duration `json:"accepted"`   // the lead that the node's settings accept
	Validators int            `json:"validators"`
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
	defer func() { err = errors.Join(err, s.Close()) }()
	head, err := s.Head()
	if err != nil {
		return report, err
	}
	report.Wall, report.Accepted = types.TimeOf(chain.WallClock()), settings.ClockAhead
	if head.Height() >= s.First() {
		report.BlockTime = head.Clock().BlockTime
	}
	if report.BlockTime > report.Wall {
		report.Ahead = report.BlockTime.Since(report.Wall)
	}
	return report, head.Close()
}

// FollowLedger accepts the lead of the last block over the machine's clock: from now on the time of a block is the machine's time plus that
// lead. The ledger itself is unchanged, so other copies stay equal. The node must not run, and must be the only validator.
func FollowLedger(dir string, logger *slog.Logger) (report ClockReport, err error) {
	if report, err = Clock(dir, logger); err != nil {
		return report, err
	}
	if report.Validators > 1 {
		return report, fmt.Errorf("the ledger has %d validators, whose clocks set its time together: correct this machine's clock", report.Validators)
	}
	settings, err := LoadSettings(dir)
	if err != nil {
		return report, err
	}
	settings.ClockAhead, report.Accepted = report.Ahead, report.Ahead
	return report, writeSettings(filepath.Join(dir, settingsFile), settings)
}
