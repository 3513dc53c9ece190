package store

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

// Crash closes the store as a crash would: what is not written is lost.
func (s *Store) Crash() error {
	s.flushing.Wait()
	s.recent = nil
	return s.Close()
}

// ShortEpochs ends each epoch at so few entries.
func (s *Store) ShortEpochs(least uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epochs.least = least
}

// Epochs is how many there are.
func (s *Store) Epochs() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.epochs.begins)
}
