package store

import (
	"bytes"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
)

// view is the state at a height. As [ledger.View] asks, it panics when it can't read.
type view struct {
	pebble.Reader            // what is on the disk: of that height, or of an earlier one
	unwritten     []*stretch // what came after that, newest first; of a snapshot, what is at hand of it as well
	cache         *cache     // of what is on the disk; nil: of no use here
	height        uint64
}

// View reads the state as of the last block, for the rules. It must not be in use while a block is committed.
func (s *Store) View() ledger.View {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return view{s.db, s.unwritten(), s.cache, s.head.height}
}

// Get implements [ledger.View].
func (v view) Get(key string) ledger.Value {
	if value, known := v.atHand(key); known {
		return value
	}
	encoded, err := get(v.Reader, stateKey(key))
	if err != nil {
		panic(fmt.Sprintf("store: read: %v", err))
	}
	return ledger.Value{Encoded: encoded}
}

// atHand looks for a value in memory.
func (v view) atHand(key string) (value ledger.Value, known bool) {
	for _, stretch := range v.unwritten {
		if value, known = stretch.get(key, v.height); known {
			return value, true
		}
	}
	return v.cache.get(key, v.height)
}

// Ascend implements [ledger.View]. Both ends of the range lie within one kind of key, or the end is where the next begins.
func (v view) Ascend(from, to string, visit func(key string, value ledger.Value) bool) {
	changed, going := v.changed(from, to), true
	err := scan(v.Reader, stateKey(from), stateKey(to), func(key, value []byte) bool {
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
			going = visit(at, v.onDisk(at, value))
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

// onDisk is what the disk has under a key, decoded if that is at hand.
func (v view) onDisk(key string, encoded []byte) ledger.Value {
	if value, known := v.cache.get(key, v.height); known {
		return value
	}
	return ledger.Value{Encoded: bytes.Clone(encoded)}
}

func (s stored) visit(visit func(key string, value ledger.Value) bool) bool {
	return s.value.Encoded == nil || visit(s.key, s.value)
}

// changed lists what is not on the disk of a range, in order.
func (v view) changed(from, to string) []stored {
	var all []stored
	for i := len(v.unwritten) - 1; i >= 0; i-- {
		all = merge(all, v.unwritten[i].within(from, to, v.height))
	}
	return all
}

// merge puts two ordered lists together; the later is right where both tell of a key.
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
