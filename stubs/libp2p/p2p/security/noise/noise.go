// Package noise stands in for libp2p, see stubs/README.md.
package noise

import (
	"context"
	"errors"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
)

// ID names the protocol.
const ID = "/noise"

// A Transport encrypts connections. There is none.
type Transport struct{}

// New fails.
func New(protocol.ID, crypto.PrivKey, []any) (*Transport, error) { return nil, errors.ErrUnsupported }

// SecureInbound fails.
func (*Transport) SecureInbound(context.Context, net.Conn, peer.ID) (sec.SecureConn, error) {
	return nil, errors.ErrUnsupported
}
