package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
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
}

// RepairReport is what [Repair] found and did.
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
	sources, refused, err := repairSources(ctx, options.From, genesis)
	if err != nil {
		return report, err
	}
	report.Log, err = store.RepairLog(ctx, filepath.Join(dir, storeFolder), params, options.All, sources, logger)
	report.Log.Refused = append(refused, report.Log.Refused...)
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

// repairAnswer bounds the time in which a node gives a file of the log.
const repairAnswer = 30 * time.Second

// repairSources returns the logs of other nodes, and the nodes that are of another ledger or don't answer.
func repairSources(ctx context.Context, from []string, genesis types.Hash) (sources []outcomes.Source, refused []outcomes.Refused, err error) {
	for _, address := range from {
		asked, err := client.New(address)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", address, err)
		}
		within, cancel := context.WithTimeoutCause(ctx, repairAnswer, noAnswer(address))
		status, err := asked.Status(within)
		cancel()
		if err == nil && status.Genesis != genesis {
			err = fmt.Errorf("it is a node of ledger %q with the genesis %s, and this node's has %s", status.ChainID, status.Genesis, genesis)
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			refused = append(refused, outcomes.Refused{Source: address, Why: err.Error()})
			continue
		}
		sources = append(sources, outcomes.Source{Name: address, Fetch: func(ctx context.Context, path string) ([]byte, error) {
			ctx, cancel := context.WithTimeoutCause(ctx, repairAnswer, noAnswer(address))
			defer cancel()
			return asked.LogFile(ctx, path)
		}})
	}
	return sources, refused, nil
}

func noAnswer(address string) error {
	return types.Refuse(types.CodeUnavailable, "the node at %s did not answer in %s", address, repairAnswer)
}
