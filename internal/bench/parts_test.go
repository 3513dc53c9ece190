package bench

import (
	"errors"
	"testing"
	"time"

	"lockstep/types"
)

// parts trades in parts. Each has offers of its own, whose deadlines and signatures end soon: the ledger forgets the IDs of earlier parts, so its state keeps its
// size however many trades there were.
type parts struct {
	*bench
	b    *testing.B
	rate float64 // trades a second; 0: as fast as can be
	done int     // trades
}

// partRules allow deadlines some seconds ahead. A part must be done by then.
func partRules(chainID string) *types.Params {
	rules := types.DefaultParams(chainID)
	rules.ClockCap, rules.MinWindow, rules.MaxValidity = 2_000, 10_000, 30_000 // ms
	return &rules
}

func newParts(b *testing.B, o *Options) *parts {
	b.Helper()
	o.rules = partRules("lockstep-parts")
	made, err := prepare(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	return &parts{bench: made, b: b, done: len(made.world.pairs)}
}

// node is the target.
func (p *parts) node() *nodeTarget {
	target, ok := p.target.(*nodeTarget)
	if !ok {
		p.b.Fatalf("the target is a %T", p.target)
	}
	return target
}

// trade lets each pair do some rounds.
func (p *parts) trade(rounds int) {
	w := p.world
	w.begin, w.window = types.TimeOf(time.Now()), w.params.MaxValidity
	posts := make([]*types.Tx, len(w.pairs))
	for i, pair := range w.pairs {
		pair.offer = w.offer(pair.producer)
		pair.offerID = pair.offer.ID()
		posts[i] = w.sign(types.Body{Actions: []types.Action{&types.Post{Offer: *pair.offer}}}, pair.producer)
	}
	w.extend(rounds)
	for _, do := range []struct {
		pairs []*pair
		plan  plan
	}{{single(posts), plan{}}, {w.pairs, plan{rate: p.rate}}} {
		if _, err := run(p.b.Context(), p.target, do.pairs, p.o.Clients, do.plan); err != nil {
			p.b.Fatal(errors.Join(err, p.end(false)))
		}
	}
	p.done += rounds * len(w.pairs)
}
