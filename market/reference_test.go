package market_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"

	"lockstep/market"
)

// reference is the rule of the package written down without any concern for speed: every question is answered by computing the whole
// auction again, price by price. It knows no bound on trades.
type reference struct {
	orders []market.Order // after netting
	out    []bool         // left out
	own    []bool         // left out for good: they would meet an order of their own owner
}

func newReference(orders []market.Order) *reference {
	r := &reference{orders: slices.Clone(orders), out: make([]bool, len(orders)), own: make([]bool, len(orders))}
	for i := range orders {
		if r.orders[i].Side == market.Offer {
			r.orders[i].Limit = max(r.orders[i].Limit, 1) // no price is below a tick
		}
	}
	meet := func(i, j int) bool {
		a, b := &r.orders[i], &r.orders[j]
		return a.Owner != "" && a.Owner == b.Owner && a.Side == market.Bid && b.Side == market.Offer && a.Limit >= b.Limit
	}
	for i := range orders {
		for j := range orders {
			if meet(i, j) {
				r.own[i] = r.own[i] || orders[i].MinFill > 1
				r.own[j] = r.own[j] || orders[j].MinFill > 1
			}
		}
	}
	best := r.ranked()
	for _, i := range best {
		for _, j := range best {
			if meet(i, j) && !r.own[i] && !r.own[j] {
				lots := min(r.orders[i].Lots, r.orders[j].Lots)
				r.orders[i].Lots -= lots
				r.orders[j].Lots -= lots
			}
		}
	}
	copy(r.out, r.own)
	return r
}

// ranked lists the orders: bids first, best limit first, then by hash of the owner, then by ID.
func (r *reference) ranked() []int {
	places := make([]int, len(r.orders))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(i, j int) int {
		a, b := &r.orders[i], &r.orders[j]
		limits := cmp.Compare(a.Limit, b.Limit)
		if a.Side == market.Bid {
			limits = -limits
		}
		one, other := hashOf(a), hashOf(b)
		return cmp.Or(cmp.Compare(a.Side, b.Side), limits, bytes.Compare(one[:], other[:]), strings.Compare(a.ID, b.ID))
	})
	return places
}

func hashOf(o *market.Order) [32]byte {
	return sha256.Sum256(append(make([]byte, 32), cmp.Or(o.Owner, o.ID)...))
}

// solved is an auction of the orders that are not left out.
type solved struct {
	volume, low, high, price uint64
	shares                   []*big.Rat // exact, of each order
	fills                    []uint64
}

func (r *reference) solve() *solved {
	s := &solved{shares: make([]*big.Rat, len(r.orders)), fills: make([]uint64, len(r.orders))}
	for i := range s.shares {
		s.shares[i] = new(big.Rat)
	}
	highest := uint64(0)
	for i := range r.orders {
		highest = max(highest, r.orders[i].Limit)
	}
	var bestDemand, bestSupply uint64
	for p := uint64(0); p <= highest; p++ {
		var demand, supply uint64
		for i := range r.orders {
			switch o := &r.orders[i]; {
			case r.out[i]:
			case o.Side == market.Bid && o.Limit >= p:
				demand += o.Lots
			case o.Side == market.Offer && o.Limit <= p:
				supply += o.Lots
			}
		}
		volume, imbalance := min(demand, supply), max(demand, supply)-min(demand, supply)
		bestImbalance := max(bestDemand, bestSupply) - min(bestDemand, bestSupply)
		switch {
		case volume > s.volume || volume == s.volume && imbalance < bestImbalance:
			s.volume, s.low, s.high, bestDemand, bestSupply = volume, p, p, demand, supply
		case demand == bestDemand && supply == bestSupply && p == s.high+1:
			s.high = p
		}
	}
	if s.volume == 0 {
		return s
	}
	switch {
	case bestDemand < bestSupply:
		s.price = s.low
	case bestDemand > bestSupply:
		s.price = s.high
	default:
		s.price = (s.low + s.high) / 2
	}
	left := map[market.Side]uint64{market.Bid: s.volume, market.Offer: s.volume}
	ranked := slices.DeleteFunc(r.ranked(), func(i int) bool { return r.out[i] })
	for from := 0; from < len(ranked); {
		first := &r.orders[ranked[from]]
		to, total := from, uint64(0)
		for ; to < len(ranked) && r.orders[ranked[to]].Side == first.Side && r.orders[ranked[to]].Limit == first.Limit; to++ {
			total += r.orders[ranked[to]].Lots
		}
		part, before := min(left[first.Side], total), uint64(0)
		left[first.Side] -= part
		for _, i := range ranked[from:to] {
			lots := r.orders[i].Lots
			if total > 0 {
				s.shares[i].SetFrac64(int64(lots*part), int64(total))
				s.fills[i] = (before+lots)*part/total - before*part/total
			}
			before += lots
		}
		from = to
	}
	return s
}

