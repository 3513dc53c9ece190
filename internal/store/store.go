package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// formatPrefix stands before [types.Format] in a store.
const formatPrefix = "lockstep-store-"

// mostFiles bounds the open files, if the process may open so many.
const mostFiles = 1000

// l0Levels is how many flushes lie on each other before they are merged: twice the database's default, which merges an eighth more bytes. Reads
// seldom come that far, as the newest values are in memory.
const l0Levels = 8

// indexBlock is the size, in bytes, up to which the index of a table is one block: one read less for each lookup.
const indexBlock = 256 << 10

// bloomBits per key give a false positive rate of about 1 %.
const bloomBits = 10

// Store is a ledger on disk. It is safe for concurrent use by one writer ([Store.Stage], [Staged.Commit]) and any number
// of readers.
//
// Readers see a committed block at once; a flush writes it to the disk some seconds later, together with others. After a crash the store
// is at an earlier whole block, and the engine, which keeps all blocks, commits the later ones again.
type Store struct {
	db     *pebble.DB
	lock   *pebble.Lock
	guard  *guard
	files  vfs.FS
	dir    string
	params types.Params // of genesis
	memory Memory
	cache  *cache
	log    *outcomes.Log

	checkpoints ledger.Checkpoints
	captures    captures

	writing   sync.Mutex     // held during a flush
	balances  *knownBalances // for flushes
	flushing  sync.WaitGroup // background flushes
	reclaimed uint64         // the last block whose room was given back; of [Store.Prune] alone
	packing   sync.Mutex     // held while segments of the log are packed
	readers   sync.WaitGroup // heads, snapshots and look-ups in progress

	mu         sync.RWMutex // guards the fields below; the database has its own locks
	position   position
	commitment types.Hash
	governance *types.Governance // as of the last block; nil when the state has none
	sums       sums              // of the flushed state
	history    history           // what is kept
	partitions partitions        // of the disk and the memtables
	active     *memtable         // receives the next block
	immutable  *memtable         // is being flushed; nil when no flush runs
	failed     error             // of a flush: commits are refused from then on
	closing    bool              // readers are refused from then on
}

// Open opens the store in a folder, or creates it. The parameters must equal those at its creation. Memory below [MinMemory] counts as
// MinMemory.
func Open(dir string, params types.Params, memory Memory, logger *slog.Logger) (*Store, error) {
	return openIn(vfs.Default, dir, params, memory, logger)
}

// OpenVolatile makes a store that is gone when it is closed: its files are in memory.
func OpenVolatile(params types.Params, logger *slog.Logger) (*Store, error) {
	return openIn(vfs.NewMem(), "volatile", params, MinMemory, logger)
}

func openIn(files vfs.FS, dir string, params types.Params, memory Memory, logger *slog.Logger) (*Store, error) {
	return openBy(files, dir, params, memory, logger, (*Store).openLog)
}

