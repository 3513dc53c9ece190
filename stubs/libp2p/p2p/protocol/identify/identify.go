// Package identify stands in for libp2p, see stubs/README.md.
package identify
