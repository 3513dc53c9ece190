// Package libp2p stands in for libp2p, see stubs/README.md.
package libp2p

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/multiformats/go-multiaddr"
)

// An Option is a setting of a host.
type Option struct{}

// New fails.
func New(...Option) (host.Host, error) { return nil, errors.ErrUnsupported }

func Identity(crypto.PrivKey) Option                                        { return Option{} }
func ListenAddrs(...multiaddr.Multiaddr) Option                             { return Option{} }
func UserAgent(string) Option                                               { return Option{} }
func Ping(bool) Option                                                      { return Option{} }
func Transport(func()) Option                                               { return Option{} }
func ResourceManager(network.ResourceManager) Option                        { return Option{} }
func ConnectionGater(connmgr.ConnectionGater) Option                        { return Option{} }
func AddrsFactory(func([]multiaddr.Multiaddr) []multiaddr.Multiaddr) Option { return Option{} }

// SetDefaultServiceLimits does nothing.
func SetDefaultServiceLimits(*rcmgr.ScalingLimitConfig) {}
