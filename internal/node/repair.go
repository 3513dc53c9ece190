package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/index"
	"lockstep/internal/outcomes"
	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// RepairOptions are the options of [Repair].
type RepairOptions struct {
	From []string // APIs of other nodes of the ledger
	All  bool     // also get the outcomes that the node does not keep

	answer time.Duration // bounds the time in which another node gives a file; 0: the usual
}

// RepairReport is the report of [Repair]: its findings and actions.
type RepairReport struct {
	Log    outcomes.Repaired  `json:"log"`
	Others []outcomes.Finding `json:"others,omitempty"` // damaged files beside the log
	Check  *CheckReport       `json:"check,omitempty"`  // of the whole node, after the repair; nil if the log of outcomes is still damaged
}

// Repair repairs the log of outcomes of the node in a folder, its index and its snapshots, and checks all data then as [Check] does. The node must not run.
// A log that can't be repaired whole is no error: the report says so. An error is one that ends the repair, or damage to other files.
func Repair(ctx context.Context, dir string, options RepairOptions, logger *slog.Logger) (report RepairReport, err error) {
	params, err := readyStore(dir)
	if err != nil {
		return report, err
	}
	settings, err := LoadSettings(dir)
	if err != nil {
		return report, err
	}
	if options.All && settings.Keep != KeepAll {
		return report, types.Refuse(types.CodePruned, "the node keeps history for %s, and would remove earlier outcomes again: set \"keep\": %q in %s first", settings.Keep, KeepAll, filepath.Join(dir, settingsFile))
	}
	genesis, err := chain.GenesisOf(filepath.Join(dir, engineFolder))
	if err != nil {
		return report, err
	}
	if options.answer == 0 {
		options.answer = usualAnswer
	}
	sources, err := options.sources(ctx, genesis, logger)
	if err != nil {
		return report, err
	}
	report.Log, err = store.RepairLog(ctx, filepath.Join(dir, storeFolder), params, options.All, sources, logger)
	if err != nil || !report.Log.Whole() {
		return report, disk.Explain(dir, err)
	}
	return report, disk.Explain(dir, report.rest(ctx, dir, logger))
}

// rest removes damaged snapshots, checks the node, and builds a damaged index again.
func (r *RepairReport) rest(ctx context.Context, dir string, logger *slog.Logger) error {
	removed, err := snapshot.Folder(filepath.Join(dir, snapshotsFolder)).RemoveDamaged()
	for _, of := range removed {
		r.Others = append(r.Others, outcomes.Finding{File: filepath.Join(snapshotsFolder, of.Name), Damage: of.Why.Error(), Done: "removed: the node makes another"})
	}
	if err != nil {
		return err
	}
	checked, err := Check(dir, logger)
	if errors.Is(err, index.ErrDamaged) {
		finding := outcomes.Finding{File: indexFile, Damage: err.Error(), Done: "built from the log of outcomes"}
		if _, err := Reindex(ctx, dir, logger); err != nil {
			return err
		}
		r.Others = append(r.Others, finding)
		checked, err = Check(dir, logger)
	}
	if err == nil {
		r.Check = &checked
	}
	return err
}

// usualAnswer is a long time for a file of some ten kilobytes.
const usualAnswer = 30 * time.Second

// progress is how often a long repair says how far it is.
const progress = 10 * time.Second

// sources returns the logs of the other nodes. Those of another ledger, and those that don't answer, are lost.
func (o *RepairOptions) sources(ctx context.Context, genesis types.Hash, logger *slog.Logger) (sources []outcomes.Source, err error) {
	for i, address := range o.From {
		asked, err := client.New(address)
		if err != nil {
			if strings.ContainsAny(address, "@?#") { // it may hold a secret
				address = fmt.Sprintf("address %d of %d", i+1, len(o.From))
			}
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		bound := func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, o.answer, types.Refuse(types.CodeUnavailable, "the node at %s did not answer in %s", address, o.answer))
		}
		within, cancel := bound(ctx)
		status, err := asked.Status(within)
		cancel()
		if err == nil && status.Genesis != genesis {
			err = types.Refuse(types.CodeUnavailable, "it is a node of ledger %q with the genesis %s, and the ledger of this node has %s", status.ChainID, status.Genesis, genesis)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		files, told := 0, time.Now()
		sources = append(sources, outcomes.Source{Name: address, Lost: err, Fetch: func(ctx context.Context, path string) ([]byte, error) {
			ctx, cancel := bound(ctx)
			defer cancel()
			if files++; time.Since(told) > progress {
				logger.Info("outcomes are fetched", "from", address, "files", files, "now", path)
				told = time.Now()
			}
			return asked.LogFile(ctx, path)
		}})
	}
	return sources, nil
}
