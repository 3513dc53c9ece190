package outcomes_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

// told is a log with one outcome each second, of which every fifth comes together with the one before.
func told(t *testing.T, count int) *world {
	t.Helper()
	w := newWorld(t, uint64(count))
	leaves := make([][]byte, count)
	for i := range leaves {
		outcome := types.Outcome{Height: uint64(i), At: atOf(i), Effects: []types.Effect{&types.Noted{Event: types.EventIssued.Number()}}}
		leaves[i] = types.Encode(&outcome)
	}
	batch, err := w.at.Extend(leaves)
	if err == nil {
		err = w.log.Append(batch)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.at, w.leaves = batch.To, leaves
	return w
}

func atOf(i int) types.Time {
	if i%5 == 4 {
		i--
	}
	return types.Time(1_780_000_000_000 + 1000*i)
}

func (w *world) fetch(path string) ([]byte, error) { return w.log.File(path, w.at.Size) }

// scanned are the heights of the outcomes in a range.
func (w *world) scanned(from, to uint64) (heights []uint64, err error) {
	for outcome, err := range outcomes.Scan(w.at.Head(), from, to, w.fetch) {
		if err != nil {
			return heights, err
		}
		heights = append(heights, outcome.Height)
	}
	return heights, nil
}

// TestScan: every range is read in order, from full and unfinished bundles.
func TestScan(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 255, 256, 257, 600} {
		w := told(t, size)
		for _, from := range []int{0, 1, 200, 256, size - 1, size} {
			for _, to := range []int{0, 1, 256, 300, size} {
				if from > size || to > size {
					continue
				}
				var want []uint64
				for i := from; i < to; i++ {
					want = append(want, uint64(i))
				}
				if got, err := w.scanned(uint64(from), uint64(to)); err != nil || !slices.Equal(got, want) {
					t.Fatalf("leaves %d to %d of %d: %d came, %v", from, to, size, len(got), err)
				}
			}
		}
	}
}

// TestLeafSince compares the search with a scan.
func TestLeafSince(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 256, 517} {
		w := told(t, size)
		for at := atOf(0) - 1000; at <= atOf(size)+1000; at += 500 {
			want := 0
			for want < size && atOf(want) < at {
				want++
			}
			if got, err := outcomes.LeafSince(w.at.Head(), at, w.fetch); err != nil || got != uint64(want) {
				t.Fatalf("%s of %d leaves: leaf %d, want %d: %v", at, size, got, want, err)
			}
		}
	}
}

// TestPrunedSince: a log whose first leaves are pruned is asked for moments that it keeps, and for those before.
func TestPrunedSince(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const size, first = 2000, 512
	w := told(t, size)
	pruned := func(path string) ([]byte, error) {
		if path == "tile/entries/000" || path == "tile/entries/001" {
			return nil, fmt.Errorf("asked over HTTP: %w", types.Refuse(types.CodePruned, "outcomes from %d on are kept", first))
		}
		return w.fetch(path)
	}
	for i := range size {
		want, err := outcomes.LeafSince(w.at.Head(), atOf(i), w.fetch)
		if err != nil {
			t.Fatal(err)
		}
		got, err := outcomes.LeafSince(w.at.Head(), atOf(i), pruned)
		if kept := atOf(i) > atOf(first); kept && (err != nil || got != want) || !kept && types.CodeOf(err) != types.CodePruned {
			t.Fatalf("since leaf %d: leaf %d, want %d: %v", i, got, want, err)
		}
	}
}

// TestScanOfALiar: a leaf, a tile or a width that the checkpoint does not cover ends the scan.
func TestScanOfALiar(t *testing.T) {
	t.Parallel()
	w := told(t, 600)
	for _, lie := range []struct {
		path   string
		change func([]byte) []byte
	}{
		{"tile/entries/000", func(b []byte) []byte { b[40] ^= 1; return b }},
		{"tile/entries/002.p/88", func(b []byte) []byte { b[40] ^= 1; return b }},
		{"tile/entries/002.p/88", func(b []byte) []byte { return b[:len(b)-2-len(w.leaves[599])] }},
		{"tile/0/002.p/88", func(b []byte) []byte { b[0] ^= 1; return b }},
		{"tile/1/000.p/2", func(b []byte) []byte { b[0] ^= 1; return b }},
		{"tile/1/000.p/2", func(b []byte) []byte { return b[1:] }},
	} {
		var err error
		for _, err = range outcomes.Scan(w.at.Head(), 0, 600, func(path string) ([]byte, error) {
			content, err := w.fetch(path)
			if path == lie.path {
				content = lie.change(slices.Clone(content))
			}
			return content, err
		}) {
		}
		if err == nil {
			t.Errorf("a false %s is not found", lie.path)
		}
	}
	broken := errors.New("no network")
	for _, err := range outcomes.Scan(w.at.Head(), 0, 600, func(string) ([]byte, error) { return nil, broken }) {
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}
