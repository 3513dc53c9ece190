// Package ping stands in for libp2p, see stubs/README.md.
package ping

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A Result is the answer to a ping.
type Result struct {
	RTT   time.Duration
	Error error
}

// Ping fails.
func Ping(context.Context, host.Host, peer.ID) <-chan Result {
	failed := make(chan Result, 1)
	failed <- Result{Error: errors.ErrUnsupported}
	return failed
}
