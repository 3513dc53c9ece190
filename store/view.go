package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/ledger"
)

// view is the state part of a database or a snapshot of one, at a height. As [ledger.View] asks, it panics when it can't
// read.
type view struct {
	pebble.Reader
	cache  *cache // nil: of no use here
	height uint64
}

// View reads the state as of the last block, for the rules. It must not be in use while a block is committed.
func (s *Store) View() ledger.View { return view{s.db, s.cache, s.Height()} }

// Get implements [ledger.View].
func (v view) Get(key string) ledger.Value {
	if v.cache != nil {
		if value, known := v.cache.get(key, v.height); known {
			return value
		}
	}
	encoded, err := get(v.Reader, stateKey(key))
	if err != nil {
		panic(fmt.Sprintf("store: read: %v", err))
	}
	return ledger.Value{Encoded: encoded}
}

// Ascend implements [ledger.View].
func (v view) Ascend(from, to string, visit func(key string, value []byte) bool) {
	err := scan(v.Reader, stateKey(from), stateKey(to), func(key, value []byte) bool {
		return visit(string(key[1:]), append([]byte{}, value...))
	})
	if err != nil {
		panic(fmt.Sprintf("store: read: %v", err))
	}
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
