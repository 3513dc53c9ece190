package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lockstep/types"
)

// target takes transactions and tells when they are final.
type target interface {
	// submit hands transactions in at one of the target's nodes, in one request. There is an error for each: a refusal, or that of
	// the context.
	submit(ctx context.Context, node int, txs []encoded) []error
	// follow tells of what has become final since ready, until the context ends or something fails.
	follow(ctx context.Context, seen func(final)) error
	// ready waits until every node has what one of them has made final, as a pair may spend at its own node what was issued at
	// another, and notes where follow is to begin. Call it before anything is submitted.
	ready(ctx context.Context) error
	// nodes is how many nodes there are to hand in at.
	nodes() int
	// usage is what the target has used up so far.
	usage() (usage, error)
	// close stops the target and checks all its books against the sum that was issued.
	close(issued types.Amount) error
	// abandon stops the target after a failure and checks nothing.
	abandon() error
	// remove deletes what the target left on the disk.
	remove() error
}

// final is what one node says has become final: a block or a part of one.
type final struct {
	node   int
	height uint64
	at     time.Time
	txs    []verdict
}

type verdict struct {
	id   types.TxID
	code types.Code
}

// usage is what a target has used up.
type usage struct {
	cpu  time.Duration
	rss  int64 // bytes, at most so far
	disk int64 // bytes
}

// allFailed is one error for each of so many transactions.
func allFailed(count int, err error) []error { return slices.Repeat([]error{err}, count) }

// open makes a target for a mode.
func open(ctx context.Context, o *Options) (target, error) {
	switch o.Mode {
	case ModeRules:
		return newBlockProducer(newMemoryLedger(), o.params()), nil
	case ModeStore:
		ledger, err := newStoreLedger(o, false)
		if err != nil {
			return nil, err
		}
		return newBlockProducer(ledger, o.params()), nil
	case ModeNode, ModeAPI:
		return newNodeTarget(ctx, o)
	case ModeNet:
		return newNetTarget(ctx, o)
	}
	return nil, fmt.Errorf("mode %q can't be measured", o.Mode)
}
