// Package sec stands in for libp2p, see stubs/README.md.
package sec

import (
	"net"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A SecureConn is an encrypted connection. There is none.
type SecureConn interface {
	net.Conn
	RemotePeer() peer.ID
}
