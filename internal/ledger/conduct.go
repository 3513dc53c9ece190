package ledger

import (
	"lockstep/trade"
	"lockstep/types"
)

// The ledger keeps a record of each key's conduct in its matches by auction: an order can demand a least record of the other
// side. Trades that were agreed on otherwise leave no record here; an index of the chain counts them all.

// record returns the record of a key; never nil.
func (s *State) conduct(key types.PublicKey, asset types.AssetID) *types.Conduct {
	if record, known := get[types.Conduct](s, conductKey(key, asset)); known {
		return record
	}
	return &types.Conduct{}
}

func (s *State) editConduct(key types.PublicKey, asset types.AssetID, edit func(*types.Conduct)) {
	if _, known := get[types.Conduct](s, conductKey(key, asset)); !known && !s.useAsset(asset) {
		return // of an asset that is no more nothing could be paid
	}
	next := *s.conduct(key, asset)
	edit(&next)
	s.put(conductKey(key, asset), &next)
}

func matched(trade *types.Trade) bool {
	_, matched := trade.Step(types.StepMatched)
	return matched
}

// excused reports whether the chain stood still after a step of a trade: a deadline missed since then counts against no party.
func (s *State) excused(trade *types.Trade, since types.StepKind) bool {
	step, _ := trade.Step(since)
	return s.clock.Stalled > step.At
}

// recordLapse is for a match that its consumer did not pay.
func (s *State) recordLapse(trade *types.Trade) {
	if !matched(trade) {
		return
	}
	agreement, excused := &trade.Agreement, s.excused(trade, types.StepMatched)
	s.editConduct(agreement.Consumer, agreement.Asset, func(r *types.Conduct) {
		if excused {
			r.Excused++
			return
		}
		r.Lapses++
		r.Failed = r.Failed.Saturate(agreement.Price)
	})
}

// recordRefund is for a match that was paid and that its producer did not deliver. It is called when deliver-by has passed.
func (s *State) recordRefund(id types.TradeID) {
	t, ok := get[types.Trade](s, tradeKey(id))
	if !ok || trade.PhaseAt(t, s.now) != types.PhaseRefunded {
		return
	}
	agreement, excused := &t.Agreement, s.excused(t, types.StepPaid)
	s.editConduct(agreement.Consumer, agreement.Asset, func(r *types.Conduct) { r.Kept = r.Kept.Saturate(agreement.Price) })
	s.editConduct(agreement.Producer, agreement.Asset, func(r *types.Conduct) {
		if excused {
			r.Excused++
			return
		}
		r.Refunds++
		r.Failed = r.Failed.Saturate(agreement.Price)
	})
}

// refundDue records a refund that a flood of due entries has left to a later block, before the consumer's spending ends the trade.
func (s *State) refundDue(id types.TradeID, trade *types.Trade) {
	at := queueKey(trade.Agreement.Deadlines.DeliverBy, queueGoods, id)
	if _, left := get[mark](s, at); left {
		s.recordRefund(id)
		s.remove(at)
	}
}

// recordFill is for a match that was released: both did their part.
func (s *State) recordFill(trade *types.Trade) {
	agreement := &trade.Agreement
	for _, party := range []types.PublicKey{agreement.Producer, agreement.Consumer} {
		s.editConduct(party, agreement.Asset, func(r *types.Conduct) {
			r.Fills++
			r.Kept = r.Kept.Saturate(agreement.Price)
		})
	}
}

// recordDispute records a match that ended by an award: the price counts against no party. A split leaves no record: both parties
// signed it.
func (s *State) recordDispute(trade *types.Trade) {
	agreement := &trade.Agreement
	for _, party := range []types.PublicKey{agreement.Producer, agreement.Consumer} {
		s.editConduct(party, agreement.Asset, func(r *types.Conduct) { r.Disputes++ })
	}
}

// recordSettlement records a match that ended by settlement. A shortfall of the reading counts against the producer; a withheld
// release in spite of a full reading counts against the consumer.
func (s *State) recordSettlement(trade *types.Trade) {
	agreement := &trade.Agreement
	quantity := agreement.Goods.Quantity
	read := agreement.Price.Share(min(trade.Allotted, quantity), quantity)
	s.editConduct(agreement.Producer, agreement.Asset, func(r *types.Conduct) {
		r.Disputes++
		r.Kept, r.Failed = r.Kept.Saturate(read), r.Failed.Saturate(agreement.Price-read)
	})
	s.editConduct(agreement.Consumer, agreement.Asset, func(r *types.Conduct) {
		r.Disputes++
		if trade.Allotted >= quantity {
			r.Failed = r.Failed.Saturate(agreement.Price)
		} else {
			r.Kept = r.Kept.Saturate(agreement.Price)
		}
	})
}
