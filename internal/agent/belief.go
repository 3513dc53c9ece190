package agent

import (
	"context"
	"errors"
)

// Belief decides whether a trade is recorded on the ledger as a node shows it. The agent lets goods flow and secrets leave only for trades
// that are believed. Proofs of the ledger's history can stand behind it.
type Belief interface {
	Believes(ctx context.Context, height uint64, t *Trade) error
}

// ErrUnproved is the error of a belief that still waits for a proof: no reason to doubt the node yet, and none to act.
var ErrUnproved = errors.New("not proved yet")

// NodeBelief believes the household's own node, but no trade that contradicts its own ID or the rules on locked money.
type NodeBelief struct{}

// Believes implements [Belief].
func (NodeBelief) Believes(_ context.Context, _ uint64, t *Trade) error { return checkBelief(t) }
