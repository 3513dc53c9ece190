// Package client is the Go SDK of a Lockstep node: its HTTP API as typed calls. Start with [New]. [Client.Account] gives an account of a wallet
// that trades in single calls: [Account.Post], [Account.Take], [Account.Deliver], [Account.Release].
//
// A refusal by a node is a [types.Refusal], wrapped with the name of the operation: compare [types.CodeOf], not texts. The code of an
// unreachable node is [types.CodeUnavailable]. The client checks the hash of every object that is named by its hash (a trade, an offer,
// an asset, a transaction), so a node can withhold objects but not invent them.
package client
