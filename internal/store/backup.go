package store

import (
	"fmt"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/disk"
)

// Checkpoint makes a copy of the store at its last block in a folder, which must not exist and be on the same disk: files that don't change
// any more are linked. Copies of the files of the log are still written to, behind where the copied store ends: the start of a store cuts
// that off. It returns the height.
func (s *Store) Checkpoint(dir string) (height uint64, err error) {
	leave, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	s.writing.Lock() // so that no flush comes between the height and the copy
	defer s.writing.Unlock()
	if _, err := s.flush(); err != nil {
		return 0, err
	}
	height = s.OnDisk()
	err = s.guard.call(func() error {
		if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
			return err
		}
		return s.linkLog(dir)
	})
	if err != nil {
		return 0, fmt.Errorf("copy store %s: %w", s.dir, disk.Explain(dir, err))
	}
	return height, nil
}

// linkLog links the files of the log of outcomes into the folder of a copy.
func (s *Store) linkLog(dir string) error {
	from, to := filepath.Join(s.dir, logFolder), filepath.Join(dir, logFolder)
	if err := s.files.MkdirAll(to, 0o700); err != nil {
		return err
	}
	defer s.log.Hold()() // no file is replaced meanwhile
	names, err := s.files.List(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.files.Link(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}
