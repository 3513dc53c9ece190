// Package store keeps a ledger on disk (Pebble): the state, and data derived from the blocks for look-ups by key, party,
// transaction or height.
//
// Start with [Open]. [Store.Stage] computes the commitment of a block, and [Staged.Commit] makes it the last block, visible to all
// readers at once. A memtable collects blocks and is flushed in one synced batch, so after a crash the store is at a whole block.
// A [Head] reads the state at the last block; an [IndexedSnapshot] reads state and derived data at one height. The rules of the
// ledger read through [Store.StateReader].
//
// The first byte of a key separates the state, which the commitment covers, from derived data: see keys.go.
package store
