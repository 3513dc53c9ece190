// Package types holds the words of the Lockstep protocol: amounts, keys, hashes, outputs, locks, agreements, trades,
// actions and transactions, with the one encoding that the wire, the ledger state and every hash share.
//
// Start with [Body] and [Tx] (what a party signs), [Agreement] (what two parties agree on) and [Trade] (what the ledger
// knows of it; package trade has its rules). [Refusal] and [Code] are how every layer says no.
//
// A type's wire form is its method Fields, which package canon turns into bytes and back; see [Encode] and [Decode].
//
// The package is pure: no clock, no randomness, no I/O. Nothing in it knows the state of a ledger.
package types
