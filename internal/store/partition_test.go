package store

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types/canon"
)

// TestEachHeightHasItsEpoch writes random stretches, some after a crash of those before, and finds each in the epoch that was the last
// when it was written.
func TestEachHeightHasItsEpoch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := newEpochs()
		e.least = rapid.Uint64Range(1, 20).Draw(t, "least")
		var written []uint16 // the epoch of each height
		for range rapid.IntRange(1, 50).Draw(t, "stretches") {
			e = e.next(uint64(len(written)) + 1)
			if e.next(uint64(len(written))+1).last() != e.last() {
				t.Fatal("a new epoch is over before it has begun")
			}
			if rapid.IntRange(0, 4).Draw(t, "crash") == 0 {
				continue // nothing was written, and the next one begins at the same height
			}
			for range rapid.IntRange(1, 5).Draw(t, "blocks") {
				written = append(written, e.last())
			}
			e.kept += rapid.Uint64Range(0, 10).Draw(t, "entries")
			again := epochs{least: e.least}
			if err := canon.Decode(canon.Encode(&e), &again); err != nil {
				t.Fatal(err)
			}
			e = again
		}
		for i, epoch := range written {
			if got := e.of(uint64(i) + 1); got != epoch {
				t.Fatalf("height %d is of epoch %d of %v, not %d", i+1, got, e.begins, epoch)
			}
		}
	})
}

// TestEpochsAreFew keeps a thousand million entries: what is looked for in all epochs is found soon however long a ledger lives.
func TestEpochsAreFew(t *testing.T) {
	t.Parallel()
	e := newEpochs()
	const stretch, all = 1 << 16, 1 << 30
	for height := uint64(1); e.kept < all; height++ {
		e = e.next(height)
		e.kept += stretch
	}
	if most := epochShare * (1 + math.Log(float64(all)/(epochShare*epochLeast))); float64(len(e.begins)) > most+1 {
		t.Errorf("%d epochs, want at most %.0f", len(e.begins), most)
	}
	if len(e.begins) < epochShare {
		t.Errorf("%d epochs: each new entry comes between too many", len(e.begins))
	}
}

// TestEpochNumbersEnd: keys hold an epoch's number in 16 bits. The last number stays in use for every later height.
func TestEpochNumbersEnd(t *testing.T) {
	t.Parallel()
	e := epochs{least: 1}
	for height := uint64(0); height < math.MaxUint16; height++ {
		e.begins = append(e.begins, height)
	}
	e.kept = math.MaxUint64
	last := e.next(math.MaxUint16)
	if len(last.begins) != math.MaxUint16+1 || last.last() != math.MaxUint16 {
		t.Fatalf("%d epochs, the last is %d: want one more", len(last.begins), last.last())
	}
	last.before = 0 // the last epoch has its share again
	full := last.next(math.MaxUint16 + 1)
	if len(full.begins) != len(last.begins) || full.last() != math.MaxUint16 || full.of(math.MaxUint64) != math.MaxUint16 {
		t.Errorf("%d epochs, the last is %d: want no more than the keys can number", len(full.begins), full.last())
	}
	again := epochs{}
	if err := canon.Decode(canon.Encode(&full), &again); err != nil {
		t.Errorf("the full list can't be read again: %v", err)
	}
}
