package index

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// seed begins the index behind the last block that the source does not keep. Trades that were agreed earlier and go on there are in the state, or their stories stand in the blocks that are kept.
func (b *batch) seed(ctx context.Context, base uint64, commitment types.Hash) error {
	if b.at.Height > 0 {
		return gap(b.at.Height, base)
	}
	first, err := b.source.Block(base + 1)
	if first == nil || err != nil { // the ledger has not come so far
		return err
	}
	b.at.Position = Position{Height: base, Commitment: commitment}
	b.at.base = Since{base, first.Clock}
	b.at.begun = b.at.base
	b.at.whole = max(first.BlockTime, first.Clock).Add(b.source.Gate())
	earlier, err := b.earlier(ctx, first)
	if err != nil {
		return err
	}
	for _, t := range earlier {
		next, goes := standing(t, first.Clock)
		if !goes {
			continue
		}
		row, err := b.number(t.ID(), t, agreed(t).At, agreed(t).Kind == types.StepMatched)
		if err != nil {
			return err
		}
		row.next = next
		b.touch(row)
	}
	return nil
}

// earlier returns the trades that were agreed before a block and were in the state then, in order.
func (b *batch) earlier(ctx context.Context, first *Block) (all []*types.Trade, err error) {
	add := func(t *types.Trade) {
		if agreed(t).At < first.Clock {
			all = append(all, t)
		}
	}
	for t := range b.source.Standing() {
		add(t)
	}
	for height := first.Height; ; height++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		block, err := b.source.Block(height)
		if err != nil {
			return nil, err
		}
		if block == nil {
			break
		}
		for i := range block.Outcomes {
			for _, effect := range block.Outcomes[i].Effects {
				if ended, ok := effect.(*types.Ended); ok {
					add(ended.Trade)
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y *types.Trade) int {
		first, second := x.ID(), y.ID()
		return cmp.Or(cmp.Compare(agreed(x).At, agreed(y).At), bytes.Compare(first[:], second[:]))
	})
	return all, nil
}

// agreed returns the step by which a trade began.
func agreed(t *types.Trade) types.Step {
	for _, step := range t.Steps {
		if step.Kind == types.StepAgreed || step.Kind == types.StepMatched {
			return step
		}
	}
	return types.Step{}
}

// standing returns how far a trade had come just before a moment; false when it was over, so that no later block tells of it.
func standing(t *types.Trade, before types.Time) (p progress, goes bool) {
	p.phase = types.PhaseAgreed
	for _, step := range t.Steps {
		if step.At >= before {
			continue
		}
		switch step.Kind {
		case types.StepPaid:
			p.phase, p.paidAt = types.PhasePaid, step.At
		case types.StepDelivered:
			p.phase = types.PhaseDelivered
		case types.StepReleased:
			if p.released = t.Released; t.Released >= t.Agreement.Instalments {
				return p, false
			}
		case types.StepSplit, types.StepSettled, types.StepAwarded, types.StepRefunded:
			return p, false
		case types.StepAgreed, types.StepMatched, types.StepCollected, types.StepReturned:
		}
	}
	return p, p.phase != types.PhasePaid || !trade.Passed(t.Agreement.Deadlines.DeliverBy, before)
}
