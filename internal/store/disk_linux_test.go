package store

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lockstep/internal/disk/disktest"
	"lockstep/types"
)

// openOn opens a store, or fails if that takes long: a full disk must not hold it up.
func openOn(t *testing.T, dir string) (*Store, error) {
	t.Helper()
	type opened struct {
		store *Store
		err   error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := Open(dir, types.DefaultParams("test"), MinMemory, slog.New(slog.DiscardHandler))
		done <- opened{s, err}
	}()
	select {
	case o := <-done:
		return o.store, o.err
	case <-time.After(30 * time.Second):
		t.Fatal("the store is not open after 30 s")
		return nil, nil
	}
}

func TestOpenOnFullDisk(t *testing.T) {
	t.Parallel()
	disktest.Run(t, "64m", func(disk string) {
		dir := filepath.Join(disk, "store")
		if _, err := openOn(t, dir); err != nil {
			t.Fatal(err)
		}
		free := disktest.Fill(t, disk)
		copied := filepath.Join(disk, "killed") // as after a kill: the lock is the process's, the files are as they are
		if err := os.Rename(dir, copied); err != nil {
			t.Fatal(err)
		}
		if _, err := openOn(t, copied); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room there") {
			t.Errorf("on a full disk: %v", err)
		}
		free()
	})
}

func TestOpenOnReadOnlyDisk(t *testing.T) {
	t.Parallel()
	disktest.Run(t, "64m", func(disk string) {
		dir := filepath.Join(disk, "store")
		s, err := openOn(t, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		disktest.ReadOnly(t, disk)
		_, err = openOn(t, dir)
		if !errors.Is(err, syscall.EROFS) || errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("on a read-only disk: %v", err)
		}
	})
}
