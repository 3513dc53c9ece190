package outcomes_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/outcomes"
)

func (w *world) pack(durable outcomes.Mark) {
	w.t.Helper()
	if err := errors.Join(w.log.Sync(), w.log.Pack(durable)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) names() string {
	names := must(w.files.List())
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestPackedLog packs full segments: leaves, bundles, proofs and checks are as before, also after a start, behind a start that cuts a packed segment, and when segments are pruned.
func TestPackedLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("three segments, most of a minute under the race detector: make test runs it without, make race with it")
	}
	w := newWorld(t, 6)
	w.ids = true
	w.grow(segment + 30_000)
	within := w.at
	w.grow(2*segment - 30_000 + 20)
	whole := must(w.files.Size("segment-000000000"))
	tree := w.tree()
	w.pack(within)
	if got := w.names(); !strings.Contains(got, "packed-000000000 segment-000000001 segment-000000002") {
		t.Errorf("a mark in segment 1 leaves the files %s", got)
	}
	w.pack(w.at)
	if got := w.names(); !strings.HasSuffix(got, "packed-000000000 packed-000000001 packed-000000002 segment-000000003") {
		t.Errorf("the files are %s", got)
	}
	if packed := must(w.files.Size("packed-000000000")); packed == 0 || packed > whole/2 {
		t.Errorf("packed, %d bytes are %d", whole, packed)
	}
	w.compareAll(tree)
	w.check()
	w.grow(500)
	tree = w.tree()
	w.reopen(w.at)
	w.compareAll(tree)
	w.check()
	if err := w.log.Walk(0, w.at.Size, func(index uint64, leaf []byte) error {
		if string(leaf) != string(w.leaves[index]) {
			return fmt.Errorf("leaf %d is %q", index, leaf)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"hashes-1", "offsets-000000001"} { // both follow from packed segments, too
		w.close()
		must(0, os.Remove(w.files.path(name)))
		w.open()
		w.check()
	}
	w.prune(segment)
	if got := w.names(); strings.Contains(got, "000000000") {
		t.Errorf("the files %s are left", got)
	}
	w.reopen(within) // as a database of before
	w.check()
	if got := w.names(); !strings.HasSuffix(got, "offsets-000000001 segment-000000001") {
		t.Errorf("behind a cut in a packed segment the files are %s", got)
	}
	w.grow(segment)
	w.pack(w.at)
	w.check()
}

// TestDamagedPackedLog changes packed segments. Each change is named, by the start or by the check, and no reader gets other leaves.
func TestDamagedPackedLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.grow(segment + 100)
	w.pack(w.at)
	w.close()
	path := w.files.path("packed-000000000")
	content := must(os.ReadFile(path))
	for _, damage := range []struct {
		change  func([]byte) []byte
		finding string
	}{
		{flip(0), "does not begin as a packed segment"}, {flip(8), "does not begin as a packed segment"}, {flip(15), "it has"}, {flip(16), "do not follow"}, {flip(23), "packed-000000000: "},
		{flip(49), "packed-000000000: frame 1 of 4"}, {flip(60), "packed-000000000: frame 2 of 4"}, {flip(len(content) / 2), "packed-000000000: frame"}, {flip(len(content) - 1), "packed-000000000: frame 4 of 4"},
		{cutBy(1), "packed-000000000: it has"}, {cutBy(len(content) - 10), "packed-000000000: it ends at"}, {more, "packed-000000000: it has"},
		{func([]byte) []byte { return []byte{} }, "packed-000000000: it ends at"}, {remove, "segment-000000000: it has 0 bytes"},
	} {
		write(t, path, damage.change(slices.Clone(content)))
		log, err := outcomes.Open(w.files, w.start, w.at)
		if err == nil {
			for index := uint64(0); index < segment; index += 97 {
				if leaf, err := log.Leaf(index); err == nil && string(leaf) != string(w.leaves[index]) {
					t.Fatalf("leaf %d is read as %q", index, leaf)
				} else if err != nil {
					break
				}
			}
			err = log.Check(w.at)
			must(0, log.Close())
		}
		if err == nil || !errors.Is(err, outcomes.ErrDamaged) || !strings.Contains(err.Error(), damage.finding) {
			t.Errorf("found %v, want %q", err, damage.finding)
		}
		write(t, path, content)
	}
	w.open()
	w.check()
}

// TestPowerCutsWhilePacking ends the process after each write to the disk, and of all writes since the last sync the disk keeps some: the log is whole, and packs the segment then.
func TestPowerCutsWhilePacking(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	w := newWorld(t, 8)
	w.ids = true
	w.grow(segment + 100)
	w.close()
	disk := crashable(w.files.read(t))
	random := rand.New(rand.NewPCG(8, 8))
	forms := map[string]int{}
	for writes, done := 0, false; !done; writes++ {
		for _, kept := range []int{0, 50, 100} {
			disk := disk.CrashClone(vfs.CrashCloneCfg{})
			left := writes
			log := must(outcomes.Open(memory{disk, &left}, w.start, w.at))
			err := log.Pack(w.at)
			if done = err == nil; !done && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			_ = log.Close()
			disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: random})
			if log, err = outcomes.Open(memory{FS: disk}, w.start, w.at); err == nil {
				forms[form(t, disk)]++
				err = errors.Join(log.Check(w.at), log.Pack(w.at), log.Check(w.at), log.Close())
			}
			if err != nil {
				t.Fatalf("after %d writes: %v", writes, err)
			}
			if got := form(t, disk); got != "packed-000000000" {
				t.Errorf("after %d writes, and another try: %s", writes, got)
			}
		}
	}
	if forms["packed-000000000"] < 3 || forms["segment-000000000"] < 10 || len(forms) != 2 {
		t.Errorf("the forms of the segment: %v", forms)
	}
}

