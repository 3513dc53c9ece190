// Package wallet holds a party's keys and makes its transactions.
//
// Start with [Create], [Restore] or [Open], which give a [Wallet] kept in an encrypted file, and take an [Account] from
// it; a program that keeps its seeds itself starts with [NewSeed]. An account signs nothing but a transaction that its own
// [Draft] has collected and funded, and a [Proposal] that [Account.Explain] has understood: an agreement, or the split of a trade. It never
// signs a transaction that somebody else wrote. What it refuses to sign is the user's to choose, see [Limits].
//
// The package talks to no network and reads no clock: what it has to know of the ledger the caller gives it as a
// [Context]. What a node says in there is checked wherever a hash can check it: an agreement by its trade ID, an offer by
// its ID, a digest by the secret that only this wallet can derive. Seed and ledger together restore everything.
package wallet
