package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
)

// memoryLedger is a state in memory.
type memoryLedger struct{ *ledger.Memory }

func newMemoryLedger() *memoryLedger { return &memoryLedger{ledger.NewMemory()} }

func (m *memoryLedger) view() ledger.View { return m }

func (m *memoryLedger) commit(executed store.Executed) error {
	m.Apply(executed.Diff.Changes)
	return nil
}

func (m *memoryLedger) audit() (ledger.Sums, error) {
	sums, _, err := ledger.Audit(m)
	return sums, err
}

func (m *memoryLedger) close() error { return nil }

func (m *memoryLedger) folder() string { return "" }

// storeLedger is a state in a store, in a folder of its own. A transaction that is final in it is on the disk, for no engine keeps
// the blocks; unless it writes behind, as the store of a node does.
type storeLedger struct {
	store  *store.Store
	dir    string
	behind bool
}

func newStoreLedger(o *Options, behind bool) (*storeLedger, error) {
	dir, err := os.MkdirTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the ledger: %w", err)
	}
	s, err := store.Open(filepath.Join(dir, "ledger"), o.params(), store.DefaultMemory, o.Logger)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &storeLedger{s, dir, behind}, nil
}

func (s *storeLedger) view() ledger.View { return s.store.StateReader() }

func (s *storeLedger) commit(executed store.Executed) error {
	staged, err := s.store.Stage(executed)
	if err == nil {
		err = staged.Commit()
	}
	if err != nil || s.behind {
		return err
	}
	return s.store.Flush()
}

func (s *storeLedger) audit() (ledger.Sums, error) {
	report, err := s.store.Check()
	return report.Sums, errors.Join(err, s.store.Close())
}

func (s *storeLedger) close() error { return s.store.Close() }

func (s *storeLedger) folder() string { return s.dir }
