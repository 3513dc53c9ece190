package outcomes_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

// tree returns the reference tree over the leaves.
func (w *world) tree() *reference {
	var tree reference
	for i, leaf := range w.leaves {
		if err := tree.add(leaf, i); err != nil {
			w.t.Fatal(err)
		}
	}
	return &tree
}

// TestJoinedLog continues logs from marks of all kinds without the leaves before. Leaves and proofs behind the mark are as those of the whole log, also after a start and
// after a pruning; those before it are refused.
func TestJoinedLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	whole := newWorld(t, 4)
	var marks []outcomes.Mark
	for _, count := range []int{0, 1, 4, 11, 1, 238, 1, 700, segment - 957, 1, 4000, 17} {
		whole.grow(count)
		marks = append(marks, whole.at)
	}
	whole.grow(segment + 500)
	tree := whole.tree()
	for _, mark := range marks {
		w := &world{t: t, files: folder(t.TempDir()), random: whole.random, start: outcomes.Start{First: mark.Size, Joined: mark}, at: mark}
		w.open()
		for _, until := range []uint64{mark.Size, mark.Size + 3, mark.Size + 300, uint64(len(whole.leaves))} {
			batch := must(w.at.Extend(whole.leaves[w.at.Size:until]))
			must(0, w.log.Append(batch))
			w.at = batch.To
		}
		if w.at.Head() != whole.at.Head() {
			t.Fatalf("joined at %d, the log stands elsewhere", mark.Size)
		}
		w.leaves = whole.leaves
		w.compareAll(tree)
		w.reopen(w.at)
		w.compareAll(tree)
		w.prune(segment + 1)
		w.compareAll(tree)
		w.close()
	}
}

// compareAll compares leaves of a log, and those at its edges, and wants those before its start refused.
func (w *world) compareAll(tree *reference) {
	w.t.Helper()
	w.check()
	first, size := w.log.Kept(), w.at.Size
	for _, index := range []uint64{first, first + 1, first + 15, first + 16, size - 1, first + w.random.Uint64N(size-first), first + w.random.Uint64N(size-first)} {
		if index < size {
			w.compare(tree, index, index+1)
			w.compare(tree, index, size)
		}
	}
	for _, index := range []uint64{0, first - 1} {
		if first == 0 {
			continue
		}
		if _, err := w.log.Leaf(index); types.CodeOf(err) != types.CodePruned {
			w.t.Errorf("leaf %d of a log from %d on: %v", index, first, err)
		}
		if _, err := w.log.Bundle(index/256, 1); types.CodeOf(err) != types.CodePruned {
			w.t.Errorf("the bundle of leaf %d of a log from %d on: %v", index, first, err)
		}
	}
}

// prune removes the segments before a leaf.
func (w *world) prune(before uint64) {
	w.t.Helper()
	w.start = w.log.Prunable(before)
	if err := w.log.Prune(w.start); err != nil {
		w.t.Fatal(err)
	}
}

// TestPrunedLog removes segments. Proofs of the leaves that stay are as before, and the hashes of the others are checked.
func TestPrunedLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.grow(3*segment + 20)
	tree := w.tree()
	for _, prune := range []struct{ before, first uint64 }{
		{segment - 1, 0}, {segment, segment}, {2*segment - 1, segment}, {1 << 40, 3 * segment}, {segment, 3 * segment},
	} {
		w.prune(prune.before)
		if w.log.Kept() != prune.first {
			t.Fatalf("pruned before leaf %d, the log begins at %d, not %d", prune.before, w.log.Kept(), prune.first)
		}
		w.compareAll(tree)
		w.reopen(w.at)
		w.compareAll(tree)
	}
	names := must(w.files.List())
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "hashes-1 hashes-2 offsets-000000003 segment-000000003" {
		t.Errorf("the files %s are left", got)
	}
	w.close()
	write(t, w.files.path("segment-000000001"), []byte("left by a crash"))
	w.open()
	if _, err := os.Stat(w.files.path("segment-000000001")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a start leaves a segment that was pruned")
	}
	w.close()
	for _, damage := range []struct {
		file    string
		change  func([]byte) []byte
		finding string
	}{
		{"hashes-1", flip(5), "hashes-1: its hashes of leaves 0 to 65536"},
		{"hashes-1", flip(32 * 700), "hashes-1: its hashes of leaves 131072 to 196608"},
		{"hashes-2", flip(40), "hashes-1: its hashes of leaves 65536"},
		{"hashes-1", remove, "hashes-1: it has 0 bytes"},
		{"hashes-2", cutBy(1), "hashes-2: it has"},
		{"offsets-000000003", remove, ""}, // made again
	} {
		path := w.files.path(damage.file)
		content := must(os.ReadFile(path))
		write(t, path, damage.change(slices.Clone(content)))
		log, err := outcomes.Open(w.files, w.start, w.at)
		if err == nil {
			err = log.Check(w.at)
			must(0, log.Close())
		}
		switch {
		case damage.finding == "" && err != nil:
			t.Errorf("%s: %v", damage.file, err)
		case damage.finding != "" && (err == nil || !errors.Is(err, outcomes.ErrDamaged) || !strings.Contains(err.Error(), damage.finding)):
			t.Errorf("%s: found %v, want %q", damage.file, err, damage.finding)
		}
		write(t, path, content)
	}
	for _, start := range []outcomes.Start{{First: 5}, {First: 4 * segment}, {First: segment, Joined: w.at}} {
		if _, err := outcomes.Open(w.files, start, w.at); !errors.Is(err, outcomes.ErrDamaged) {
			t.Errorf("a log that begins at %d: %v", start.First, err)
		}
	}
	w.open()
	w.check()
}
