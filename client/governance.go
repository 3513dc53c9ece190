package client

import (
	"context"
	"iter"

	"lockstep/client/wire"
)

// Governance returns the operators of the ledger, the signatures that a decision needs, and the changes that wait. The caller trusts the node for it.
func (c *Client) Governance(ctx context.Context) (governance wire.Governance, err error) {
	err = c.get(ctx, "/v1/governance", nil, &governance)
	if err == nil {
		if wrong := governance.Governance.Params.Check(); wrong != nil {
			err = c.lied("its answer has parameters that no ledger could have: %v", wrong)
		}
	}
	return governance, wrap("governance", err)
}

// Decisions returns a page of the decisions of operators, newest first.
func (c *Client) Decisions(ctx context.Context, page Page) (decisions wire.Decisions, err error) {
	err = c.get(ctx, "/v1/decisions", pageQuery(page), &decisions)
	for i := range decisions.Decisions {
		if d := &decisions.Decisions[i]; err == nil && d.Decided.Decision.ID() != d.ID {
			err = c.lied("its answer has a decision whose content is not that of its id %s", d.ID)
		}
	}
	return decisions, wrap("decisions", err)
}

// AllDecisions iterates over the decisions of operators, newest first. It ends after an error.
func (c *Client) AllDecisions(ctx context.Context) iter.Seq2[wire.Decision, error] {
	return Pages(Page{Limit: maxPage}, func(page Page) ([]wire.Decision, string, error) {
		answer, err := c.Decisions(ctx, page)
		return answer.Decisions, answer.Next, err
	})
}
