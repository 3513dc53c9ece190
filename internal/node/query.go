package node

import (
	"context"

	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/query"
	"lockstep/types"
)

// ordering adapts the chain of a node to [query.Chain].
type ordering struct {
	*chain.Chain
	dir string // the folder of the node
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

// Status implements [query.Chain]. It adds a warning when the disk is nearly full.
func (o ordering) Status() query.Status {
	status := query.Status(o.Chain.Status())
	if warning := disk.Warning(o.dir); warning != "" {
		status.Troubles = append(status.Troubles, warning)
	}
	return status
}
