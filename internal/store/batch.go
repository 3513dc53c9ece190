package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// sortedBatch collects changes of entries for one atomic write, in any order. The database sorts a large batch itself, which takes longer
// than here, unless it is in order already. Of two changes of a key the later one holds.
type sortedBatch struct {
	entries []batched
	order   []place // of the entries, by their keys once the batch is committed
}

// batched is the change of an entry.
type batched struct {
	key     []byte
	value   []byte
	removed bool
}

// place is an entry of the batch. The begin of its key tells it from most others.
type place struct {
	begin uint64
	index int
}

func (b *sortedBatch) set(key, value []byte) { b.add(batched{key: key, value: value}) }

func (b *sortedBatch) remove(key []byte) { b.add(batched{key: key, removed: true}) }

func (b *sortedBatch) add(entry batched) {
	var begin [8]byte
	copy(begin[:], entry.key)
	b.order = append(b.order, place{binary.BigEndian.Uint64(begin[:]), len(b.entries)})
	b.entries = append(b.entries, entry)
}

// commit writes the changes in the order of their keys.
func (b *sortedBatch) commit(db *pebble.DB, sync *pebble.WriteOptions) (err error) {
	slices.SortFunc(b.order, func(x, y place) int {
		if x.begin != y.begin {
			return cmp.Compare(x.begin, y.begin)
		}
		return cmp.Or(bytes.Compare(b.entries[x.index].key, b.entries[y.index].key), cmp.Compare(x.index, y.index))
	})
	const perBatch, perEntry = 64, 1 + 2*binary.MaxVarintLen32 // its header, and the kind and lengths of an entry, at most
	size := perBatch
	for i := range b.entries {
		size += perEntry + len(b.entries[i].key) + len(b.entries[i].value)
	}
	batch := db.NewBatchWithSize(size)
	for _, at := range b.order {
		if entry := &b.entries[at.index]; entry.removed {
			err = batch.Delete(entry.key, nil)
		} else {
			err = batch.Set(entry.key, entry.value, nil)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = batch.Commit(sync)
	}
	return errors.Join(err, batch.Close())
}
