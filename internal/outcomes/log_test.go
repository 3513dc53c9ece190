package outcomes_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

const segment = 1 << 16

// reference is the tree over the leaves as package tlog keeps it.
type reference []tlog.Hash

func (r *reference) add(leaf []byte, index int) error {
	hashes, err := tlog.StoredHashes(int64(index), leaf, r)
	*r = append(*r, hashes...)
	return err
}

func (r *reference) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, index := range indexes {
		found = append(found, (*r)[index])
	}
	return found, nil
}

// TestTree grows a log by batches of all sizes, over the border of a segment, and compares roots, proofs, leaves, tiles and bundles with those of
// package tlog.
func TestTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	if head := w.at.Head(); head.Size != 0 || head.Root != types.Hash(must(tlog.TreeHash(0, nil))) {
		t.Errorf("an empty log stands at %+v", head)
	}
	var tree reference
	for _, count := range []int{1, 0, 1, 14, 1, 239, 1, 255, 256, 700, segment - 1500, 20, 600, segment} {
		before := len(w.leaves)
		w.grow(count)
		for i, leaf := range w.leaves[before:] {
			if err := tree.add(leaf, before+i); err != nil {
				t.Fatal(err)
			}
		}
		size := int64(len(w.leaves))
		if head := w.at.Head(); head.Size != uint64(size) || head.Root != types.Hash(must(tlog.TreeHash(size, &tree))) {
			t.Fatalf("%d leaves: the log stands at %+v", size, head)
		}
		for range 40 {
			w.compare(&tree, uint64(w.random.IntN(len(w.leaves))), uint64(size))
		}
		w.compare(&tree, uint64(size-1), uint64(size))
	}
	w.check()
	w.reopen(w.at)
	w.check()
	for range 100 {
		size := 1 + w.random.IntN(len(w.leaves))
		w.compare(&tree, uint64(w.random.IntN(size)), uint64(size))
	}
	w.compareTiles(&tree)
	w.walk()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// compare looks at one leaf in the tree of a size.
func (w *world) compare(tree *reference, index, size uint64) {
	w.t.Helper()
	leaf, err := w.log.Leaf(index)
	if err != nil || !bytes.Equal(leaf, w.leaves[index]) {
		w.t.Fatalf("leaf %d of %d is %q (%v)", index, size, leaf, err)
	}
	head := types.LogHead{Size: size, Root: types.Hash(must(tlog.TreeHash(int64(size), tree)))}
	if root, err := w.log.Root(size); err != nil || root != head.Root {
		w.t.Fatalf("the root of %d leaves is %s (%v), not %s", size, root, err, head.Root)
	}
	path, err := w.log.Prove(index, size)
	if err != nil || !outcomes.Proves(leaf, index, path, head) {
		w.t.Fatalf("leaf %d of %d is not proved (%v)", index, size, err)
	}
	if len(path) > 0 {
		path[w.random.IntN(len(path))][w.random.IntN(32)] ^= 1
	} else {
		path = append(path, types.Hash{})
	}
	if outcomes.Proves(leaf, index, path, head) || outcomes.Proves(leaf, size, path, head) {
		w.t.Fatalf("leaf %d of %d is proved by another path", index, size)
	}
}

// compareTiles reads each tile and each bundle.
func (w *world) compareTiles(tree *reference) {
	w.t.Helper()
	for _, tile := range tlog.NewTiles(8, 0, int64(len(w.leaves))) {
		want := must(tlog.ReadTileData(tile, tree))
		got, err := w.log.Tile(tile.L, uint64(tile.N), uint64(tile.W))
		if err != nil || !bytes.Equal(got, want) {
			w.t.Fatalf("tile %+v has %d bytes (%v)", tile, len(got), err)
		}
		if tile.L > 0 {
			continue
		}
		var bundle []byte
		for _, leaf := range w.leaves[tile.N*256:][:tile.W] {
			bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))), leaf...)
		}
		if got, err := w.log.Bundle(uint64(tile.N), uint64(tile.W)); err != nil || !bytes.Equal(got, bundle) {
			w.t.Fatalf("bundle %d has %d bytes (%v)", tile.N, len(got), err)
		}
		if tile.W < 256 {
			continue
		}
		if part, err := w.log.Bundle(uint64(tile.N), 3); err != nil || !bytes.HasPrefix(bundle, part) || len(part) == 0 {
			w.t.Fatalf("a part of bundle %d has %d bytes (%v)", tile.N, len(part), err)
		}
	}
}

