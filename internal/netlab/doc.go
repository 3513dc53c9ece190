// Package netlab runs the nodes of a ledger as processes, each in a network namespace of its own, and lets the links between them fail as
// told: cut, slow, lossy, late. Packets between the namespaces pass through this process, so the failures need no module of
// the kernel and follow a seed. For tests only; it needs Linux and root.
//
// Start with [New].
package netlab
