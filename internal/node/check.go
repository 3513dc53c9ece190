package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/index"
	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// CheckReport counts the objects that [Check] found intact.
type CheckReport struct {
	store.Report
	Engine chain.Checked
	Index  types.Hash // digest of the index, as recomputed from the blocks; zero when there is no index. Of a pruned node it covers the blocks that are kept
}

// Check recomputes all data of the node in a folder: the store, see [store.Store.Check]; the engine's keys, genesis and blocks, see
// [chain.Check]; and the index, see [index.Check]. The node must not run.
func Check(dir string, logger *slog.Logger) (report CheckReport, err error) {
	s, err := openStore(dir, store.DefaultMemory, logger)
	if err != nil {
		return report, err
	}
	err = report.check(dir, s, logger)
	return report, disk.Explain(dir, errors.Join(err, s.Close()))
}

func (r *CheckReport) check(dir string, s *store.Store, logger *slog.Logger) (err error) {
	if r.Report, err = s.Check(); err != nil {
		return err
	}
	if r.Engine, err = chain.Check(filepath.Join(dir, engineFolder), s); err != nil {
		return err
	}
	if _, _, err := loadNoteKey(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // a node that never ran has none
		return err
	}
	if err := snapshot.Folder(filepath.Join(dir, snapshotsFolder)).Check(); err != nil {
		return err
	}
	settings, err := LoadSettings(dir)
	if err != nil || !settings.indexed() { // an index of earlier is brought up to date when it is switched on
		return err
	}
	state, err := s.Snapshot()
	if err != nil {
		return err
	}
	params := s.Genesis()
	r.Index, err = index.Check(context.Background(), filepath.Join(dir, indexFile), params.Hash(), indexSource{IndexedSnapshot: state, base: params.Base()}, logger)
	if errors.Is(err, index.ErrDamaged) {
		err = fmt.Errorf("%w; build it again: lockstep node reindex", err)
	}
	return errors.Join(err, state.Close())
}
