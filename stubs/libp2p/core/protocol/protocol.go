// Package protocol stands in for libp2p, see stubs/README.md.
package protocol

// An ID names a protocol.
type ID string
