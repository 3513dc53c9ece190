package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// logFolder is the folder of the log of outcomes in the store's.
const logFolder = "outcomes"

// logFiles is that folder.
type logFiles struct {
	fs  vfs.FS
	dir string
}

func (f logFiles) path(name string) string { return filepath.Join(f.dir, name) }

func (f logFiles) Open(name string) (outcomes.Reader, error) { return f.fs.Open(f.path(name)) }

func (f logFiles) Create(name string) (outcomes.File, error) {
	return f.fs.OpenReadWrite(f.path(name), vfs.WriteCategoryUnspecified)
}

func (f logFiles) Size(name string) (int64, error) {
	info, err := f.fs.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f logFiles) List() ([]string, error)      { return f.fs.List(f.dir) }
func (f logFiles) Rename(from, to string) error { return f.fs.Rename(f.path(from), f.path(to)) }
func (f logFiles) Remove(name string) error     { return f.fs.Remove(f.path(name)) }

func (f logFiles) Sync() error {
	dir, err := f.fs.OpenDir(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// logFiles returns the folder of the log, which it makes if it is not there.
func (s *Store) logFiles() (logFiles, error) {
	files := logFiles{s.files, filepath.Join(s.dir, logFolder)}
	if err := errors.Join(s.files.MkdirAll(files.dir, 0o700), logFiles{s.files, s.dir}.Sync()); err != nil {
		return files, openError(s.dir, err)
	}
	return files, nil
}

// openLog opens the log of outcomes where the database says that it stands.
func (s *Store) openLog() error {
	files, err := s.logFiles()
	if err != nil {
		return err
	}
	log, err := outcomes.Open(files, s.history.start, s.position.log)
	if errors.Is(err, outcomes.ErrDamaged) {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, files.dir, adviseRepair(err))
	}
	if err != nil {
		return openError(s.dir, err)
	}
	s.log = log
	return nil
}

// adviseRepair adds to an error of a damaged log how it is repaired. Other errors, and nil, come back as they are.
func adviseRepair(err error) error {
	if errors.Is(err, outcomes.ErrDamaged) {
		return fmt.Errorf("%w; repair it with the node stopped: lockstep node repair --from URL, where URL is the API of another node of the ledger", err)
	}
	return err
}

// RepairLog repairs the log of outcomes of the store in a folder, which nothing else may have open; see [outcomes.Repair]. With all, the log also gets the outcomes that
// the store does not keep; they are kept once none is missing.
func RepairLog(ctx context.Context, dir string, params types.Params, all bool, sources []outcomes.Source, logger *slog.Logger) (outcomes.Repaired, error) {
	return repairLogIn(ctx, vfs.Default, dir, params, all, sources, logger)
}

func repairLogIn(ctx context.Context, files vfs.FS, dir string, params types.Params, all bool, sources []outcomes.Source, logger *slog.Logger) (report outcomes.Repaired, err error) {
	s, err := openBy(files, dir, params, MinMemory, logger, func(s *Store) (err error) {
		report, err = s.repairLog(ctx, all, sources)
		return err
	})
	if err != nil {
		return report, err
	}
	return report, s.Close()
}

func (s *Store) repairLog(ctx context.Context, all bool, sources []outcomes.Source) (outcomes.Repaired, error) {
	files, err := s.logFiles()
	if err != nil {
		return outcomes.Repaired{}, err
	}
	kept := s.history
	if all {
		kept.start = outcomes.Start{}
	}
	report, err := outcomes.Repair(ctx, files, kept.start, s.position.log, sources)
	if err != nil {
		return report, fmt.Errorf("repair the log of outcomes: %w", disk.Explain(files.dir, err))
	}
	if s.history.start.First == kept.start.First || !report.Whole() {
		return report, nil
	}
	batch := s.db.NewBatch()
	err = errors.Join(batch.Set(historyKey(), types.Encode(&kept), nil), batch.Commit(pebble.Sync), batch.Close())
	if err != nil {
		return report, fmt.Errorf("keep all outcomes: %w", disk.Explain(s.dir, err))
	}
	s.history = kept
	return report, nil
}

// extend adds the leaves of a block to where the log stands.
func extend(at outcomes.Mark, leaves []ledger.Leaf) (*outcomes.Batch, error) {
	encoded := make([][]byte, len(leaves))
	for i := range leaves {
		encoded[i] = leaves[i].Encoded
	}
	return at.Extend(encoded)
}

// story returns a trade that is over, from the leaf that has its story.
func story(log *outcomes.Log, leaf uint64, id types.TradeID) (*types.Trade, error) {
	outcome, err := log.Outcome(leaf)
	if err != nil {
		return nil, err
	}
	for _, effect := range outcome.Effects {
		if ended, ok := effect.(*types.Ended); ok && ended.Trade.ID() == id {
			return ended.Trade, nil
		}
	}
	return nil, fmt.Errorf("leaf %d of the log of outcomes does not have the story of trade %s", leaf, id)
}

// pack packs the segments that are full at a mark that is on the disk, in the background. A failure leaves them as they are, for the next time.
func (s *Store) pack(durable outcomes.Mark) {
	if !s.packing.TryLock() { // the next flush comes soon
		return
	}
	go func() {
		defer s.packing.Unlock()
		if err := s.log.Pack(durable); err != nil {
			s.guard.logger.Warn("a segment of the log of outcomes is not compressed; the next flush tries again", "why", disk.Explain(s.dir, err))
		}
	}()
}
