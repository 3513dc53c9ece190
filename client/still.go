package client

import (
	"context"
	"fmt"
	"time"

	"lockstep/client/wire"
	"lockstep/types"
)

// StandsStill is the error of a call that has waited long enough for a ledger that makes no blocks. Nothing is lost: a transaction stays in the
// pool of the node, money is where it was, and deadlines wait as long as the ledger does.
type StandsStill struct {
	Since types.Duration // since the last block
	What  string         // waits, as a sentence without its full stop, or nothing
}

// Error says that the ledger stands still, and that money is safe.
func (s *StandsStill) Error() string {
	text := fmt.Sprintf("no block for %s, the ledger stands still; your money is safe, deadlines wait", s.Since.Std().Round(time.Second))
	if s.What != "" {
		text += ". " + s.What
	}
	return text
}

// Unwrap gives the error the code of the call that waits.
func (s *StandsStill) Unwrap() error { return &types.Refusal{Code: types.CodePending, Detail: s.What} }

// CheckStill returns a [*StandsStill] when the ledger stands still now, else nil, also when the node does not answer.
func (c *Client) CheckStill(ctx context.Context, what string) error {
	var status wire.Status
	if err := c.exchange(ctx, request{path: "/v1/status"}, &status); err != nil || !status.Halted {
		return nil
	}
	return &StandsStill{status.SinceBlock, what}
}

// outwaited is [Client.CheckStill] once a call has waited for as long as the client has patience.
func (c *Client) outwaited(ctx context.Context, begun time.Time, what string) error {
	if c.patience == 0 || time.Since(begun) < c.patience {
		return nil
	}
	return c.CheckStill(ctx, what)
}

// turn is how long the client waits in one question.
func (c *Client) turn() time.Duration {
	if c.patience == 0 {
		return longestWait
	}
	return min(longestWait, max(c.patience, shortestPause))
}
