package outcomes_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

// source is the log of a world as another node serves it.
func (w *world) source(name string) outcomes.Source {
	return outcomes.Source{Name: name, Fetch: func(_ context.Context, path string) ([]byte, error) { return w.log.File(path, w.at.Size) }}
}

// counted is a source that notes the paths it is asked for.
func (w *world) counted(fetched *[]string) outcomes.Source {
	return outcomes.Source{Name: "peer", Fetch: func(_ context.Context, path string) ([]byte, error) {
		*fetched = append(*fetched, path)
		return w.log.File(path, w.at.Size)
	}}
}

// packed is a log of two full segments, which are packed, and a part of a third.
func packed(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.ids = true
	w.grow(2 * segment)
	w.grow(300)
	must(0, w.log.Sync())
	must(0, w.log.Pack(w.at))
	return w
}

// copied is a copy of the files of a log.
func (w *world) copied() folder {
	w.t.Helper()
	to := folder(w.t.TempDir())
	for name, content := range w.files.read(w.t) {
		write(w.t, to.path(name), content)
	}
	return to
}

func (f folder) read(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range must(f.List()) {
		files[name] = must(os.ReadFile(f.path(name)))
	}
	return files
}

// equal reports how a folder differs from the files of another.
func equal(t *testing.T, f folder, want map[string][]byte) {
	t.Helper()
	got := f.read(t)
	if names, wanted := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(names, wanted) {
		t.Errorf("there are the files %s, want %s", names, wanted)
	}
	for name, content := range want {
		if !bytes.Equal(got[name], content) {
			t.Errorf("%s has other bytes than before the damage", name)
		}
	}
}

// damages are the ways in which a file is damaged. A nil content is a file that is missing.
func damages(foreign map[string][]byte) map[string]func(name string, content []byte) []byte {
	return map[string]func(string, []byte) []byte{
		"a flipped bit":          func(_ string, b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a flipped bit at begin": func(_ string, b []byte) []byte { b[0] ^= 0x80; return b },
		"a flipped bit at end":   func(_ string, b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut short":              func(_ string, b []byte) []byte { return b[:len(b)*2/3] },
		"cut by a byte":          func(_ string, b []byte) []byte { return b[:len(b)-1] },
		"empty":                  func(string, []byte) []byte { return []byte{} },
		"missing":                func(string, []byte) []byte { return nil },
		"of another ledger":      func(name string, _ []byte) []byte { return foreign[name] },
		"zeros":                  func(_ string, b []byte) []byte { return make([]byte, len(b)) },
		"bytes behind its end":   func(name string, b []byte) []byte { return append(b, "left over"...) },
	}
}

func (f folder) damage(t *testing.T, name string, how func(string, []byte) []byte) {
	t.Helper()
	content := how(name, must(os.ReadFile(f.path(name))))
	if content == nil {
		must(0, os.Remove(f.path(name)))
		return
	}
	write(t, f.path(name), content)
}

// TestRepairDamage damages each file of a log in each way, and pairs of them. The repair names the file, takes no more from another node than it must, and the files are as before.
func TestRepairDamage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	healthy, foreign := packed(t, 71), packed(t, 72)
	want, other := healthy.files.read(t), foreign.files.read(t)
	derived := []string{"hashes-1", "hashes-2", "offsets-000000001", "offsets-000000002"}
	segments := []string{"packed-000000000", "packed-000000001", "segment-000000002"}
	for how, damage := range damages(other) {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			for _, name := range slices.Concat(derived, segments) {
				files, fetched := healthy.copied(), []string{}
				files.damage(t, name, damage)
				report, err := outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{healthy.counted(&fetched)})
				if err != nil {
					t.Fatal(err)
				}
				harmless := how == "bytes behind its end" && !strings.HasPrefix(name, "packed")
				switch named := slices.ContainsFunc(report.Damaged, func(f outcomes.Finding) bool { return f.File == name && f.Damage != "" }); {
				case !report.Whole() || len(report.Refused) > 0:
					t.Errorf("%s, %s: %+v", name, how, report)
				case !harmless && (!named || len(report.Damaged) != 1), harmless && len(report.Damaged) > 0:
					t.Errorf("%s, %s: found %+v", name, how, report.Damaged)
				case slices.Contains(derived, name) && len(fetched) > 0:
					t.Errorf("%s, %s: %d files were fetched, and it follows from the segments", name, how, len(fetched))
				}
				if !harmless {
					equal(t, files, want)
					continue
				}
				log := must(outcomes.Open(files, healthy.start, healthy.at))
				must(0, log.Check(healthy.at))
				must(0, log.Close())
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		files := folder(t.TempDir())
		report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{healthy.source("peer")}))
		if !report.Whole() || len(report.Damaged) != len(want) {
			t.Errorf("%+v", report)
		}
		equal(t, files, want)
	})
	t.Run("a bundle", func(t *testing.T) { // one flipped bit costs one bundle of a segment that is not packed
		t.Parallel()
		files, fetched := healthy.copied(), []string{}
		files.damage(t, "segment-000000002", func(_ string, b []byte) []byte { b[40] ^= 4; return b })
		report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{healthy.counted(&fetched)}))
		if !slices.Equal(fetched, []string{"tile/entries/512"}) || !strings.Contains(report.Damaged[0].Done, "1 from peer, 1 from the file") {
			t.Errorf("fetched %s: %+v", fetched, report)
		}
		equal(t, files, want)
	})
	t.Run("a cut frame", func(t *testing.T) { // the frames before it are used
		t.Parallel()
		files := healthy.copied()
		files.damage(t, "packed-000000001", func(_ string, b []byte) []byte { return b[:len(b)-1] })
		report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{healthy.source("peer")}))
		var ours, theirs int
		if _, err := fmt.Sscanf(report.Damaged[0].Done, "written anew, of its parts of 256 outcomes %d from the file, %d from peer", &ours, &theirs); err != nil || ours+theirs != 256 || theirs > 160 {
			t.Errorf("%+v: %v", report, err)
		}
		equal(t, files, want)
	})
}

