package explore

import (
	"fmt"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// The steps in which a party that believes a lie can lose something.
const (
	StepHandOver = "hand over" // of the producer: the goods are gone
	StepRelease  = "release"   // of the consumer: its secret is out
)

// Lie is the answer of a lying node to a party that wants to take a step. The trade is as the node likes. Leaf and header are true, since nobody can forge
// them, but may be of the past.
type Lie struct {
	Step   string
	ID     types.TradeID
	Shown  *types.Trade
	Leaf   *types.Outcome // nil: none
	Header types.Time     // block time of the newest header that is shown
	Now    types.Time     // by the clock of the party
	Lag    types.Duration // of the ledger clock, as the node says
}

// truths are the facts that became true with a state: the leaves of its blocks, and its trades.
type truths struct {
	leaves []*types.Outcome
	trades []*types.Trade
}

// Lies explores a scene as [Explore] does, and lets a node lie in every state, to a party that believes by a rule. The report's story tells of a lie that was believed and that
// costs the party its goods or its secret.
func Lies(scene Scene, limit int, believes func(*Lie) bool) (Report, error) {
	x, err := newExplorer(scene)
	if err != nil {
		return Report{}, err
	}
	x.believes = believes
	return x.explore(limit)
}

// lie tells every lie in a state.
func (x *explorer) lie(n int) error {
	if err := x.learn(n); err != nil {
		return err
	}
	var leaves []*types.Outcome
	var headers []types.Time
	shown := make([][]*types.Trade, len(x.ids))
	for i := range x.ids {
		shown[i] = x.invented(i)
	}
	for at := n; at >= 0; at = x.nodes[at].parent {
		leaves, headers = append(leaves, x.nodes[at].leaves...), append(headers, x.nodes[at].book.block)
		for i, t := range x.nodes[at].trades {
			if t != nil {
				shown[i] = append(shown[i], otherwise(t)...)
			}
		}
	}
	b := &x.nodes[n].book
	leaves = append(leaves, nil)
	for i, id := range x.ids {
		for _, step := range []string{StepHandOver, StepRelease} {
			why := x.harm(b, i, step)
			if why == "" {
				continue
			}
			for _, leaf := range leaves {
				for _, t := range shown[i] {
					for _, header := range []types.Time{headers[0], headers[len(headers)-1]} {
						l := &Lie{Step: step, ID: id, Shown: t, Leaf: leaf, Header: header, Now: b.block, Lag: types.Duration(b.block)}
						if x.believes(l) {
							x.broken(n, nil, fmt.Sprintf("a node shows trade %d as %s, and the party goes on to %s: %s", i, t.Phase, step, why))
							return nil
						}
					}
				}
			}
		}
	}
	return nil
}

// learn keeps the facts of a state before its board is dropped.
func (x *explorer) learn(n int) error {
	node := &x.nodes[n]
	for _, leaf := range node.at.Leaves {
		outcome := new(types.Outcome)
		if err := types.Decode(leaf.Encoded, outcome); err != nil {
			return err
		}
		node.leaves = append(node.leaves, outcome)
	}
	for _, id := range x.ids {
		t, _ := node.at.Reader().Trade(id)
		node.trades = append(node.trades, t)
	}
	return nil
}

// invented are states of a trade that never was recorded.
func (x *explorer) invented(i int) []*types.Trade {
	return otherwise(&types.Trade{Agreement: x.agreements[i], Height: 1})
}

// otherwise returns a trade as it is, and as it could be shown: in each phase, with the sums that the phase locks.
func otherwise(t *types.Trade) []*types.Trade {
	all := []*types.Trade{t}
	for _, phase := range []types.Phase{types.PhasePaid, types.PhaseDelivered, types.PhaseReleased} {
		other := *t
		other.Phase, other.Steps = phase, slices.Clone(t.Steps)
		all = append(all, &other)
		sums := other
		sums.Locked = trade.Locks(&sums)
		all = append(all, &sums)
	}
	return all
}

// harm says how a step now would cost the party its goods or its secret; empty if it would not.
func (x *explorer) harm(b *book, i int, step string) string {
	switch x.phase(b, i) {
	case 0, types.PhaseAgreed, types.PhaseLapsed, types.PhasePaid, types.PhaseRefunded:
		if step == StepHandOver {
			return "the goods are gone, and the money is the consumer's or can become so"
		}
		return "its secret is out before the delivery: the producer can deliver nothing and take the payment"
	}
	return ""
}
