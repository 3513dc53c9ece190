// Package connmgr stands in for libp2p, see stubs/README.md.
package connmgr

// A ConnectionGater decides on connections. It is asked nothing.
type ConnectionGater any
