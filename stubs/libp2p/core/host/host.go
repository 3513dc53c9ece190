// Package host stands in for libp2p, see stubs/README.md.
package host

import (
	"context"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// A Host is a node of a network. There is none.
type Host interface {
	Addrs() []multiaddr.Multiaddr
	Close() error
	Connect(context.Context, peer.AddrInfo) error
	ID() peer.ID
	Network() network.Network
	NewStream(context.Context, peer.ID, ...protocol.ID) (network.Stream, error)
	Peerstore() peerstore.Peerstore
	RemoveStreamHandler(protocol.ID)
	SetStreamHandler(protocol.ID, func(network.Stream))
}
