// Package libp2pquic stands in for libp2p, see stubs/README.md.
package libp2pquic

// NewTransport makes nothing.
func NewTransport() {}
