// Package store keeps a ledger on disk (Pebble): its state, and what can be derived from its blocks and is looked up by
// key, party, transaction or height.
//
// Start with [Open]. A block is written by [Store.Stage], which computes what the block commits to, and [Staged.Commit],
// which writes all of it in one synced batch: after a crash the store stands at a whole block, the last or the one before.
// Readers take a [Snapshot], which shows state and derived data at one height; the rules read through [Store.View].
//
// The first byte of a key separates what the commitment covers (the state) from what it doesn't (all else): see keys.go.
package store
