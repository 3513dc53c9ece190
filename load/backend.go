package load

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lockstep/ledger"
	"lockstep/store"
)

// memoryLedger is a state in memory. It is not [ledger.Memory], which sorts all keys of a kind to look at the few that are
// due: right for exploring small states, but it would be what is measured here.
type memoryLedger struct {
	kinds map[byte]map[string][]byte
}

func newMemoryLedger() *memoryLedger { return &memoryLedger{kinds: map[byte]map[string][]byte{}} }

func (m *memoryLedger) view() ledger.View { return m }

// Get implements [ledger.View].
func (m *memoryLedger) Get(key string) []byte { return m.kinds[key[0]][key] }

// Ascend implements [ledger.View].
func (m *memoryLedger) Ascend(from, to string, visit func(string, []byte) bool) {
	kind := m.kinds[from[0]]
	var keys []string
	for key := range kind {
		if key >= from && key < to {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !visit(key, kind[key]) {
			return
		}
	}
}

func (m *memoryLedger) commit(executed store.Executed) error {
	for _, change := range executed.Diff.Changes {
		kind := m.kinds[change.Key[0]]
		switch {
		case change.New == nil:
			delete(kind, change.Key)
		case kind == nil:
			m.kinds[change.Key[0]] = map[string][]byte{change.Key: change.New}
		default:
			kind[change.Key] = change.New
		}
	}
	return nil
}

func (m *memoryLedger) audit() (ledger.Sums, error) {
	sums, _, err := ledger.Audit(m)
	return sums, err
}

func (m *memoryLedger) close() error { return nil }

func (m *memoryLedger) folder() string { return "" }

// storeLedger is a state in a store, in a folder of its own.
type storeLedger struct {
	store *store.Store
	dir   string
}

func newStoreLedger(o *Options) (*storeLedger, error) {
	dir, err := os.MkdirTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the ledger: %w", err)
	}
	s, err := store.Open(filepath.Join(dir, "ledger"), o.params(), o.Logger)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &storeLedger{s, dir}, nil
}

func (s *storeLedger) view() ledger.View { return s.store.View() }

func (s *storeLedger) commit(executed store.Executed) error {
	staged, err := s.store.Stage(executed)
	if err != nil {
		return err
	}
	return staged.Commit()
}

func (s *storeLedger) audit() (ledger.Sums, error) {
	report, err := s.store.Check()
	return report.Sums, errors.Join(err, s.store.Close())
}

func (s *storeLedger) close() error { return s.store.Close() }

func (s *storeLedger) folder() string { return s.dir }