// openBy opens a store whose log of outcomes a function takes up.
func openBy(files vfs.FS, dir string, params types.Params, memory Memory, logger *slog.Logger, takeLog func(*Store) error) (*Store, error) {
	if err := params.Check(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if err := files.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", disk.Explain(dir, err))
	}
	lock, err := pebble.LockDirectory(dir, files)
	if err != nil {
		return nil, lockedError(dir, err)
	}
	s := &Store{lock: lock, guard: newGuard(dir, logger), files: files, dir: dir, params: params, memory: max(memory, MinMemory), checkpoints: ledger.StandardCheckpoints()}
	err = s.guard.call(func() error {
		if err := s.open(); err != nil {
			return err
		}
		return takeLog(s)
	})
	if err != nil {
		if s.guard.state() != nil {
			return nil, err // the database still runs; it ends with the process
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open() (err error) {
	cache := pebble.NewCache(s.memory.blocks())
	defer cache.Unref() // the database holds its own reference
	options := &pebble.Options{
		FS: s.files, Lock: s.lock, Cache: cache, Logger: s.guard, EventListener: s.guard.events(), FormatMajorVersion: pebble.FormatNewest,
		MemTableSize: s.memory.pebbleTable(), L0CompactionThreshold: l0Levels, L0StopWritesThreshold: 3 * l0Levels, LBaseMaxBytes: s.memory.baseLevel(), MaxOpenFiles: min(mostFiles, disk.Files()*3/8),
	}
	for i := range options.Levels { // the rules often look up absent keys
		options.Levels[i].FilterPolicy, options.Levels[i].IndexBlockSize = bloom.FilterPolicy(bloomBits), indexBlock
	}
	s.db, err = pebble.Open(s.dir, options)
	if err != nil {
		return openError(s.dir, err)
	}
	if err := s.checkFormat(); err != nil {
		return err
	}
	if err := s.undoRestore(); err != nil {
		return openError(s.dir, err)
	}
	return s.loadPosition()
}

// checkFormat compares format and parameters with the stored ones, and writes them to a new store.
func (s *Store) checkFormat() error {
	version, err := get(s.db, formatKey())
	if err != nil {
		return openError(s.dir, err)
	}
	if version == nil {
		return s.writeFormat()
	}
	if string(version) != formatPrefix+strconv.Itoa(types.Format) {
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
	return paramsError(s.dir, "the chain id is the same: check that the genesis file is the one that the store was created with")
}

func (s *Store) writeFormat() error {
	batch := s.db.NewBatch()
	defer batch.Close()
	err := errors.Join(
		batch.Set(formatKey(), []byte(formatPrefix+strconv.Itoa(types.Format)), nil),
		batch.Set(paramsKey(), types.Encode(&s.params), nil),
		batch.Commit(pebble.Sync),
	)
	if err != nil {
		return fmt.Errorf("make store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) loadPosition() error {
	flushed, err := readFlushed(s.db, &s.params)
	if err != nil {
		return openError(s.dir, err)
	}
	s.position, s.sums = flushed.position, flushed.sums
	if s.history, err = readHistory(s.db, &s.params); err != nil {
		return openError(s.dir, err)
	}
	if s.partitions, err = readPartitions(s.db, s.position.height == s.params.Base()); err != nil {
		return openError(s.dir, err)
	}
	s.partitions = s.partitions.next(s.position.height + 1)
	s.commitment = s.position.commitment()
	s.governance = nil
	encoded, err := get(s.db, stateKey(ledger.GovernanceKey()))
	if err != nil {
		return openError(s.dir, err)
	}
	if encoded != nil {
		s.governance = new(types.Governance)
		if err := types.Decode(encoded, s.governance); err != nil {
			return damagedError(s.dir, err)
		}
	}
	s.cache, s.active, s.balances = newCache(s.memory.values()), newMemtable(s.position.height, s.partitions), newKnownBalances(s.memory.balances())
	return nil
}

// Failed is closed when the database fails, such as on a full disk. From then on the store refuses commits.
func (s *Store) Failed() <-chan struct{} { return s.guard.failed }

// Failure returns the database's failure, nil while it works.
func (s *Store) Failure() error { return s.guard.state() }

// Close refuses new readers, waits until the heads and snapshots in use are closed, flushes the store and closes it. No block may be executed
// or committed by then. A store whose database has failed stays open until the process ends.
func (s *Store) Close() error {
	if err := s.guard.state(); err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	err := errors.Join(s.endCaptures(), s.waitForReaders())
	s.flushing.Wait() // before the memtables are read
	if s.active != nil {
		err = errors.Join(err, s.Flush())
	}
	if s.log != nil {
		s.packing.Lock() // for good: nothing is packed any more
		err = errors.Join(err, s.log.Close())
		s.log = nil
	}
	if s.db != nil {
		err = errors.Join(err, s.guard.call(s.db.Close))
		s.db, s.active = nil, nil
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

// longestRead is how long a store that closes waits for its readers: the longest answer of the API takes less.
const longestRead = 10 * time.Second

// waitForReaders waits until the readers of a closing store are done. One that never ends must not keep the node from stopping.
func (s *Store) waitForReaders() error {
	done := make(chan struct{})
	go func() {
		s.readers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(longestRead):
		return fmt.Errorf("readers still hold the store %s after it was told to close", longestRead)
	}
}

// enter admits a reader, which calls leave when it is done, unless the store closes. The caller holds s.mu.
func (s *Store) enter() (leave func(), err error) {
	if s.closing {
		return nil, types.Refuse(types.CodeUnavailable, "the store is closed: the node is stopping")
	}
	s.readers.Add(1)
	return s.readers.Done, nil
}

// Genesis returns the parameters with which the ledger began.
func (s *Store) Genesis() types.Params { return s.params }

// Params returns the parameters that hold for the next block.
func (s *Store) Params() types.Params {
	if g := s.Governance(); g != nil {
		return g.Params
	}
	return s.params
}

// Governance returns the entry that operators change, as of the last block; nil when the state has none. Don't change it.
func (s *Store) Governance() *types.Governance {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.governance
}

// Log is the log of outcomes. It has at least the leaves of the last block.
func (s *Store) Log() *outcomes.Log { return s.log }

// Height is the height of the last block, zero before the first.
func (s *Store) Height() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.position.height
}

// OnDisk returns the height of the last block whose effect is on the disk: the caller commits later ones again after a crash.
func (s *Store) OnDisk() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.immutable != nil {
		return s.immutable.base
	}
	return s.active.base
}

// Commitment is the commitment of the last block (the app hash).
func (s *Store) Commitment() types.Hash {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.commitment
}

// get returns the value of a key, or nil. It uses the bloom filters of all levels. The database's own Get ignores those of the last level,
// which holds most of a large store, and so reads a block for each absent key.
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
