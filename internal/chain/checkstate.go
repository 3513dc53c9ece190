package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
)

const (
	// maxCheckWork bounds the queued work that the pool executes a second time on its check state; beyond it the pool is overloaded. It is
	// about 200 transactions of the common size.
	maxCheckWork = 3072
	// maxCheckStateAge bounds how far the clock of the check state may lag.
	maxCheckStateAge = time.Second
	// recheckInterval and maxRecheck bound how often, and how many of the oldest queued transactions, an overloaded pool executes again.
	recheckInterval = time.Second
	maxRecheck      = 1024
)

// check refuses transactions that can't be executed. While the queue is short the pool executes each arrival on the check state, on top of
// all queued transactions: a transaction can build on a queued one, and proposals hold executable transactions only. The check state stays
// in use over several blocks of its own transactions.
func (p *pool) check(tx *types.Tx) error {
	if !p.overloaded && p.work() < maxCheckWork {
		return p.execute(tx)
	}
	if !p.overloaded {
		if err := p.moveHead(); err != nil {
			return err
		}
		p.overloaded = true
	}
	return p.screen(tx)
}

// screen refuses transactions that an overloaded pool considers unlikely to succeed. A signed transaction must be within its validity and
// spend existing or queued outputs. An unsigned one, which costs nothing to make, must be correct. Any other transaction is executed on
// top of the last block, which gives the exact refusal.
func (p *pool) screen(tx *types.Tx) error {
	trade, unsigned := unsignedTrade(tx)
	switch {
	case !unsigned && p.plausible(tx):
		return nil
	case !unsigned:
		return p.execute(tx)
	}
	live, ok := p.head.Reader.Trade(trade)
	if ok && p.opensInstalment(tx, live) {
		return nil
	}
	if known, err := p.head.Trade(trade); err != nil {
		return fmt.Errorf("look up trade %s: %w", trade, err)
	} else if known == nil {
		return types.Refuse(types.CodePoolFull, "the node is overloaded, and trade %s is in no block yet: submit the transaction again when it is", trade)
	}
	return p.execute(tx)
}

func (p *pool) plausible(tx *types.Tx) bool {
	body := &tx.Body
	return len(tx.Signatures) > 0 && body.ChainID == p.params.ChainID &&
		body.ValidUntil >= p.now && body.ValidUntil <= p.now.Add(p.params.MaxValidity) &&
		!slices.ContainsFunc(body.Inputs, func(o types.Outpoint) bool { return !p.expected(o) })
}

// expected reports whether an output exists or may exist once the queue is executed: a queued transaction creates it, or it is a part of an
// existing trade.
func (p *pool) expected(o types.Outpoint) bool {
	if trade, _, locked := o.Trade(); locked {
		_, there := p.head.Reader.Trade(trade)
		return there
	}
	_, there := p.head.Holding(o)
	return there || p.has(o.Tx)
}

// opensInstalment reports whether an unsigned transaction is a release with the right preimage, in any phase: the delivery may be queued.
func (p *pool) opensInstalment(tx *types.Tx, t *types.Trade) bool {
	release, ok := tx.Body.Actions[0].(*types.Release)
	return ok && tx.ID() == types.NewRelease(p.params.ChainID, *release).ID() && // without any other content
		trade.Opens(t, release.Instalment, release.Preimage, release.Path)
}

// execute executes a transaction on the check state.
func (p *pool) execute(tx *types.Tx) error {
	if p.checkState == nil { // with an estimate of the next block's clock
		p.checkStateAt = time.Now()
		p.checkState = ledger.New(p.head, p.params)
		p.checkState.Learn(ledger.Facts{Rules: p.rules, Verify: p.verifier.records.verify})
		p.checkState.BeginTrial(p.head.Height()+1, p.clock.next())
	}
	result := p.checkState.Execute(tx, true)
	if result.Code == types.CodeOK {
		return nil
	}
	detail := strings.TrimPrefix(result.Detail, result.Code.String()+": ") // a refusal prefixes its code itself
	return &types.Refusal{Code: result.Code, Detail: detail}
}

// resetCheckState moves the check state to the last block and executes the queue on it. The pool is no longer overloaded.
func (p *pool) resetCheckState() error {
	if err := p.moveHead(); err != nil {
		return err
	}
	p.overloaded = false
	p.reexecute(p.entries())
	return nil
}

// recheck evicts transactions that can't be executed on top of the last block, in a pool that stays overloaded. After a block of this node
// it executes those that failed in its proposal, since all earlier ones succeeded. After other nodes' blocks it executes the oldest queued
// ones now and then: this node may never propose. So an impossible transaction costs two or three executions.
func (p *pool) recheck(ours bool, failed []*entry) error {
	if err := p.moveHead(); err != nil {
		return err
	}
	switch {
	case ours:
		p.rechecked = time.Now()
		p.reexecute(failed)
	case time.Since(p.rechecked) > recheckInterval:
		p.rechecked = time.Now()
		entries := p.entries()
		p.reexecute(entries[:min(maxRecheck, len(entries))])
	}
	return nil
}

// moveHead moves the pool's head to the last block.
func (p *pool) moveHead() error {
	head, err := p.store.RulesHead()
	if err != nil {
		return err
	}
	if p.head != nil {
		err = p.head.Close()
	}
	p.head, p.checkState, p.params = head, nil, p.store.Params()
	return err
}

func (p *pool) entries() []*entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.entries
}

// reexecute executes queued transactions on the check state, in order, and evicts those that fail.
func (p *pool) reexecute(entries []*entry) {
	var ids []types.TxID
	var refusals []error
	for _, e := range entries {
		if err := p.execute(e.tx); err != nil {
			ids, refusals = append(ids, e.tx.ID()), append(refusals, err)
		}
	}
	p.mu.Lock()
	p.queue.remove(ids)
	p.mu.Unlock()
	for i, id := range ids { // after the removal: a caller that saw one in the queue is notified
		p.feed.drop(id, refusals[i])
	}
}
