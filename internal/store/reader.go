package store

import (
	"bytes"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
)

// stateReader reads the state at a height. It panics when the disk can't be read, as [ledger.View] requires.
type stateReader struct {
	pebble.Reader             // the disk, at that height or an earlier one
	unwritten     []*memtable // memtables on top of the disk, newest first; a snapshot may have one that is flushed
	cache         *cache      // of flushed values; nil for none
	height        uint64
	keeps         bool   // it reads for the rules: what it uses stays in the cache
	flushes       uint64 // of the cache, when the reader was made
}

// StateReader reads the state at the last block, for the rules. Don't use it while a block is committed: it would leave later values in the
// cache.
func (s *Store) StateReader() ledger.View {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.reader(s.db, true)
}

// reader reads the state at the last block, from the disk as it is now. The caller holds s.mu.
func (s *Store) reader(disk pebble.Reader, keeps bool) stateReader {
	return stateReader{disk, s.unwritten(), s.cache, s.position.height, keeps, s.cache.begun()}
}

// base is the height at which the reader sees the disk, but for its memtables.
func (r stateReader) base() uint64 { return r.unwritten[len(r.unwritten)-1].base }

// Get implements [ledger.View].
func (r stateReader) Get(key string) ledger.Value {
	if value, known := r.inMemory(key); known {
		return value
	}
	encoded, err := get(r.Reader, stateKey(key))
	if err != nil {
		panic(fmt.Sprintf("store: read: %v", err))
	}
	value := ledger.Value{Encoded: encoded}
	if r.keeps {
		r.cache.keep(key, value, r.base(), r.flushes)
	}
	return value
}

// inMemory returns the value of a key from the memtables or the cache; false when neither has it.
func (r stateReader) inMemory(key string) (value ledger.Value, known bool) {
	for _, memtable := range r.unwritten {
		if value, known = memtable.get(key, r.height); known {
			return value, true
		}
	}
	return r.cache.get(key, r.height, r.keeps)
}

// Ascend implements [ledger.View]. The range lies within the keys of one kind.
func (r stateReader) Ascend(from, to string, visit func(key string, value ledger.Value) bool) {
	changed, going := r.changed(from, to), true
	err := scan(r.Reader, stateKey(from), stateKey(to), func(key, value []byte) bool {
		at := string(key[1:])
		for len(changed) > 0 && changed[0].key < at && going {
			going = changed[0].visit(visit)
			changed = changed[1:]
		}
		switch {
		case !going:
		case len(changed) > 0 && changed[0].key == at:
			going = changed[0].visit(visit)
			changed = changed[1:]
		default:
			going = visit(at, r.onDisk(at, value))
		}
		return going
	})
	if err != nil {
		panic(fmt.Sprintf("store: read: %v", err))
	}
	for i := 0; i < len(changed) && going; i++ {
		going = changed[i].visit(visit)
	}
}

// onDisk returns the value of an entry on the disk, decoded if the cache has it.
func (r stateReader) onDisk(key string, encoded []byte) ledger.Value {
	if value, known := r.cache.get(key, r.height, false); known {
		return value
	}
	return ledger.Value{Encoded: bytes.Clone(encoded)}
}

func (s stored) visit(visit func(key string, value ledger.Value) bool) bool {
	return s.value.Encoded == nil || visit(s.key, s.value)
}

// changed returns the entries of the memtables in a range, in key order.
func (r stateReader) changed(from, to string) []stored {
	var all []stored
	for i := len(r.unwritten) - 1; i >= 0; i-- {
		all = merge(all, r.unwritten[i].within(from, to, r.height))
	}
	return all
}

// merge merges two ordered lists. The later entry wins where both have a key.
func merge(earlier, later []stored) []stored {
	if len(earlier) == 0 {
		return later
	}
	all := make([]stored, 0, len(earlier)+len(later))
	for _, entry := range later {
		for len(earlier) > 0 && earlier[0].key < entry.key {
			all, earlier = append(all, earlier[0]), earlier[1:]
		}
		if len(earlier) > 0 && earlier[0].key == entry.key {
			earlier = earlier[1:]
		}
		all = append(all, entry)
	}
	return append(all, earlier...)
}

// scan visits the keys in [from, to) in order until visit returns false. Key and value are only valid during the visit.
func scan(reader pebble.Reader, from, to []byte, visit func(key, value []byte) bool) (err error) {
	iterator, err := reader.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := iterator.Close(); err == nil {
			err = closeErr
		}
	}()
	for valid := iterator.First(); valid; valid = iterator.Next() {
		value, err := iterator.ValueAndErr()
		if err != nil {
			return err
		}
		if !visit(iterator.Key(), value) {
			return nil
		}
	}
	return iterator.Error()
}
