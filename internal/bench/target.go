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
	// follow reports transactions that became final since ready, until the context ends or an error.
	follow(ctx context.Context, seen func(final)) error
	// ready waits until every node has the blocks of the most advanced one, as a pair may spend at its own node coins issued at
	// another, and notes where follow is to begin. Call it before anything is submitted.
	ready(ctx context.Context) error
	// nodes is how many nodes there are to hand in at.
	nodes() int
	// usage returns the resources that the target has used so far.
	usage() (usage, error)
	// close stops the target and checks all its books against the sum that was issued.
	close(issued types.Amount) error
	// abandon stops the target after a failure and checks nothing.
	abandon() error
	// remove deletes the target's files.
	remove() error
}

// final holds transactions that one node reports as final: a block or a part of one.
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

// usage holds the resources that a target has used.
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
