package ledger

import (
	"fmt"

	"lockstep/types"
)

// Leaf is a leaf of the log of outcomes, see [types.Outcome].
type Leaf struct {
	Tx      types.TxID // zero when the clock or an auction did it
	Part    uint16
	Encoded []byte
}

// note adds effects to the outcome of the current transaction. Outside of one they are an outcome of their own.
func (s *State) note(effects ...types.Effect) {
	s.effects = append(s.effects, effects...)
	if !s.executing {
		s.endOutcome(types.TxID{})
	}
}

// endOutcome makes an outcome of the effects since the last one.
func (s *State) endOutcome(tx types.TxID) {
	effects := s.effects[s.noted:len(s.effects):len(s.effects)]
	s.outcomes = append(s.outcomes, types.Outcome{Height: s.clock.Height, At: s.now, Tx: tx, Effects: effects})
	s.noted = len(s.effects)
}

// leaves encodes the outcomes of the block, and tells each closed trade which leaf has its story.
func (s *State) leaves() []Leaf {
	leaves, closed := make([]Leaf, 0, len(s.outcomes)), s.closed
	for i := range s.outcomes {
		leaves = appendLeaves(leaves, s.outcomes[i], func(leaf int, effects []types.Effect) {
			for _, effect := range effects {
				if _, ended := effect.(*types.Ended); ended {
					closed[0].Leaf, closed = leaf, closed[1:]
				}
			}
		})
	}
	return leaves
}

// appendLeaves encodes an outcome, in several leaves if its effects are more than one can hold. It calls wrote for each.
func appendLeaves(leaves []Leaf, o types.Outcome, wrote func(leaf int, effects []types.Effect)) []Leaf {
	encoded := types.Encode(&o)
	if len(encoded) <= types.MaxOutcome {
		wrote(len(leaves), o.Effects)
		return append(leaves, Leaf{o.Tx, o.Part, encoded})
	}
	if len(o.Effects) < 2 {
		panic(fmt.Sprintf("ledger: one effect of block %d has %d bytes", o.Height, len(encoded)))
	}
	first, second, half := o, o, len(o.Effects)/2
	first.Effects, second.Effects = o.Effects[:half], o.Effects[half:]
	leaves = appendLeaves(leaves, first, wrote)
	second.Part = leaves[len(leaves)-1].Part + 1
	return appendLeaves(leaves, second, wrote)
}

// noteStep adds a step of a trade that goes on.
func (s *State) noteStep(kind types.EventKind, id types.TradeID, t *types.Trade) {
	step := types.StepOf(id, kind.Number(), t)
	if kind == types.EventPaid && !t.Agreement.Goods.Flow.IsZero() {
		step.Ahead = []types.Ahead{s.ahead(id, t)}
	}
	s.note(step)
}

// ahead sums up the claims on a trade's slot that come before the trade.
func (s *State) ahead(id types.TradeID, t *types.Trade) (sum types.Ahead) {
	goods := &t.Agreement.Goods
	slot, known := get[types.Slot](s, slotKey(slotID(goods.Flow, goods.From)))
	if !known {
		return sum
	}
	sum.Agreed = slot.Agreed
	for _, claim := range slot.Claims {
		if compareClaims(claim, claimOf(id, t)) < 0 {
			sum.Claims++
			sum.Quantity += claim.Quantity // at most MaxClaims * MaxQuantity, which fits
		}
	}
	return sum
}

// closeTrade keeps a trade that is over, with its whole story in the log.
func (s *State) closeTrade(kind types.EventKind, id types.TradeID, t *types.Trade) {
	s.closing = append(s.closing, Closed{ID: id, Trade: t})
	s.note(&types.Ended{Event: kind.Number(), Trade: t})
}

// noteMatch adds a trade that an auction made.
func (s *State) noteMatch(product types.ProductID, match types.MatchTrade, t *types.Trade) {
	s.note(&types.Matched{Product: product, Match: match}, types.StepOf(match.Trade, types.EventMatched.Number(), t))
}

// noteClearing adds the result of an auction.
func (s *State) noteClearing(a *types.Auction) {
	s.note(&types.Cleared{
		Product: a.Product, Grid: a.Grid, BlockTime: a.BlockTime, Void: a.Void, Rounds: a.Rounds, Orders: uint32(len(a.Results)),
		Root: types.ResultsRoot(a.Results),
	})
}

// noteEvent adds an event that is of no trade. Transfers follow from the transaction; an auction and a decision have their own effect.
func (s *State) noteEvent(kind types.EventKind, event *types.Event) {
	if event.Trade != (types.TradeID{}) || kind == types.EventTransferred || kind == types.EventCleared || kind == types.EventDecided {
		return
	}
	noted := &types.Noted{Event: kind.Number(), Subject: types.Hash(event.Offer)}
	if event.Product != (types.ProductID{}) {
		noted.Subject = types.Hash(event.Product)
	}
	s.note(noted)
}
