// Package multiaddr stands in for the addresses of libp2p, see stubs/README.md.
package multiaddr

import "errors"

// Codes of the parts of an address.
const (
	P_DNS     = 0x35
	P_DNS4    = 0x36
	P_DNS6    = 0x37
	P_DNSADDR = 0x38
)

// A Multiaddr is an address of libp2p. There is none.
type Multiaddr []Component

func (Multiaddr) String() string { return "" }

// A Component is a part of an address.
type Component struct{}

// Protocol says of which kind a part is.
func (Component) Protocol() Protocol { return Protocol{} }

// A Protocol is a kind of part.
type Protocol struct{ Code int }

// NewMultiaddr refuses every address.
func NewMultiaddr(string) (Multiaddr, error) { return nil, errors.ErrUnsupported }
