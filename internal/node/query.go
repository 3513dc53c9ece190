package node

import (
	"context"
	"time"

	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/query"
	"lockstep/types"
)

// ordering adapts the chain of a node to [query.Chain].
type ordering struct {
	*chain.Chain
	troubles func() []string // of the node beside its chain
}

// Outcome implements [query.Chain].
func (o ordering) Outcome(id types.TxID) (query.Outcome, bool, error) {
	outcome, known, err := o.Chain.Outcome(id)
	return query.Outcome(outcome), known, err
}

// Await implements [query.Chain].
func (o ordering) Await(ctx context.Context, id types.TxID) (query.Outcome, error) {
	outcome, err := o.Chain.Await(ctx, id)
	return query.Outcome(outcome), err
}

// Status implements [query.Chain]. It adds the troubles of the node.
func (o ordering) Status() query.Status {
	status := query.Status(o.Chain.Status())
	status.Troubles = append(status.Troubles, o.troubles()...)
	return status
}

// troubles returns the faults of the node beside its chain, in sentences.
func (n *Node) troubles() (troubles []string) {
	for _, trouble := range []string{disk.Warning(n.dir), n.certs.trouble(time.Now())} {
		if trouble != "" {
			troubles = append(troubles, trouble)
		}
	}
	return troubles
}
