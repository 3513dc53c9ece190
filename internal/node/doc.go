// Package node opens, runs and closes a ledger node: store, chain, index and HTTP API in one process. Only this package connects them.
//
// Start with [Init], which creates the folder of a new ledger, then [Open] and [Node.Run].
package node
