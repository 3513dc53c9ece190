// Package node opens, runs and closes a ledger node: store, chain and HTTP API in one process. It is the only place that
// wires them.
//
// Start with [Init], which makes the folder of a new ledger, then [Open] and [Node.Run].
package node
