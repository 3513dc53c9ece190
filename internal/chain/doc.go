// Package chain orders the transactions of a ledger and makes all its nodes execute the same blocks. It runs CometBFT in
// process, with one validator or many, and is the only package that knows of it.
//
// Start with [Create], which makes the files of a new ledger, and [Open]; [Chain.Run] runs it. [Chain.Submit] puts a
// transaction into the pool, [Chain.Await] tells what became of it, [Chain.Blocks] follows the blocks. The application
// that the engine drives is application.go, the waiting transactions are pool.go.
package chain
