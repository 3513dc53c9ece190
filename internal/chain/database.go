package chain

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/syndtr/goleveldb/leveldb/opt"

	"lockstep/internal/disk"
)

// blockDatabase is the engine's name for its database of blocks.
const blockDatabase = "blockstore"

// databaseOptions returns the default options, except for the blocks, which are most of the engine's writes: larger files reduce rewriting,
// and [blockParts] has compressed them.
func (c *Config) databaseOptions(name string) *opt.Options {
	files := min(opt.DefaultOpenFilesCacheCapacity, disk.Files()/16) // so that all together leave some to the rest of the node
	if name != blockDatabase {
		return &opt.Options{OpenFilesCacheCapacity: files}
	}
	return &opt.Options{
		OpenFilesCacheCapacity: files,
		WriteBuffer:            c.BlockMemory, CompactionTableSize: c.BlockMemory / 4, CompactionTotalSize: 4 * c.BlockMemory, Compression: opt.NoCompression,
		CompactionL0Trigger: 8, WriteL0SlowdownTrigger: 16, WriteL0PauseTrigger: 24,
	}
}

// database wraps a database of the engine. Goroutines of the engine that serve a peer outlive the engine by some seconds, and would panic on
// a read from a closed database. Here such a goroutine ends: no caller waits for it.
//
// A failed write fails the node: the engine panics on some and only logs others.
type database struct {
	dbm.DB
	name    string
	failure *failure
	mu      sync.RWMutex
	closed  bool
}

// Get reads a value.
func (d *database) Get(key []byte) ([]byte, error) {
	defer d.use()()
	return d.DB.Get(key)
}

// Has looks a key up.
func (d *database) Has(key []byte) (bool, error) {
	defer d.use()()
	return d.DB.Has(key)
}

// Set, SetSync, Delete, DeleteSync and NewBatch write.
func (d *database) Set(key, value []byte) error { return d.written(d.DB.Set(key, value)) }

// SetSync is described at [database.Set], as are those that follow.
func (d *database) SetSync(key, value []byte) error { return d.written(d.DB.SetSync(key, value)) }

// Delete is described at [database.Set].
func (d *database) Delete(key []byte) error { return d.written(d.DB.Delete(key)) }

// DeleteSync is described at [database.Set].
func (d *database) DeleteSync(key []byte) error { return d.written(d.DB.DeleteSync(key)) }

// NewBatch is described at [database.Set].
func (d *database) NewBatch() dbm.Batch { return &batch{d.DB.NewBatch(), d} }

type batch struct {
	dbm.Batch
	of *database
}

func (b *batch) Write() error     { return b.of.written(b.Batch.Write()) }
func (b *batch) WriteSync() error { return b.of.written(b.Batch.WriteSync()) }

func (d *database) written(err error) error {
	if err != nil {
		d.failure.set(fmt.Errorf("write the engine's database %q: %w", d.name, err))
	}
	return err
}

// use keeps the database open until the function that it returns is called.
func (d *database) use() (done func()) {
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		runtime.Goexit()
	}
	return d.mu.RUnlock
}

// reclaim gives back the room of blocks of which all has been deleted: those from one height on and before another. Without it the database rewrites its largest files, in which they
// stand, only after hundreds of MB.
func (d *database) reclaim(from, to int64) (err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for from < to && !d.closed && err == nil {
		end := int64(1)
		for end <= from { // keys are ordered as text, so by height only among those of a length
			end *= 10
		}
		end = min(end, to)
		for _, prefix := range []string{"P", "H", "C", "SC"} { // parts, headers, commits, as package store of the engine has them
			err = errors.Join(err, d.DB.Compact(fmt.Appendf(nil, "%s:%d", prefix, from), fmt.Appendf(nil, "%s:%d;", prefix, end-1)))
		}
		from = end
	}
	return err
}

// Close waits for running reads.
func (d *database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return d.DB.Close()
}
