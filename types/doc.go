// Package types holds the words of the Lockstep protocol: amounts, keys, hashes, outputs, locks, agreements, trades,
// actions and transactions, with the one encoding that the wire, the ledger state and every hash share.
//
// Start with [Body] and [Tx] (signed by a party), [Agreement] (signed by two) and [Trade] (its state on the
// ledger; package trade has its rules). Every layer refuses with a [Refusal] and its [Code].
//
// A type's wire form is its method Fields, which package canon turns into bytes and back; see [Encode] and [Decode].
//
// The package is pure: no clock, no randomness, no I/O. Nothing in it knows the state of a ledger.
package types