// TestRepairByLiars asks nodes that lie, are of another ledger, lack the outcomes, or fail. Nothing of theirs is written, and the honest one after them is.
func TestRepairByLiars(t *testing.T) {
	t.Parallel()
	healthy, foreign := packed(t, 73), packed(t, 74)
	want := healthy.files.read(t)
	changed := func(change func([]byte) []byte) outcomes.Source {
		return outcomes.Source{Name: "liar", Fetch: func(_ context.Context, path string) ([]byte, error) {
			content, err := healthy.log.File(path, healthy.at.Size)
			return change(content), err
		}}
	}
	failing := func(err error) outcomes.Source {
		return outcomes.Source{Name: "liar", Fetch: func(context.Context, string) ([]byte, error) { return nil, err }}
	}
	young := packed(t, 73)
	young.reopen(outcomes.Mark{})
	for name, liar := range map[string]struct {
		source  outcomes.Source
		refused bool
	}{
		"altered":        {changed(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), true},
		"cut short":      {changed(func(b []byte) []byte { return b[:len(b)-1] }), true},
		"empty":          {changed(func([]byte) []byte { return nil }), true},
		"huge":           {changed(func(b []byte) []byte { return append(b, make([]byte, 20<<20)...) }), true},
		"another ledger": {foreign.source("liar"), true},
		"too few":        {young.source("liar"), false},
		"pruned":         {failing(types.Refuse(types.CodePruned, "gone")), false},
		"unavailable":    {failing(types.Refuse(types.CodeUnavailable, "it does not answer")), true},
		"broken":         {failing(errors.New("unexpected EOF")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := healthy.copied()
			for _, damaged := range []string{"packed-000000001", "hashes-1", "segment-000000002"} {
				files.damage(t, damaged, func(_ string, b []byte) []byte { return b[:len(b)/2] })
			}
			files.damage(t, "hashes-2", func(_ string, b []byte) []byte { b[33] ^= 1; return b })
			before := files.read(t)
			for range 2 { // alone, and without any
				report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{liar.source}))
				if report.Whole() || len(report.Refused) > 0 != liar.refused {
					t.Errorf("alone: %+v", report)
				}
				for _, finding := range report.Damaged {
					if finding.Done == "" && finding.Why == "" {
						t.Errorf("%+v says not why", finding)
					}
				}
				equal(t, files, before)
				liar.source, liar.refused = failing(types.Refuse(types.CodeNotFound, "nothing")), false
			}
			report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{liar.source, healthy.source("peer")}))
			if !report.Whole() {
				t.Errorf("with an honest one: %+v", report)
			}
			equal(t, files, want)
		})
	}
}

