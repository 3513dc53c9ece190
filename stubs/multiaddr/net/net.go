// Package manet stands in for the addresses of libp2p, see stubs/README.md.
package manet

import (
	"errors"

	"github.com/multiformats/go-multiaddr"
)

// DialArgs refuses every address.
func DialArgs(multiaddr.Multiaddr) (network, address string, err error) {
	return "", "", errors.ErrUnsupported
}
