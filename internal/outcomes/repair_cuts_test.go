package outcomes_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/outcomes"
)

// crashable is a disk in memory with the files of a log.
func crashable(files map[string][]byte) *vfs.MemFS {
	disk := vfs.NewCrashableMem()
	must(0, disk.MkdirAll("log", 0o700))
	for name, content := range files {
		file := must(disk.Create("log/"+name, vfs.WriteCategoryUnspecified))
		must(file.Write(bytes.Clone(content))) // under the race detector it spoils what it is given
		must(0, errors.Join(file.Sync(), file.Close()))
	}
	must(0, memory{FS: disk}.Sync())
	return disk
}

// TestPowerCutsWhileGettingHistory ends a repair that fetches the leaves from before a snapshot at its writes. The begin of the log is not written down then, so a start goes on
// with what it kept, which is in order, and the next repair gets all of it.
func TestPowerCutsWhileGettingHistory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	whole := newWorld(t, 82)
	whole.ids = true
	whole.grow(segment + 300)
	must(0, whole.log.Sync())
	must(0, whole.log.Pack(whole.at))
	random, sources := rand.New(rand.NewPCG(82, 1)), []outcomes.Source{whole.source("peer")}
	for _, at := range []int{300, segment + 5} {
		mark := must(outcomes.Mark{}.Extend(whole.leaves[:at])).To
		joined := &world{t: t, files: folder(t.TempDir()), random: whole.random, start: outcomes.Start{First: mark.Size, Joined: mark}, at: mark}
		joined.open()
		must(0, joined.log.Append(must(joined.at.Extend(whole.leaves[at:]))))
		must(0, joined.log.Sync())
		joined.close()
		before := crashable(joined.files.read(t))
		cuts := 0
		for writes, done := 0, false; !done; writes++ {
			if writes < 250 && writes != 100 || writes >= 250 && writes%6 != at%2 { // the first ones write bundles to a file of its own
				continue
			}
			disk, left := before.CrashClone(vfs.CrashCloneCfg{}), writes
			_, err := outcomes.Repair(t.Context(), memory{disk, &left}, outcomes.Start{}, whole.at, sources)
			if done = err == nil; !done && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			cuts++
			disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random})
			log, err := outcomes.Open(memory{FS: disk}, joined.start, whole.at)
			if err == nil {
				err = errors.Join(log.Check(whole.at), log.Close())
			}
			if err != nil {
				t.Fatalf("joined at %d, after %d writes a start says %v", at, writes, err)
			}
			if report := must(outcomes.Repair(t.Context(), memory{FS: disk}, joined.start, whole.at, nil)); !report.Whole() || len(report.Damaged) > 0 {
				t.Errorf("joined at %d, after %d writes: %+v", at, writes, report)
			}
			if report := must(outcomes.Repair(t.Context(), memory{FS: disk}, outcomes.Start{}, whole.at, sources)); !report.Whole() {
				t.Errorf("joined at %d, after %d writes, and another repair: %+v", at, writes, report)
			}
		}
		if cuts < 5 {
			t.Errorf("joined at %d: %d cuts, this test tests little", at, cuts)
		}
	}
}
