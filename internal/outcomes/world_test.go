package outcomes_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"lockstep/internal/outcomes"
)

// folder is a folder of the operating system.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) Open(name string) (outcomes.Reader, error) { return os.Open(f.path(name)) }

func (f folder) Create(name string) (outcomes.File, error) {
	return os.OpenFile(f.path(name), os.O_RDWR|os.O_CREATE, 0o600)
}

func (f folder) Size(name string) (int64, error) {
	info, err := os.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f folder) List() (names []string, err error) {
	entries, err := os.ReadDir(string(f))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

func (f folder) Rename(from, to string) error { return os.Rename(f.path(from), f.path(to)) }
func (f folder) Remove(name string) error     { return os.Remove(f.path(name)) }
func (f folder) Sync() error                  { return nil }

// world is a log with the leaves that it should have.
type world struct {
	t      *testing.T
	files  folder
	log    *outcomes.Log
	start  outcomes.Start
	at     outcomes.Mark
	leaves [][]byte
	random *rand.Rand
	ids    bool // the leaves repeat IDs
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, files: folder(t.TempDir()), random: rand.New(rand.NewPCG(seed, 1))}
	w.open()
	t.Cleanup(func() { _ = w.log.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	log, err := outcomes.Open(w.files, w.start, w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = log
}

// reopen closes the log and opens it at a mark.
func (w *world) reopen(at outcomes.Mark) {
	w.t.Helper()
	w.close()
	w.at, w.leaves = at, w.leaves[:at.Size]
	w.open()
}

func (w *world) close() {
	w.t.Helper()
	if err := w.log.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// grow appends some leaves in one batch.
func (w *world) grow(count int) {
	w.t.Helper()
	leaves := make([][]byte, count)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "leaf %d %0*d", len(w.leaves)+i, w.random.IntN(40), 7)
		if w.ids {
			leaves[i] = fmt.Appendf(leaves[i], "\x58\x20%032d%0*d", w.random.IntN(500), w.random.IntN(40), 7)
		}
	}
	batch, err := w.at.Extend(leaves)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.log.Append(batch); err != nil {
		w.t.Fatal(err)
	}
	w.at, w.leaves = batch.To, append(w.leaves, leaves...)
}

// check compares the log with its leaves by its own check.
func (w *world) check() {
	w.t.Helper()
	if err := w.log.Check(w.at); err != nil {
		w.t.Fatal(err)
	}
}
