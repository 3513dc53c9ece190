package main

import (
	"context"
	"fmt"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
)

// A command that waits for a block prints the reason at these intervals.
const (
	waitFirst = 5 * time.Second
	waitAgain = 15 * time.Second
)

// since formats the age of the last block in whole seconds.
func since(status wire.Status) string { return status.SinceBlock.Std().Round(time.Second).String() }

// tellWhileWaiting prints on standard error why a transaction waits, until its result is called.
func (s *session) tellWhileWaiting(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for wait := waitFirst; ; wait = waitAgain {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			if status, err := s.node.Status(ctx); err == nil {
				fmt.Fprintln(s.err, waitingFor(status))
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// tellWhenStill says on standard error that the ledger stands still, and that it goes on, until its result is called. It is for commands
// that wait for events.
func (a *app) tellWhenStill(ctx context.Context, node *client.Client) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		look := time.NewTicker(waitFirst)
		defer look.Stop()
		for told := false; ; {
			status, err := node.Status(ctx)
			switch {
			case err != nil || status.Halted == told:
			case told:
				told = false
				fmt.Fprintln(a.err, "The ledger goes on.")
			default:
				told = true
				fmt.Fprintf(a.err, "No block for %s, the ledger stands still; your money is safe, deadlines wait.\n", since(status))
			}
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// waitingFor explains why a transaction is still in the pool.
func waitingFor(status wire.Status) string {
	if status.Halted {
		return fmt.Sprintf("No block for %s, the ledger stands still; your money is safe, deadlines wait. "+
			"The transaction is in the node's pool and goes on when the ledger does; interrupt to leave it there.", since(status))
	}
	return fmt.Sprintf("Waiting for a block: the last one came %s ago, %d transactions wait.", since(status), status.Waiting)
}
