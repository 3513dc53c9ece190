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

// stalled reports whether the chain stood still between two moments of the ledger clock, of which the later one is at most now: a party
// that missed a deadline meanwhile is excused. An outage takes a clock cap of the ledger clock, so one that ended less than that after the
// later moment had begun before it. Outages are known for a horizon, the longest that a trade lasts.
func (s *State) stalled(since, until types.Time) bool {
	end := max(until, since).Add(s.params.ClockCap)
	if at := s.clock.Stalled; at > since && at < end {
		return true
	}
	first, last := timeKey(kindStall, since.Add(s.params.Horizon)+1), timeKey(kindStall, end.Add(s.params.Horizon))
	found := false
	s.view.Ascend(first.String(), last.String(), func(string, Value) bool {
		found = true
		return false
	})
	return found
}

// missed counts a missed duty against a party, unless the chain stood still in the time that it had, or it had none.
func (s *State) missed(r *types.Conduct, price types.Amount, since, until types.Time) (counted bool) {
	if since >= until || s.stalled(since, until) {
		r.Excused++
		return false
	}
	r.Failed = r.Failed.Saturate(price)
	return true
}

// recordRefund is for a match that its producer did not deliver, under terms without a meter. It is called when deliver-by has passed.
func (s *State) recordRefund(id types.TradeID) {
	t, ok := get[types.Trade](s, tradeKey(id))
	if !ok || trade.PhaseAt(t, s.now) != types.PhaseRefunded {
		return
	}
	agreement := &t.Agreement
	paid, _ := t.Step(types.StepPaid)
	s.editConduct(agreement.Producer, agreement.Asset, func(r *types.Conduct) {
		if s.missed(r, agreement.Price, paid.At, agreement.Deadlines.DeliverBy) {
			r.Refunds++
		}
	})
}

// goodsDue is the entry by which a match is on record if it is still undelivered. One that is made after deliver-by, which takes a long
// backlog, is due at once: no entry is made for a moment that has passed, see reached.
func goodsDue(id types.TradeID, t *types.Trade, made types.Time) key {
	return queueKey(max(t.Agreement.Deadlines.DeliverBy, made), queueGoods, id)
}

// refundDue records a refund that a flood of due entries has left to a later block, before the consumer's spending ends the trade.
func (s *State) refundDue(id types.TradeID, trade *types.Trade) {
	paid, _ := trade.Step(types.StepPaid)
	at := goodsDue(id, trade, paid.At)
	if _, left := get[mark](s, at); left {
		s.recordRefund(id)
		s.remove(at)
	}
}

// recordFill is for a match that was released: both did their part. Under meter terms it counts as far as the meter has seen the goods:
// so two keys of one owner make no record beyond the energy that really flowed. Without a meter the release is all that there is.
func (s *State) recordFill(id types.TradeID, t *types.Trade) {
	agreement, seen := &t.Agreement, t.Agreement.Price
	if !agreement.Goods.Flow.IsZero() {
		seen = seenBy(agreement, trade.Allot(s.mustSlot(t), id))
	}
	for _, party := range []types.PublicKey{agreement.Producer, agreement.Consumer} {
		s.editConduct(party, agreement.Asset, func(r *types.Conduct) {
			r.Fills++
			r.Kept = r.Kept.Saturate(seen)
		})
	}
}

// seenBy returns the part of the price for the part of the quantity that was read.
func seenBy(a *types.Agreement, read uint64) types.Amount {
	return a.Price.Share(min(read, a.Goods.Quantity), a.Goods.Quantity)
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
func (s *State) recordSettlement(t *types.Trade) {
	agreement, by := &t.Agreement, &t.Agreement.Deadlines
	seen, full := seenBy(agreement, t.Allotted), t.Allotted >= agreement.Goods.Quantity
	s.editConduct(agreement.Producer, agreement.Asset, func(r *types.Conduct) {
		r.Disputes++
		r.Kept = r.Kept.Saturate(seen)
		if !full {
			s.missed(r, agreement.Price-seen, by.DeliverBy, by.ReadingBy)
		}
	})
	s.editConduct(agreement.Consumer, agreement.Asset, func(r *types.Conduct) {
		r.Disputes++
		if full {
			s.missed(r, agreement.Price, by.DeliverBy, by.ConfirmBy)
		} else {
			r.Kept = r.Kept.Saturate(seen)
		}
	})
}
