// Package wallet holds a party's keys and makes its transactions.
//
// Start with [Create], [Restore] or [Open], which give a [Wallet] kept in an encrypted file, and take an [Account] from
// it; a program that keeps its own seeds starts with [NewSeed]. An account signs nothing but a transaction that its own
// [Draft] has collected and funded, and a [Proposal] that [Account.Explain] has understood: an agreement, or the split of a trade. It never
// signs a transaction that another program wrote. The user sets the limits of its signatures, see [Limits].
//
// The package has no network and no clock: the caller passes the state of the ledger as a
// [Context]. The package checks each part of it that a hash can check: an agreement by its trade ID, an offer by
// its ID, a digest by the secret that only this wallet can derive. Seed and ledger together restore everything.
package wallet