func (w *world) walk() {
	w.t.Helper()
	next := uint64(250)
	err := w.log.Walk(next, uint64(len(w.leaves)), func(index uint64, leaf []byte) error {
		if index != next || !bytes.Equal(leaf, w.leaves[index]) {
			w.t.Fatalf("leaf %d comes as %d", next, index)
		}
		next++
		return nil
	})
	if err != nil || next != uint64(len(w.leaves)) {
		w.t.Fatalf("the walk ends at leaf %d (%v)", next, err)
	}
}

// TestCutAtStart: leaves behind the mark go, whichever they are, and a log that goes on differently is as if they had never been.
func TestCutAtStart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	w := newWorld(t, 2)
	w.grow(segment - 40)
	var marks []outcomes.Mark
	for _, count := range []int{0, 3, 30, 7, 5, 300, segment - 305, 1, 1} { // up to both sides of the border of a segment, and on it
		w.grow(count)
		marks = append(marks, w.at)
	}
	w.grow(segment + 100)
	for _, mark := range slices.Backward(marks) {
		w.grow(500)
		w.reopen(mark)
		w.check()
		w.grow(20)
		w.check()
		w.reopen(mark)
		w.check()
	}
}

// TestDamagedLog changes one file at a time. Each change is named, by the start or by the check.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.grow(segment + 1000)
	w.close()
	for _, damage := range []struct {
		file    string
		change  func([]byte) []byte
		finding string // of the start, or else of the check
	}{
		{"segment-000000001", cutBy(1), "segment-000000001: it has"},
		{"segment-000000001", flip(100), "segment-000000001: its leaves"},
		{"segment-000000001", flip(0), "segment-000000001"},
		{"segment-000000000", cutBy(1), "segment-000000000: it has"},
		{"segment-000000000", remove, "segment-000000000: it has 0 bytes"},
		{"segment-000000000", more, "segment-000000000: it has"},
		{"segment-000000000", flip(3000), "segment-000000000: leaves 0 to 256 are not"},
		{"segment-000000000", flip(0), "segment-000000000"},
		{"segment-000000000", flip(1_000_000), "segment-000000000: leaves"},
		{"hashes-1", flip(5), "hashes-1: it is not that of leaves 0 to 256"},
		{"hashes-2", flip(4), "hashes-2: it is not that of leaves 65280 to 65536"},
		{"offsets-000000000", flip(7), "offsets-000000000: it is not that of leaves 0 to 256"},
		{"hashes-1", cutBy(1), ""}, // made again
		{"hashes-2", remove, ""},
		{"offsets-000000000", cutBy(9), ""},
		{"offsets-000000000", more, ""}, // nothing reads so far
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
	w.open()
	w.check()
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	var err error
	if content == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove([]byte) []byte       { return nil }
func more(content []byte) []byte { return append(content, 1, 2, 3) }

func cutBy(n int) func([]byte) []byte {
	return func(content []byte) []byte { return content[:len(content)-n] }
}

func flip(at int) func([]byte) []byte {
	return func(content []byte) []byte { content[at] ^= 4; return content }
}

// TestLimits asks for leaves that are not there, and appends leaves that don't follow.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.grow(300)
	for name, ask := range map[string]func() error{
		"a leaf":   func() error { _, err := w.log.Leaf(300); return err },
		"a proof":  func() error { _, err := w.log.Prove(300, 301); return err },
		"a root":   func() error { _, err := w.log.Root(301); return err },
		"a tile":   func() error { _, err := w.log.Tile(1, 0, 2); return err },
		"a level":  func() error { _, err := w.log.Tile(8, 0, 1); return err },
		"a bundle": func() error { _, err := w.log.Bundle(1, 45); return err },
		"a batch":  func() error { return w.log.Append(must(outcomes.Mark{}.Extend([][]byte{{1}}))) },
		"too long": func() error { _, err := w.at.Extend([][]byte{make([]byte, types.MaxOutcome+1)}); return err },
	} {
		if ask() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := w.at.Extend([][]byte{make([]byte, types.MaxOutcome)}); err != nil {
		t.Error(err)
	}
	for name, mark := range map[string]outcomes.Mark{
		"no peak": {Size: 1, Bytes: 1}, "no bytes": {Size: 1, Peaks: make([]types.Hash, 1)}, "bytes of nothing": {Bytes: 1},
	} {
		if mark.Valid() {
			t.Errorf("%s: said to be valid", name)
		}
	}
	if !w.at.Valid() || !(&outcomes.Mark{}).Valid() {
		t.Error("a mark is said not to be valid")
	}
}
