package store

// DefaultMemory suffices for a community, and for the highest rate of two cores.
const DefaultMemory Memory = 640 << 20

// MinMemory is the minimum for good performance.
const MinMemory Memory = 64 << 20

// Memory bounds the memory of a store, in bytes, without the rest of the process.
type Memory int64

// blocks is the share of the database's block cache.
func (m Memory) blocks() int64 { return int64(m) * 25 / 100 }

// values is the share of the cache of decoded values. A value found there costs a tenth of one in the block cache.
func (m Memory) values() int { return int(m * 30 / 100) }

// balances is the share of the balances that flushes keep.
func (m Memory) balances() int { return int(m * 5 / 100) }

// memtable is the share of one memtable; a second one may be in a flush. A larger memtable holds more steps of the same trade, but
// leaves more blocks to replay after a crash.
func (m Memory) memtable() int { return int(m * 10 / 100) }

// pebbleTable is the share of one of the database's own memtables; again there may be two. Half of 32 MB wrote 18 % more to the disk;
// twice as much wrote 8 % less, but doubled the time to open after a crash.
func (m Memory) pebbleTable() uint64 { return uint64(m) * 5 / 100 }

// baseLevel is the size of the level that flushes are merged into: that of the flushes which are merged at once. With the database's default of
// 64 MB, a ledger of 500 MB had one level more, and wrote an eighth more bytes.
func (m Memory) baseLevel() int64 { return max(l0Levels*int64(m.pebbleTable()), 64<<20) }
