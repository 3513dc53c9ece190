// Package peer stands in for libp2p, see stubs/README.md.
package peer

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/multiformats/go-multiaddr"
)

// An ID names a peer.
type ID string

func (id ID) String() string { return string(id) }

// AddrInfo has the addresses of a peer.
type AddrInfo struct {
	ID    ID
	Addrs []multiaddr.Multiaddr
}

func (i AddrInfo) String() string { return string(i.ID) }

// Decode refuses every name.
func Decode(string) (ID, error) { return "", errors.ErrUnsupported }

// IDFromBytes refuses every name.
func IDFromBytes([]byte) (ID, error) { return "", errors.ErrUnsupported }

// IDFromPrivateKey refuses every key.
func IDFromPrivateKey(crypto.PrivKey) (ID, error) { return "", errors.ErrUnsupported }