// TestRepairWithoutSources repairs the files that follow from others, and says of the rest from where it would have to come.
func TestRepairWithoutSources(t *testing.T) {
	t.Parallel()
	healthy := packed(t, 75)
	want := healthy.files.read(t)
	files := healthy.copied()
	for _, name := range []string{"hashes-1", "hashes-2", "offsets-000000000", "offsets-000000001", "offsets-000000002"} {
		must(0, os.Remove(files.path(name)))
	}
	if report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, nil)); !report.Whole() || len(report.Damaged) != 5 {
		t.Errorf("%+v", report)
	}
	equal(t, files, want)
	must(0, os.Remove(files.path("packed-000000001")))
	must(0, os.Remove(files.path("offsets-000000000")))
	must(0, os.Remove(files.path("hashes-2"))) // follows from hashes-1 too
	report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, nil))
	if len(report.Damaged) != 3 || report.Whole() {
		t.Fatalf("%+v", report)
	}
	for _, finding := range report.Damaged {
		if (finding.File == "packed-000000001") != (finding.Done == "") || finding.Done == "" && !strings.Contains(finding.Why, "--from URL") {
			t.Errorf("%+v", finding)
		}
	}
	delete(want, "packed-000000001")
	equal(t, files, want)
	// A whole segment with bytes behind it, of which the file of hashes is lost too.
	want = healthy.files.read(t)
	files = folder(t.TempDir())
	for name, content := range want {
		write(t, files.path(name), content)
	}
	must(0, os.Remove(files.path("hashes-1")))
	must(0, os.Remove(files.path("packed-000000001")))
	raw := []byte{}
	for _, leaf := range healthy.leaves[segment : 2*segment] {
		raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(leaf))), leaf...)
	}
	write(t, files.path("segment-000000001"), append(raw, 0))
	if report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, nil)); !report.Whole() || len(report.Damaged) != 2 {
		t.Errorf("%+v", report)
	}
	equal(t, files, want)
}

// TestRepairPruned repairs a log without its first segments: the hashes of those come from another node, which may have pruned them too. The segments come back only when the
// whole log is asked for, from a node that has it.
func TestRepairPruned(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	healthy, peer, whole := packed(t, 76), packed(t, 76), packed(t, 76)
	healthy.prune(segment + 1)
	peer.prune(segment + 1)
	want, foreign := healthy.files.read(t), packed(t, 77).files.read(t)
	for _, name := range []string{"hashes-1", "hashes-2", "packed-000000001", "segment-000000002", "offsets-000000001"} {
		for _, how := range []string{"a flipped bit", "a flipped bit at begin", "cut by a byte", "missing", "of another ledger"} {
			damage := damages(foreign)[how]
			files := healthy.copied()
			files.damage(t, name, damage)
			report := must(outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{peer.source("peer")}))
			if !report.Whole() || len(report.Damaged) != 1 || report.From != segment {
				t.Errorf("%s, %s: %+v", name, how, report)
			}
			equal(t, files, want)
		}
	}
	files := healthy.copied()
	if report := must(outcomes.Repair(t.Context(), files, outcomes.Start{}, healthy.at, []outcomes.Source{peer.source("peer")})); report.Whole() {
		t.Errorf("the pruned outcomes come from a node that has none: %+v", report)
	}
	equal(t, files, want)
	if report := must(outcomes.Repair(t.Context(), files, outcomes.Start{}, healthy.at, []outcomes.Source{peer.source("peer"), whole.source("whole")})); !report.Whole() || len(report.Refused) > 0 {
		t.Errorf("the pruned outcomes again: %+v", report)
	}
	equal(t, files, whole.files.read(t))
}

// TestRepairJoined repairs logs that continue from a snapshot, and gives them the outcomes from before it.
func TestRepairJoined(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	whole := packed(t, 78)
	for _, at := range []int{300, segment, segment + 5, 2*segment + 100, 2*segment + 299, 2*segment + 300} {
		mark := must(outcomes.Mark{}.Extend(whole.leaves[:at])).To
		joined := &world{t: t, files: folder(t.TempDir()), random: whole.random, start: outcomes.Start{First: mark.Size, Joined: mark}, at: mark}
		joined.open()
		batch := must(joined.at.Extend(whole.leaves[at:]))
		must(0, joined.log.Append(batch))
		must(0, joined.log.Sync())
		must(0, joined.log.Pack(whole.at))
		joined.at, joined.leaves = batch.To, whole.leaves
		want := joined.files.read(t)
		for name, content := range want {
			for _, how := range []string{"a flipped bit at end", "missing"} {
				files := joined.copied()
				files.damage(t, name, damages(nil)[how])
				report := must(outcomes.Repair(t.Context(), files, joined.start, joined.at, []outcomes.Source{whole.source("peer")}))
				if !report.Whole() || len(report.Damaged) != 1 && len(content) > 0 {
					t.Errorf("joined at %d, %s, %s: %+v", at, name, how, report)
				}
				equal(t, files, want)
			}
		}
		files := joined.copied()
		report := must(outcomes.Repair(t.Context(), files, outcomes.Start{}, joined.at, []outcomes.Source{whole.source("peer")}))
		if !report.Whole() {
			t.Errorf("joined at %d: %+v", at, report)
		}
		equal(t, files, whole.files.read(t))
		joined.close()
	}
}

