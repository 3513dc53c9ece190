package ledger

import (
	"cmp"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// spendInputs resolves every input against the state before the transaction and removes it. This is also how money leaves
// a trade: E4 (the producer's payment), the consumer's return, and a refund are plain spending.
func (x *execution) spendInputs() error {
	for i, outpoint := range x.tx.Body.Inputs {
		spend := x.spendCoin
		if _, _, locked := outpoint.Trade(); locked {
			spend = x.spendFromTrade
		}
		owner, err := spend(outpoint)
		if err != nil {
			if types.CodeOf(err) == types.CodeInputMissing && slices.Contains(x.tx.Body.Inputs[:i], outpoint) {
				return types.Refuse(types.CodeInputRepeated, "input %d names %s again", i, outpoint)
			}
			return err
		}
		x.need(owner)
	}
	return nil
}

// spendCoin removes an output that is locked to a key and returns whose it was.
func (x *execution) spendCoin(outpoint types.Outpoint) (owner types.PublicKey, err error) {
	output, ok := get[types.Output](x.State, outputKey(outpoint))
	if !ok {
		return owner, missing(outpoint)
	}
	x.remove(outputKey(outpoint))
	owner = output.Lock.Key
	x.coinsOf(owner).delta--
	return owner, x.credit(output.Asset, output.Amount)
}

func missing(outpoint types.Outpoint) error {
	return types.Refuse(types.CodeInputMissing, "input %s is not on the ledger", outpoint)
}

// spendFromTrade takes a part out of its trade, if the trade gives it to a key, and returns that key.
func (x *execution) spendFromTrade(outpoint types.Outpoint) (owner types.PublicKey, err error) {
	id, part, _ := outpoint.Trade()
	t, ok := get[types.Trade](x.State, tradeKey(id))
	if !ok {
		return owner, missing(outpoint)
	}
	evidence, before := x.evidence(), placesOf(t)
	evidence.InPlace = t == x.spentFrom // a copy already, which no other code holds
	next, effect, err := trade.Spend(t, part, evidence, x.now)
	if err != nil {
		return owner, err
	}
	x.spentFrom = next
	x.coinsOf(effect.Signer).parts++
	return effect.Signer, x.carryOut(id, before, next, &effect)
}

// queueOver sees to it that the marks of the trades which ended in this block are forgotten, once their pay-by has passed.
func (s *State) queueOver() {
	var over []Closed
	for _, closed := range s.closed {
		if !trade.Passed(closed.Trade.Agreement.Deadlines.PayBy, s.now) {
			over = append(over, closed)
		}
	}
	payBy := func(c Closed) types.Time { return c.Trade.Agreement.Deadlines.PayBy }
	slices.SortStableFunc(over, func(a, b Closed) int { return cmp.Compare(payBy(a), payBy(b)) })
	for page := 0; len(over) > 0; page++ {
		at := payBy(over[0])
		var ids tradeIDs
		for len(over) > 0 && payBy(over[0]) == at && len(ids) < idsPage {
			ids, over = append(ids, over[0].ID), over[1:]
		}
		s.add(overKey(at, s.clock.Height, page), &ids)
	}
}

// forgetTrade removes the mark that a trade has left.
func (s *State) forgetTrade(id types.TradeID) {
	at := tradeKey(id)
	e := s.known(&at)
	if e == nil {
		e = s.know(at.String(), Value{Encoded: []byte(overMark)}) // as endTrade has put it there
	}
	s.write(e, nil)
}
