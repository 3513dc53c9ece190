// Package ledger holds the rules: the effect of a block of transactions on the state of a Lockstep ledger.
//
// Start with [State]: [State.Begin] a block, [State.Execute] its transactions, [State.Finish] into a [Diff] that a store
// writes in one batch. Each action has a file of its own, named after it; spending.go holds the rules for inputs (and so
// E4, which is plain spending), transaction.go the rules of every
// transaction, among them the fee ([types.Params.LeastFee] is the least), step.go the steps of a trade, whose rules are in package trade, and
// commitment.go the app hash.
//
// The package is pure and deterministic: the same state and the same bytes give the same result on every machine, for
// ever. No clock, randomness, map order, floats, goroutines or I/O. A bad transaction gets a [types.Refusal] and leaves no
// trace; only a contradiction within the state itself panics, and that must halt the node.
package ledger
