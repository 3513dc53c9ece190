package explore

import (
	"fmt"
	"slices"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// An honest party is a strategy: its moves, and the moves that it makes before their deadlines. All others do as they
// like, and act as one. The moments at which an honest party acts are not fixed: all that lie before its deadlines are
// tried, and others may act before and after it.

// may reports whether a move can happen: whether those whose signatures or secrets it takes would give them.
func (r *rules) may(b *book, m *move) bool {
	honest := r.honest()
	if honest == board.Parties {
		return true
	}
	if m.kind == "release" && honest == buyer(m.trade) {
		return m.instalment == r.wantsToRelease(b, m.trade)
	}
	if !slices.Contains(m.by, honest) && !slices.Contains(m.mandates, honest) {
		return true
	}
	return m.kind != "split" // it takes every other step of its own that the protocol has
}

// wantsToRelease is the instalment that an honest consumer releases now: "no goods, no secret". Zero: none.
func (r *rules) wantsToRelease(b *book, i int) uint16 {
	e, deal := &b.trades[i], &r.Deals[i]
	if r.phase(b, i) != types.PhaseDelivered {
		return 0
	}
	if deal.Fallback != game.Metered {
		if e.goods > e.released {
			return e.goods
		}
		return 0
	}
	seen := *b
	seen.readAt = [2]types.Time{1, 1} // the delivery is the metered quantity, posted or not
	if b.meter >= 0 && r.allotted(&seen, i) == deal.TotalQuantity() {
		return deal.Instalments
	}
	return 0
}

// neglects says whether an honest party would miss a duty if time passed from one book to the other.
func (r *rules) neglects(from, to *book) bool {
	passes := func(deadline types.Time) bool { return from.now <= deadline && to.now > deadline }
	for i := range r.Deals {
		e := &from.trades[i]
		if r.phase(from, i) != types.PhaseDelivered || r.Deals[i].Fallback == game.Hold {
			continue
		}
		late := passes(r.deadlines[i].ConfirmBy)
		switch {
		case r.honest() == buyer(i) && late && r.wantsToRelease(from, i) > 0:
			return true
		case r.honest() != board.Producer:
		case late && e.held > e.released:
			return true
		case r.Deals[i].Fallback == game.Metered && passes(r.readingBy(from, i)) && from.readAt[0] == 0:
			return true
		}
	}
	return false
}

// readingBy is the deadline by which a producer must post its readings to have them counted for a trade: trades of one
// slot that were recorded in the same block share the energy read by the earliest reading-by among them.
func (r *rules) readingBy(b *book, i int) types.Time {
	by := r.deadlines[i].ReadingBy
	for j := range r.Deals {
		if b.trades[j].placed && b.trades[j].rank == b.trades[i].rank {
			by = min(by, r.deadlines[j].ReadingBy)
		}
	}
	return by
}

// offLedger are the moves that no ledger sees: goods are handed over, preimages too. They matter where somebody is honest.
func (r *rules) offLedger(b *book) (moves []*move) {
	for i := range r.Deals {
		e, deal := b.trades[i], &r.Deals[i]
		if r.Honest == "" || r.phase(b, i) != types.PhaseDelivered || deal.Fallback == game.Metered {
			continue
		}
		if e.goods < deal.Instalments && (r.honest() != board.Producer || e.goods <= max(e.released, e.held)) {
			m := &move{says: fmt.Sprintf("the producer hands over instalment %d of the goods", e.goods+1), next: *b}
			m.next.trades[i].goods++
			moves = append(moves, m)
		}
		useful := deal.Fallback == game.Hold || b.now <= r.deadlines[i].ConfirmBy
		for k := max(e.held, e.released) + 1; useful && r.honest() == board.Producer && k <= deal.Instalments; k++ {
			m := &move{says: fmt.Sprintf("%s hands the secret of instalment %d to the producer, off the ledger", buyer(i), k), next: *b}
			m.next.trades[i].held = k
			moves = append(moves, m)
		}
	}
	return moves
}

// counts are the values that the meter may have reached: an honest producer delivers the sold quantity.
func (r *rules) counts() (indexes []int8) {
	var sold uint64
	for i := range r.Deals {
		sold += r.Deals[i].TotalQuantity()
	}
	for i, read := range r.Read {
		if r.honest() != board.Producer || read >= sold {
			indexes = append(indexes, int8(i))
		}
	}
	return indexes
}
