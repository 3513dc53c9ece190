package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates bounds the requests of each network in a second.
type Rates struct {
	each int

	mu           sync.Mutex
	young, older map[netip.Prefix]*rate.Limiter // two generations bound the memory; a network that asks stays young
}

// MaxNetworks bounds the networks of a generation.
const MaxNetworks = 1 << 14

// NewRates returns the rates at which each network may send each requests a second, and those of four seconds at once. 0: unlimited.
func NewRates(each int) *Rates { return &Rates{each: each, young: map[netip.Prefix]*rate.Limiter{}} }

// Take counts a request, or reports that the network has reached its rate and when to try again.
func (r *Rates) Take(network netip.Prefix, now time.Time) (wait time.Duration, ok bool) {
	if r.each == 0 {
		return 0, true
	}
	reservation := r.of(network).ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (r *Rates) of(network netip.Prefix) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	limiter := r.young[network]
	if limiter != nil {
		return limiter
	}
	if limiter = r.older[network]; limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(r.each), burst(r.each))
	}
	if len(r.young) == MaxNetworks {
		r.young, r.older = map[netip.Prefix]*rate.Limiter{}, r.young
	}
	r.young[network] = limiter
	return limiter
}