// TestPowerCutsWhileRepairing ends a repair at its writes, and of those since the last sync the disk keeps some. Each file is then the damaged or the repaired one, a start
// opens the log or names a damaged file, and the next repair ends it.
func TestPowerCutsWhileRepairing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	healthy := newWorld(t, 79)
	healthy.grow(segment + 300)
	must(0, healthy.log.Sync())
	must(0, healthy.log.Pack(healthy.at))
	want, files := healthy.files.read(t), healthy.copied()
	for _, name := range []string{"packed-000000000", "segment-000000001", "offsets-000000000", "hashes-1", "hashes-2"} {
		files.damage(t, name, func(_ string, b []byte) []byte { b[len(b)/3] ^= 1; return b[:len(b)-1] })
	}
	write(t, files.path("segment-000000000"), []byte("left by a crash"))
	before := files.read(t)
	disk := crashable(before)
	read := func(disk vfs.FS) map[string][]byte {
		found := map[string][]byte{}
		for _, name := range must(disk.List("log")) {
			file := must(disk.Open("log/" + name))
			found[name] = must(io.ReadAll(file))
			must(0, file.Close())
		}
		return found
	}
	random, sources := rand.New(rand.NewPCG(79, 1)), []outcomes.Source{healthy.source("peer")}
	cuts := 0
	for writes, done := 0, false; !done; writes++ {
		if writes > 4 && writes < 250 && writes != 100 { // they write bundles to a file of its own
			continue
		}
		disk, left := disk.CrashClone(vfs.CrashCloneCfg{}), writes
		_, err := outcomes.Repair(t.Context(), memory{disk, &left}, healthy.start, healthy.at, sources)
		if done = err == nil; !done && !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		cuts++
		disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random})
		for name, content := range read(disk) {
			if !bytes.Equal(content, before[name]) && !bytes.Equal(content, want[name]) && name != "repairing" && name != "packing" {
				t.Errorf("after %d writes %s is neither the old nor the new file", writes, name)
			}
		}
		log, err := outcomes.Open(memory{FS: disk}, healthy.start, healthy.at)
		switch {
		case err == nil:
			must(0, log.Close())
		case !errors.Is(err, outcomes.ErrDamaged):
			t.Errorf("after %d writes a start says %v", writes, err)
		}
		report := must(outcomes.Repair(t.Context(), memory{FS: disk}, healthy.start, healthy.at, sources))
		if got := read(disk); !report.Whole() || !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("after %d writes, and another repair: %+v, files %s", writes, report, slices.Sorted(maps.Keys(got)))
		}
	}
	t.Logf("the power was cut %d times", cuts)
	if cuts < 30 {
		t.Error("too few cuts: this test tests little")
	}
}

// TestRepairEnds ends a repair by its context while another node hangs, and by an error of the disk that says nothing about the file.
func TestRepairEnds(t *testing.T) {
	t.Parallel()
	healthy := packed(t, 80)
	files := healthy.copied()
	must(0, os.Remove(files.path("packed-000000001")))
	before := files.read(t)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := outcomes.Source{Name: "peer", Fetch: func(ctx context.Context, _ string) ([]byte, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if _, err := outcomes.Repair(ctx, files, healthy.start, healthy.at, []outcomes.Source{hanging, hanging}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	equal(t, files, before)
	locked := lockedFiles{files, "packed-000000000", fs.ErrPermission}
	if _, err := outcomes.Repair(t.Context(), locked, healthy.start, healthy.at, []outcomes.Source{healthy.source("peer")}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that can't be read: %v", err)
	}
	equal(t, files, before)
	locked.err = syscall.EIO // a part of the disk is lost
	if report := must(outcomes.Repair(t.Context(), locked, healthy.start, healthy.at, []outcomes.Source{healthy.source("peer")})); !report.Whole() || len(report.Damaged) != 2 {
		t.Errorf("after an error of the disk: %+v", report)
	}
	equal(t, files, healthy.files.read(t))
}

// lockedFiles have a file that can't be read.
type lockedFiles struct {
	folder
	name string
	err  error
}

func (f lockedFiles) Open(name string) (outcomes.Reader, error) {
	if name == f.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
	}
	return f.folder.Open(name)
}
