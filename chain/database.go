package chain

import (
	"runtime"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/syndtr/goleveldb/leveldb/opt"
)

// blockDatabase is the engine's name for where it keeps the blocks.
const blockDatabase = "blockstore"

// databaseOptions are the usual ones, but for the blocks, which are nearly all that the engine writes: to sort them into larger files
// later spares it to write them again and again, and signatures and hashes are not worth compressing.
func (c *Config) databaseOptions(name string) *opt.Options {
	if name != blockDatabase {
		return nil
	}
	return &opt.Options{
		WriteBuffer: c.BlockMemory, CompactionTableSize: c.BlockMemory / 4, CompactionTotalSize: 4 * c.BlockMemory, Compression: opt.NoCompression,
		CompactionL0Trigger: 8, WriteL0SlowdownTrigger: 16, WriteL0PauseTrigger: 24,
	}
}

// database is one of the engine's. Routines of the engine that look after a peer outlive the engine by some seconds, and panic
// when they read from a database that is closed by then. Here such a routine ends instead: nobody waits for what it would read.
type database struct {
	dbm.DB
	mu     sync.RWMutex
	closed bool
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

// use keeps the database open until the function that it returns is called.
func (d *database) use() (done func()) {
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		runtime.Goexit()
	}
	return d.mu.RUnlock
}

// Close waits for what is being read.
func (d *database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return d.DB.Close()
}
