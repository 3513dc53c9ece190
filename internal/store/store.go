package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/disk"
	"lockstep/types"
)

// formatVersion is the version of the layout in keys.go.
const formatVersion = "lockstep-store-7"

// mostFiles are open at once, where the process may open so many.
const mostFiles = 1000

// bloomBits a key tell that it is absent without a read, but for one time in a hundred.
const bloomBits = 10

// Store is a ledger on disk. It is safe for concurrent use by one writer ([Store.Stage], [Staged.Commit]) and any number
// of readers.
//
// Blocks are written some at a time, behind the last one: what is committed is seen at once by all readers and is on the
// disk soon after. After a crash the store stands at an earlier block, whole, and whoever keeps the blocks commits the
// rest again.
type Store struct {
	db     *pebble.DB
	lock   *pebble.Lock
	guard  *guard
	dir    string
	params types.Params
	memory Memory
	cache  *cache

	writing  sync.Mutex     // held while a stretch is written
	flushing sync.WaitGroup // writes behind the last block

	mu         sync.RWMutex // guards what follows; the database guards itself
	head       head
	commitment types.Hash
	epochs     epochs   // of what is written, and of what is to be
	recent     *stretch // takes the next block
	older      *stretch // is being written; nil when none is
	failed     error    // to write: nothing is committed any more
}

// Open opens the store in a folder, or makes one there. The parameters must be those that it was made with. It takes
// MinMemory at least.
func Open(dir string, params types.Params, memory Memory, logger *slog.Logger) (*Store, error) {
	if err := params.Check(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", disk.Explain(dir, err))
	}
	lock, err := pebble.LockDirectory(dir, vfs.Default)
	if err != nil {
		return nil, lockedError(dir, err)
	}
	s := &Store{lock: lock, guard: newGuard(dir, logger), dir: dir, params: params, memory: max(memory, MinMemory)}
	if err := s.guard.call(s.open); err != nil {
		if s.guard.state() != nil {
			return nil, err // the database is at work for good; it ends with the process
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open() (err error) {
	cache := pebble.NewCache(s.memory.blocks())
	defer cache.Unref() // the database holds its own reference
	options := &pebble.Options{
		Lock: s.lock, Cache: cache, Logger: s.guard, EventListener: s.guard.events(), FormatMajorVersion: pebble.FormatNewest,
		MemTableSize: s.memory.table(), MaxOpenFiles: min(mostFiles, disk.Files()*3/8),
	}
	for i := range options.Levels { // the rules often ask for what is not there
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	s.db, err = pebble.Open(s.dir, options)
	if err != nil {
		return openError(s.dir, err)
	}
	if err := s.checkFormat(); err != nil {
		return err
	}
	return s.loadHead()
}

// checkFormat compares format and parameters with those of the first opening, or writes them when this is it.
func (s *Store) checkFormat() error {
	version, err := get(s.db, formatKey())
	if err != nil {
		return openError(s.dir, err)
	}
	if version == nil {
		return s.writeFormat()
	}
	if string(version) != formatVersion {
		return formatError(s.dir, version)
	}
	encoded, err := get(s.db, paramsKey())
	if err != nil {
		return openError(s.dir, err)
	}
	if bytes.Equal(encoded, types.Encode(&s.params)) {
		return nil
	}
	var stored types.Params
	if err := types.Decode(encoded, &stored); err != nil {
		return damagedError(s.dir, err)
	}
	if stored.ChainID != s.params.ChainID {
		return paramsError(s.dir, fmt.Sprintf("chain %q, not %q", stored.ChainID, s.params.ChainID))
	}
	return paramsError(s.dir, "the chain id is the same: is the genesis file the one it was started with?")
}

func (s *Store) writeFormat() error {
	batch := s.db.NewBatch()
	defer batch.Close()
	err := errors.Join(
		batch.Set(formatKey(), []byte(formatVersion), nil),
		batch.Set(paramsKey(), types.Encode(&s.params), nil),
		batch.Commit(pebble.Sync),
	)
	if err != nil {
		return fmt.Errorf("make store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) loadHead() (err error) {
	if s.head, err = readHead(s.db); err != nil {
		return openError(s.dir, err)
	}
	if s.epochs, err = readEpochs(s.db, s.head.height); err != nil {
		return openError(s.dir, err)
	}
	s.epochs = s.epochs.next(s.head.height + 1)
	s.commitment = s.head.accumulator.Commitment(s.head.height, &s.params)
	s.cache, s.recent = newCache(s.memory.values()), newStretch(s.head.height, s.epochs)
	return nil
}

// Failed is closed when the database can't go on, such as on a full disk. Then nothing is committed any more.
func (s *Store) Failed() <-chan struct{} { return s.guard.failed }

// Failure tells why, nil while it can.
func (s *Store) Failure() error { return s.guard.state() }

// Close writes what is not written yet and closes the store. Tips and snapshots must have been closed before. One whose
// database has failed is left to the end of the process.
func (s *Store) Close() error {
	if err := s.guard.state(); err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	var err error
	s.flushing.Wait() // before the store looks at what is not written yet
	if s.recent != nil {
		err = s.Flush()
	}
	if s.db != nil {
		err = errors.Join(err, s.guard.call(s.db.Close))
		s.db, s.recent = nil, nil
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	if err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}

// Params returns the rules' numbers.
func (s *Store) Params() types.Params { return s.params }

// Height is the height of the last block, zero before the first.
func (s *Store) Height() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head.height
}

// Commitment is what the last block commits to (the app hash).
func (s *Store) Commitment() types.Hash {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.commitment
}

// get returns the value under a key, or nil. It asks the filters of all levels: the database's own Get asks none of the last level,
// where most of a large store is, and what is not there would cost it the reading of a block.
func get(reader pebble.Reader, key []byte) (value []byte, err error) {
	iterator, err := reader.NewIter(&pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, iterator.Close()) }()
	if !iterator.SeekPrefixGE(key) || !bytes.Equal(iterator.Key(), key) {
		return nil, iterator.Error()
	}
	found, err := iterator.ValueAndErr()
	return append([]byte{}, found...), err
}
