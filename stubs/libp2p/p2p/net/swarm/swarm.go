// Package swarm stands in for libp2p, see stubs/README.md.
package swarm

import "errors"

// Errors of dialling, which nothing returns.
var (
	ErrAllDialsFailed  = errors.ErrUnsupported
	ErrNoGoodAddresses = errors.ErrUnsupported
)
