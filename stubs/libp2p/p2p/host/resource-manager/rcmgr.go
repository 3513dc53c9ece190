// Package rcmgr stands in for libp2p, see stubs/README.md.
package rcmgr

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/network"
)

// LimitVal is a limit.
type LimitVal int

// ResourceLimits bound one kind of use.
type ResourceLimits struct {
	Conns, ConnsInbound, ConnsOutbound       LimitVal
	Streams, StreamsInbound, StreamsOutbound LimitVal
}

// PartialLimitConfig is a set of limits.
type PartialLimitConfig struct {
	System, PeerDefault                          ResourceLimits
	Service, ServicePeer, Protocol, ProtocolPeer map[string]ResourceLimits
}

// Build returns no limits.
func (PartialLimitConfig) Build(ConcreteLimitConfig) ConcreteLimitConfig {
	return ConcreteLimitConfig{}
}

// ConcreteLimitConfig is a set of limits.
type ConcreteLimitConfig struct{}

// ToPartialLimitConfig returns no limits.
func (ConcreteLimitConfig) ToPartialLimitConfig() PartialLimitConfig { return PartialLimitConfig{} }

// ScalingLimitConfig is a set of limits.
type ScalingLimitConfig struct{}

// AutoScale returns no limits.
func (ScalingLimitConfig) AutoScale() ConcreteLimitConfig { return ConcreteLimitConfig{} }

// Sets of limits.
var (
	DefaultLimits  = ScalingLimitConfig{}
	InfiniteLimits = ConcreteLimitConfig{}
)

// A Limiter applies limits. There is none.
type Limiter any

// NewFixedLimiter makes nothing.
func NewFixedLimiter(ConcreteLimitConfig) Limiter { return nil }

// NewResourceManager fails.
func NewResourceManager(Limiter) (network.ResourceManager, error) { return nil, errors.ErrUnsupported }
