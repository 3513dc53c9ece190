package store

// DefaultMemory is enough for what a community is doing, and for the fastest that two cores can do.
const DefaultMemory Memory = 640 << 20

// MinMemory is the least that a store works well with.
const MinMemory Memory = 64 << 20

// Memory bounds what a store holds in memory, in bytes. What else the process needs comes on top.
type Memory int64

// blocks is for what was read from the disk: the hot part of the state of a community.
func (m Memory) blocks() int64 { return int64(m) * 40 / 100 }

// values is for the newest values of the state, decoded.
func (m Memory) values() int { return int(m) * 15 / 100 }

// stretch is for what is not written yet; twice, for one more is being written. The longer it is the more of a trade falls
// into one, and the more blocks the engine has to replay after a crash.
func (m Memory) stretch() int { return int(m) * 10 / 100 }

// table is for what is written but not sorted into files yet; twice as well. Half of 32 MB wrote 18 % more, twice as much
// 8 % less but took twice as long to open after a crash.
func (m Memory) table() uint64 { return uint64(m) * 5 / 100 }
