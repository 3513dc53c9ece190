// Package network stands in for libp2p, see stubs/README.md.
package network

import (
	"context"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// A Direction is the side that opened a connection.
type Direction int

// The directions.
const (
	DirUnknown Direction = iota
	DirInbound
	DirOutbound
)

// Stat has the statistics of a connection.
type Stat struct{ Direction Direction }

// ConnStats has the statistics of a connection.
type ConnStats struct{ Stat }

// ConnMultiaddrs has the addresses of both ends of a connection.
type ConnMultiaddrs interface {
	LocalMultiaddr() multiaddr.Multiaddr
	RemoteMultiaddr() multiaddr.Multiaddr
}

// A Conn is a connection. There is none.
type Conn interface {
	ConnMultiaddrs
	ID() string
	IsClosed() bool
	RemotePeer() peer.ID
	Stat() ConnStats
}

// A Stream is a stream of a connection. There is none.
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Conn() Conn
	ID() string
	Protocol() protocol.ID
	Reset() error
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// A Network has connections. There is none.
type Network interface {
	Close() error
	ClosePeer(peer.ID) error
	Conns() []Conn
	ConnsToPeer(peer.ID) []Conn
	Peers() []peer.ID
}

// A ResourceManager bounds a network.
type ResourceManager interface{ Close() error }

// A NullResourceManager bounds nothing.
type NullResourceManager struct{}

// Close does nothing.
func (*NullResourceManager) Close() error { return nil }

// WithDialPeerTimeout returns the context.
func WithDialPeerTimeout(ctx context.Context, _ time.Duration) context.Context { return ctx }
