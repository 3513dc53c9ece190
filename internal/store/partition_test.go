package store

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types/canon"
)

// TestPartitionOfHeight flushes random memtables, with crashes in between. Each height is in the partition that was the last one at its flush.
func TestPartitionOfHeight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := newPartitions()
		e.least = rapid.Uint64Range(1, 20).Draw(t, "least")
		var written []uint16 // the partition of each height
		for range rapid.IntRange(1, 50).Draw(t, "memtables") {
			e = e.next(uint64(len(written)) + 1)
			if e.next(uint64(len(written))+1).last() != e.last() {
				t.Fatal("a partition begins and ends at the same height")
			}
			if rapid.IntRange(0, 4).Draw(t, "crash") == 0 {
				continue // nothing was written, and the next one begins at the same height
			}
			for range rapid.IntRange(1, 5).Draw(t, "blocks") {
				written = append(written, e.last())
			}
			e.kept += rapid.Uint64Range(0, 10).Draw(t, "entries")
			again := partitions{least: e.least}
			if err := canon.Decode(canon.Encode(&e), &again); err != nil {
				t.Fatal(err)
			}
			e = again
		}
		for i, partition := range written {
			if got := e.of(uint64(i) + 1); got != partition {
				t.Fatalf("height %d is of partition %d of %v, not %d", i+1, got, e.begins, partition)
			}
		}
	})
}

// TestPartitionCount adds a billion entries: the number of partitions, which a lookup scans, stays small.
func TestPartitionCount(t *testing.T) {
	t.Parallel()
	e := newPartitions()
	const memtable, all = 1 << 16, 1 << 30
	for height := uint64(1); e.kept < all; height++ {
		e = e.next(height)
		e.kept += memtable
	}
	if most := partitionShare * (1 + math.Log(float64(all)/(partitionShare*minPartitionEntries))); float64(len(e.begins)) > most+1 {
		t.Errorf("%d partitions, want at most %.0f", len(e.begins), most)
	}
	if len(e.begins) < partitionShare {
		t.Errorf("%d partitions: too many entries sort beside a new one", len(e.begins))
	}
}

// TestLastPartitionNumber: keys hold the number of a partition in 16 bits. All later heights use the last number.
func TestLastPartitionNumber(t *testing.T) {
	t.Parallel()
	e := partitions{least: 1}
	for height := uint64(0); height < math.MaxUint16; height++ {
		e.begins = append(e.begins, height)
	}
	e.kept = math.MaxUint64
	last := e.next(math.MaxUint16)
	if len(last.begins) != math.MaxUint16+1 || last.last() != math.MaxUint16 {
		t.Fatalf("%d partitions, the last is %d: want one more", len(last.begins), last.last())
	}
	last.before = 0 // the last partition has its share again
	full := last.next(math.MaxUint16 + 1)
	if len(full.begins) != len(last.begins) || full.last() != math.MaxUint16 || full.of(math.MaxUint64) != math.MaxUint16 {
		t.Errorf("%d partitions, the last is %d: want no more than the keys can number", len(full.begins), full.last())
	}
	again := partitions{}
	if err := canon.Decode(canon.Encode(&full), &again); err != nil {
		t.Errorf("the full list can't be read again: %v", err)
	}
}
