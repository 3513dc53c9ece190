// Package peerstore stands in for libp2p, see stubs/README.md.
package peerstore

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// PermanentAddrTTL has no end.
const PermanentAddrTTL time.Duration = 1<<63 - 1

// A Peerstore keeps the addresses of peers. There is none.
type Peerstore interface {
	AddAddr(peer.ID, multiaddr.Multiaddr, time.Duration)
	Addrs(peer.ID) []multiaddr.Multiaddr
	Close() error
	Get(peer.ID, string) (any, error)
	PeerInfo(peer.ID) peer.AddrInfo
	Put(peer.ID, string, any) error
}
