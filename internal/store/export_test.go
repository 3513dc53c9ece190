package store

import (
	"context"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// OpenIn opens a store in files that a test can damage.
func OpenIn(files vfs.FS, dir string, params types.Params) (*Store, error) {
	return openIn(files, dir, params, MinMemory, slog.New(slog.DiscardHandler))
}

// RepairLogIn repairs the log of a store in such files.
func RepairLogIn(ctx context.Context, files vfs.FS, dir string, params types.Params, all bool, sources ...outcomes.Source) (outcomes.Repaired, error) {
	return repairLogIn(ctx, files, dir, params, all, sources, slog.New(slog.DiscardHandler))
}

// Written is how many bytes the database has written since it was opened, and how many it takes now.
type Written struct{ WAL, Tables, Disk uint64 }

// Written serves benchmarks.
func (s *Store) Written() (w Written) {
	metrics := s.db.Metrics()
	w.WAL, w.Disk = metrics.WAL.BytesWritten, metrics.DiskSpaceUsage()
	for _, level := range metrics.Levels {
		w.Tables += level.TableBytesFlushed + level.TableBytesCompacted
	}
	return w
}

// Crash closes the store without a flush, like a crash.
func (s *Store) Crash() error {
	s.flushing.Wait()
	s.active = nil
	return s.Close()
}

// SmallPartitions sets the minimum size of a partition.
func (s *Store) SmallPartitions(least uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partitions.least = least
}

// Partitions is how many there are.
func (s *Store) Partitions() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.partitions.begins)
}

// QuickCheckpoints makes checkpoints so frequent. It comes before the first block.
func (s *Store) QuickCheckpoints(every, delay uint64) {
	s.checkpoints = ledger.Checkpoints{Every: every, Delay: delay}
}

// AwaitSnapshot waits for the snapshot that is being written.
func (s *Store) AwaitSnapshot() { s.captures.writing.Wait() }

// MoveBase makes the base another than that of the database, as it is while pruning has written and not yet told.
func (s *Store) MoveBase(base uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history.base = base
}
