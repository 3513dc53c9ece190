// Package control stands in for libp2p, see stubs/README.md.
package control

// A DisconnectReason is the reason why a connection was closed.
type DisconnectReason int
