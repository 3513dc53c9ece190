// Package client is the Go SDK of a Lockstep node: its HTTP API as typed calls. Start with [New].
//
// Whatever a node refuses comes back as a [types.Refusal], wrapped with what was being done: compare [types.CodeOf], not
// texts. A node that can't be reached is [types.CodeUnavailable]. Where an answer names itself by a hash (a trade, an
// offer, an asset, a transaction) the hash is checked, so a node can withhold but not invent.
package client
