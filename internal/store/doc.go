// Package store keeps a ledger on disk (Pebble): its state, and what can be derived from its blocks and is looked up by
// key, party, transaction or height.
//
// Start with [Open]. [Store.Stage] computes what a block commits to, and [Staged.Commit] makes it the last one, which all
// readers see at once. Blocks are written behind it, some in one synced batch: after a crash the store stands at a whole block.
// Readers take a [Snapshot], which shows state and derived data at one height; the rules read through [Store.View].
//
// The first byte of a key separates what the commitment covers (the state) from what it doesn't (all else): see keys.go.
package store
