package store

import (
	"errors"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/types"
	"lockstep/types/canon"
)

// partitions divide append-only keyspaces with unordered keys by time: receipts, ended trades, the trades of a party. The keys of a
// partition are adjacent, so new keys sort among those of the newest partition alone, and the database need not rewrite older files. A
// lookup without a height scans the partitions, newest first.
//
// A new partition begins when the last one holds its share of all entries, so a ledger of any age has a few hundred at most.
type partitions struct {
	least  uint64   // entries of a partition
	kept   uint64   // entries in all partitions
	begins []uint64 // first height of each partition; 0 for the first one
	before uint64   // entries before the last partition began
}

const (
	minPartitionEntries = 1 << 20
	partitionShare      = 64
)

func newPartitions() partitions { return partitions{least: minPartitionEntries, begins: []uint64{0}} }

// next returns the partitions from a height on: with a new one if the last is full.
func (e partitions) next(height uint64) partitions {
	if e.kept-e.before < max(e.least, e.kept/partitionShare) || len(e.begins) > math.MaxUint16 {
		return e
	}
	e.begins, e.before = append(slices.Clip(e.begins), height), e.kept
	return e
}

// last returns the number of the newest partition.
func (e partitions) last() uint16 { return uint16(len(e.begins) - 1) }

// of returns the partition of the block at a height.
func (e partitions) of(height uint64) uint16 {
	at, begins := slices.BinarySearch(e.begins, height)
	if begins {
		return uint16(at)
	}
	return uint16(at - 1)
}

// find searches all partitions, newest first, for an entry; nil when none has it.
func (e partitions) find(reader pebble.Reader, key func(partition uint16) []byte) ([]byte, error) {
	for partition := len(e.begins) - 1; partition >= 0; partition-- {
		if value, err := get(reader, key(uint16(partition))); value != nil || err != nil {
			return value, err
		}
	}
	return nil, nil
}

// Fields is the stored form, see [canon.Value].
func (e *partitions) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "entries", &e.kept)
	canon.Number(c, "entries before the last partition", &e.before)
	canon.LongList(c, "partitions", &e.begins, math.MaxUint16+1, func(begin *uint64, c *canon.Coder) { canon.Number(c, "height", begin) })
}

// readPartitions reads the partitions of a store. Each flush writes them, so that only an empty store has none.
func readPartitions(reader pebble.Reader, empty bool) (partitions, error) {
	e := newPartitions()
	encoded, err := get(reader, partitionsKey())
	switch {
	case err != nil || encoded == nil && empty:
		return e, err
	case encoded == nil:
		return e, errors.New("its partitions are missing")
	}
	if err := types.Decode(encoded, &e); err != nil {
		return e, err
	}
	if len(e.begins) == 0 || e.begins[0] != 0 || !slices.IsSorted(e.begins) || e.before > e.kept {
		return e, errors.New("its partitions contradict each other")
	}
	return e, nil
}