func (r *reference) demands(i int) bool { return r.orders[i].MinFill > 1 }

// enough tells whether an order has its smallest fill.
func (r *reference) enough(s *solved, i int) bool {
	return s.shares[i].Cmp(new(big.Rat).SetUint64(r.orders[i].MinFill)) >= 0
}

// marginal tells whether an order gets a part of its lots.
func (r *reference) marginal(s *solved, i int) bool {
	return s.shares[i].Sign() > 0 && s.shares[i].Cmp(new(big.Rat).SetUint64(r.orders[i].Lots)) < 0
}

// run follows the rule for smallest fills.
func (r *reference) run() *solved {
	for r.leaveOutHopeless() {
	}
	for r.leaveOut() {
	}
	s := r.solve()
	for i := range r.orders {
		r.out[i] = r.out[i] || r.demands(i) && s.shares[i].Sign() == 0
	}
	for joined := true; joined; {
		joined = r.join(market.Bid)
		joined = r.join(market.Offer) || joined
	}
	return r.solve()
}

// leaveOutHopeless leaves the orders out that would not have their smallest fill even if no other of their side named one.
func (r *reference) leaveOutHopeless() (found bool) {
	for i := range r.orders {
		if r.out[i] || !r.demands(i) {
			continue
		}
		alone := &reference{orders: r.orders, out: slices.Clone(r.out)}
		for k := range r.orders {
			alone.out[k] = r.out[k] || k != i && r.demands(k) && r.orders[k].Side == r.orders[i].Side
		}
		if !r.enough(alone.solve(), i) {
			r.out[i] = true
			found = true
		}
	}
	return found
}

// leaveOut leaves one order out: of those at the margin, the one that asks for the largest part of its lots.
func (r *reference) leaveOut() bool {
	s := r.solve()
	most, ratio := -1, new(big.Rat)
	for _, i := range r.ranked() {
		part := new(big.Rat)
		if r.orders[i].Lots > 0 {
			part.SetFrac64(int64(r.orders[i].MinFill), int64(r.orders[i].Lots))
		}
		if !r.out[i] && r.demands(i) && r.marginal(s, i) && !r.enough(s, i) && (most < 0 || part.Cmp(ratio) > 0) {
			most, ratio = i, part
		}
	}
	if most >= 0 {
		r.out[most] = true
	}
	return most >= 0
}

func (r *reference) join(side market.Side) (joined bool) {
	for _, i := range r.ranked() {
		if r.orders[i].Side == side && r.out[i] && r.canJoin(i) {
			r.out[i] = false
			joined = true
		}
	}
	return joined
}

// canJoin tells whether an order that is left out would have its smallest fill beside all that take part, and they keep theirs.
func (r *reference) canJoin(i int) bool {
	if !r.demands(i) || r.own[i] {
		return false
	}
	r.out[i] = false
	defer func() { r.out[i] = true }()
	s := r.solve()
	for k := range r.orders {
		if !r.out[k] && r.demands(k) && !r.enough(s, k) {
			return false
		}
	}
	return true
}
