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
	// maxCheckWork is how much work may wait, and be done a second time for its block, before the pool is hurried: some 200
	// transactions of the common size.
	maxCheckWork = 3072
	// maxCheckStateAge is how far the clock of the scratch state may be behind.
	maxCheckStateAge = time.Second
	// recheckInterval and maxRecheck bound what a hurried pool executes again of what has waited longest.
	recheckInterval = time.Second
	maxRecheck      = 1024
)

// judge refuses what can't be done. A pool with little in it executes on the scratch state, on which all that waits was
// executed, in order: so a transaction can build on another that still waits, and what is proposed is what can be done.
// The state stays in use over several blocks of what was executed on it.
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

// screen refuses what is not likely to be done, for a pool that has no time to execute everything. What is signed has cost
// somebody something; still it must be in its time and spend what is there or waits. What is not signed must be right. What
// does not look so is executed on top of the last block, which tells what is wrong.
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
		return types.Refuse(types.CodePoolFull, "the node is too busy to look ahead and no block holds trade %s: send it again when one does", trade)
	}
	return p.execute(tx)
}

func (p *pool) plausible(tx *types.Tx) bool {
	now, body := p.clock.next(), &tx.Body
	return len(tx.Signatures) > 0 && body.ChainID == p.params.ChainID &&
		body.ValidUntil >= now && body.ValidUntil <= now.Add(p.params.MaxValidity) &&
		!slices.ContainsFunc(body.Inputs, func(o types.Outpoint) bool { return !p.expected(o) })
}

// expected reports whether an output is there or may be once what waits is done: it is made by a transaction that waits, or
// is a part of a trade that is there.
func (p *pool) expected(o types.Outpoint) bool {
	if trade, _, locked := o.Trade(); locked {
		_, there := p.head.Reader.Trade(trade)
		return there
	}
	_, there := p.head.Output(o)
	return there || p.has(o.Tx)
}

// opens reports whether an unsigned transaction is a release with a true secret, due or not: the delivery may be waiting.
func (p *pool) opensInstalment(tx *types.Tx, t *types.Trade) bool {
	release, ok := tx.Body.Actions[0].(*types.Release)
	return ok && tx.ID() == types.NewRelease(p.params.ChainID, *release).ID() && // nothing beside it
		trade.Opens(t, release.Instalment, release.Preimage)
}

// execute does a transaction on the scratch state.
func (p *pool) execute(tx *types.Tx) error {
	if p.checkState == nil { // the clock is a guess at that of the next block
		p.checkStateAt = time.Now()
		p.checkState = ledger.New(p.head, p.params)
		p.checkState.BeginTrial(p.head.Height()+1, p.clock.next())
	}
	result := p.checkState.Execute(tx, true)
	if result.Code == types.CodeOK {
		return nil
	}
	detail := strings.TrimPrefix(result.Detail, result.Code.String()+": ") // a refusal writes its code itself
	return &types.Refusal{Code: result.Code, Detail: detail}
}

// rebase puts the scratch state on top of the last block and executes again what waits: from here on the pool looks ahead.
func (p *pool) resetCheckState() error {
	if err := p.moveHead(); err != nil {
		return err
	}
	p.overloaded = false
	p.reexecute(p.entries())
	return nil
}

// recheck lets go, in a pool that stays hurried, of what can't be done on top of the last block either. After a block of
// this node that is what failed in its proposal, for all that came before it was done. After others' blocks it is now and
// then looked for among what has waited longest: this node may not be one that proposes. So what can't be done costs two or
// three executions each, however much of it there is.
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

// renew makes the last block what the pool looks at.
func (p *pool) moveHead() error {
	if p.head != nil {
		if err := p.head.Close(); err != nil {
			return err
		}
	}
	p.head, p.checkState = p.store.Head(), nil
	return nil
}

func (p *pool) entries() []*entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.entries
}

// reexecute executes on the scratch state, in order, what waits. What has become impossible leaves the pool.
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
	for i, id := range ids { // after they have left: who sees one wait here is sure to be told
		p.feed.drop(id, refusals[i])
	}
}
