package store

import (
	"errors"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/types"
	"lockstep/types/canon"
)

// epochs divide by time what is kept for good under keys in no order: receipts, which trades are over, the trades of a party. The
// keys of an epoch stand together, so that new ones come between those of their own epoch alone, and the database need not write
// all the older ones again and again. Who knows no height looks through the epochs, the newest first.
//
// A new epoch begins when the last one has its share of all entries, so that there are few: some hundreds, however long a ledger
// lives.
type epochs struct {
	least  uint64   // entries of an epoch
	kept   uint64   // entries in all of them
	begins []uint64 // the height of the first block of each; the first begins at 0
	before uint64   // entries before the last one began
}

const (
	epochLeast = 1 << 20
	epochShare = 64
)

func newEpochs() epochs { return epochs{least: epochLeast, begins: []uint64{0}} }

// next is what holds from a height on: a new epoch begins there if it is time.
func (e epochs) next(height uint64) epochs {
	if e.kept-e.before < max(e.least, e.kept/epochShare) || len(e.begins) > math.MaxUint16 {
		return e
	}
	e.begins, e.before = append(slices.Clip(e.begins), height), e.kept
	return e
}

// last is the number of the newest epoch.
func (e epochs) last() uint16 { return uint16(len(e.begins) - 1) }

// of returns the epoch that holds what a block has brought.
func (e epochs) of(height uint64) uint16 {
	at, begins := slices.BinarySearch(e.begins, height)
	if begins {
		return uint16(at)
	}
	return uint16(at - 1)
}

// find looks for an entry in all epochs, the newest first; nil when it is in none.
func (e epochs) find(reader pebble.Reader, key func(epoch uint16) []byte) ([]byte, error) {
	for epoch := len(e.begins) - 1; epoch >= 0; epoch-- {
		if value, err := get(reader, key(uint16(epoch))); value != nil || err != nil {
			return value, err
		}
	}
	return nil, nil
}

// Fields is the stored form, see [canon.Value].
func (e *epochs) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "entries", &e.kept)
	canon.Number(c, "entries before the last epoch", &e.before)
	canon.LongList(c, "epochs", &e.begins, math.MaxUint16+1, func(begin *uint64, c *canon.Coder) { canon.Number(c, "height", begin) })
}

// readEpochs reads those of a store at a height. They are written whenever that is.
func readEpochs(reader pebble.Reader, height uint64) (epochs, error) {
	e := newEpochs()
	encoded, err := get(reader, epochsKey())
	switch {
	case err != nil || encoded == nil && height == 0:
		return e, err
	case encoded == nil:
		return e, errors.New("its epochs are lost")
	}
	if err := types.Decode(encoded, &e); err != nil {
		return e, err
	}
	if len(e.begins) == 0 || e.begins[0] != 0 || !slices.IsSorted(e.begins) || e.before > e.kept {
		return e, errors.New("its epochs contradict each other")
	}
	return e, nil
}
