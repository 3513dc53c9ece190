// Package netlab tests the nodes of a ledger as processes, each in a network namespace of its own, while parties trade: validators are killed, cut
// off, frozen and cheat, links are slow and lossy, disks are full, files are damaged, clocks are wrong. Packets between the namespaces pass
// through the test's process, so these faults need no module of the kernel and follow a seed. It needs Linux and root.
package netlab