// form lists the files of the first segment.
func form(t *testing.T, disk vfs.FS) string {
	t.Helper()
	names := must(disk.List("log"))
	slices.Sort(names)
	return strings.Join(slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasSuffix(name, "000000000") || strings.HasPrefix(name, "offsets")
	}), " ")
}

var errCut = errors.New("the power is cut")

// memory is a folder in memory. It ends after so many writes.
type memory struct {
	vfs.FS
	left *int
}

func (m memory) cut() error {
	if m.left == nil {
		return nil
	}
	if *m.left--; *m.left < 0 {
		return errCut
	}
	return nil
}

func (m memory) Open(name string) (outcomes.Reader, error) { return m.FS.Open("log/" + name) }

func (m memory) Create(name string) (outcomes.File, error) {
	if err := m.cut(); err != nil {
		return nil, err
	}
	file, err := m.FS.OpenReadWrite("log/"+name, vfs.WriteCategoryUnspecified)
	return memoryFile{file, m}, err
}

func (m memory) Size(name string) (int64, error) {
	info, err := m.FS.Stat("log/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (m memory) List() ([]string, error) { return m.FS.List("log") }
func (m memory) Rename(from, to string) error {
	if err := m.cut(); err != nil {
		return err
	}
	return m.FS.Rename("log/"+from, "log/"+to)
}

func (m memory) Remove(name string) error {
	if err := m.cut(); err != nil {
		return err
	}
	return m.FS.Remove("log/" + name)
}

func (m memory) Sync() error {
	if err := m.cut(); err != nil {
		return err
	}
	for _, name := range []string{"", "log"} {
		dir, err := m.FS.OpenDir(name)
		if err != nil {
			return err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

type memoryFile struct {
	vfs.File
	of memory
}

func (f memoryFile) WriteAt(content []byte, at int64) (int, error) {
	if err := f.of.cut(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(content, at)
}

func (f memoryFile) Sync() error {
	if err := f.of.cut(); err != nil {
		return err
	}
	return f.File.Sync()
}
