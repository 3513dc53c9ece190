// Package chain orders the transactions of a ledger and makes all nodes execute the same blocks. It runs CometBFT in process, with one
// validator or many, and is the only package that imports it.
//
// Start with [Create], which makes the files of a new ledger, and [Open]; [Chain.Run] runs it. [Chain.Submit] submits a transaction to the
// pool, [Chain.Await] returns its outcome, [Chain.Blocks] follows the blocks. The engine drives application.go; pool.go, queue.go and
// checkstate.go are the mempool; optimistic.go executes blocks while the validators vote.
package chain
