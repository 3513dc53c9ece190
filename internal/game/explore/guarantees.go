package explore

import (
	"fmt"
	"slices"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
)

// The guarantees of the protocol's section 5, as checks of one state. Each returns the breach, or nothing.

// conserved is the first: issued = spendable + locked + fees, every coin and every trade as the protocol says, and the
// commitment that followed the changes is that of the state.
func (r *rules) conserved(at *board.Board, b *book) string {
	sums, recomputed, err := ledger.Audit(at.View)
	if err != nil {
		return "guarantee 1, value is conserved: " + err.Error()
	}
	if recomputed != at.Sum {
		return "the commitment is not that of the state"
	}
	asset := at.Money()
	var spendable types.Amount
	for p := range board.Parties {
		spendable += r.wealth(b, p)
	}
	if got := sums[asset.ID()].Spendable; got != spendable {
		return fmt.Sprintf("the parties should be able to spend %s, the ledger would let them spend %s", spendable, got)
	}
	return ""
}

// asInTheBook compares the ledger with the book: every party's coins, every trade's phase and locked money.
func (r *rules) asInTheBook(at *board.Board, b *book) string {
	var coins [board.Parties]types.Amount
	var locked [2][types.PartBond + 1]types.Amount
	for outpoint, holding := range at.Reader().Holdings() {
		if id, part, ofTrade := outpoint.Trade(); ofTrade {
			if i := slices.Index(r.ids[:], id); i >= 0 {
				locked[i][part] += holding.Amount
			}
			continue
		}
		owner, known := at.Whose(holding.Key)
		if !known {
			return "an output belongs to nobody in the game"
		}
		coins[owner] += holding.Amount
	}
	for p := range board.Parties {
		if coins[p] != b.coins[p] {
			return fmt.Sprintf("guarantee 1: %s should have %s and has %s", p, b.coins[p], coins[p])
		}
	}
	if offer, stands := at.Reader().Offer(r.offer.ID()); r.Offered && (stands != r.stands(b) || stands && (offer.Remaining != b.remaining || offer.Stake != b.stake)) {
		return fmt.Sprintf("the offer should stand: %t with %d left and %s staked; it stands: %t", r.stands(b), b.remaining, b.stake, stands)
	}
	for i := range r.Deals {
		if why := r.tradeAsInTheBook(at, b, i, locked[i]); why != "" {
			return why
		}
	}
	return ""
}

func (r *rules) tradeAsInTheBook(at *board.Board, b *book, i int, locked [types.PartBond + 1]types.Amount) string {
	e := &b.trades[i]
	for part := types.PartPayment; part <= types.PartBond; part++ {
		if locked[part] != e.locked[part] {
			return fmt.Sprintf("guarantee 1: the %s of %s should be %s and is %s", part, r.title(i), e.locked[part], locked[part])
		}
	}
	t, live := at.Reader().Trade(r.ids[i])
	phase := r.phase(b, i)
	should := phase != 0 && phase != types.PhaseLapsed && !e.over()
	switch {
	case live != should:
		return fmt.Sprintf("%s should be in the state: %t, is in it: %t", r.title(i), should, live)
	case live && (trade.PhaseAt(t, at.Clock.Now()) != phase || t.Released != e.released):
		return fmt.Sprintf("%s should be %s with %d released, the ledger says %s with %d",
			r.title(i), phase, e.released, trade.PhaseAt(t, at.Clock.Now()), t.Released)
	}
	return ""
}

// kept is the second and the third: the sums that an honest party keeps against all moves of the others.
func (r *rules) kept(b *book) string {
	switch r.honest() {
	case board.Consumer:
		return r.consumerKept(b)
	case board.Producer:
		return r.producerKept(b)
	}
	return ""
}

func (r *rules) consumerKept(b *book) string {
	e, deal := &b.trades[0], &r.Deals[0]
	lost := int64(r.purses[board.Consumer]) - int64(r.wealth(b, board.Consumer))
	price, deposit, bond := int64(deal.Price), int64(deal.Deposit), int64(deal.Bond)
	phase := r.phase(b, 0)
	undelivered := phase == 0 || phase == types.PhaseAgreed || phase == types.PhaseLapsed || phase == types.PhaseRefunded
	switch {
	case undelivered && lost != 0:
		return fmt.Sprintf("guarantee 2: there is no delivery, and the honest consumer is short of %d", lost)
	case lost > price+deposit:
		return fmt.Sprintf("guarantee 2: the honest consumer has lost %d, more than price and deposit", lost)
	case deal.Fallback == game.Hold && e.released > e.goods:
		return fmt.Sprintf("guarantee 2: %d instalments are paid, %d were handed over", e.released, e.goods)
	case phase == types.PhaseReleased && lost != price:
		return fmt.Sprintf("guarantee 2: the honest consumer has released and is short of %d, not of the price %d", lost, price)
	case phase == types.PhaseSettled:
		q, quantity := int64(r.allotted(b, 0)), int64(deal.TotalQuantity())
		if fair := price*q/quantity - (bond - bond*q/quantity); lost != fair {
			return fmt.Sprintf("guarantee 2: %d of %d were read, the honest consumer should have paid %d and paid %d", q, quantity, fair, lost)
		}
	}
	return ""
}

func (r *rules) producerKept(b *book) string {
	wealth := int64(r.wealth(b, board.Producer))
	least := int64(r.purses[board.Producer])
	for i := range r.Deals {
		e, deal := &b.trades[i], &r.Deals[i]
		phase := r.phase(b, i)
		paid := int64(r.due(i, e.released))
		switch {
		case phase == types.PhaseDelivered:
			if int(e.goods) > int(max(e.released, e.held))+1 {
				return "guarantee 3: more than one instalment of goods is unpaid"
			}
			least += paid - int64(deal.Bond)
		case phase == types.PhasePaid: // a staked bond waits for the delivery
			least -= int64(e.locked[types.PartBond])
		case phase == types.PhaseAwarded:
			least += paid - int64(deal.Bond)
		case phase == types.PhaseReleased || phase == types.PhaseSettled:
			least += int64(deal.Price)
		}
	}
	if wealth < least {
		return fmt.Sprintf("guarantee 3: the honest producer could spend %d and should have %d at least", wealth, least)
	}
	return ""
}

// freed is the fourth: under meter terms, any remaining party can free all the money by waiting and settling.
func (r *rules) freed(at *board.Board, b *book) string {
	running := false
	for i := range r.Deals {
		if r.Deals[i].Fallback != game.Metered {
			return ""
		}
		running = running || r.phase(b, i) == types.PhaseDelivered
	}
	if !running {
		return "" // agreed lapses, paid is refunded, all others are spendable: asInTheBook and conserved have seen it
	}
	last := r.deadlines[0].ConfirmBy
	for i := range r.deadlines {
		last = max(last, r.deadlines[i].ConfirmBy)
	}
	later := at.At(last + 1)
	state := later.Begin(0)
	for i, id := range r.ids {
		if b.trades[i].phase == types.PhaseDelivered {
			if result := state.Execute(types.NewSettle(at.Params.ChainID, id), true); result.Code != types.CodeOK {
				return "guarantee 4: after confirm-by nobody can settle: " + result.Detail
			}
		}
	}
	later.Append(state)
	sums, _, err := ledger.Audit(later.View)
	if err != nil {
		return "guarantee 4: " + err.Error()
	}
	asset := at.Money()
	if locked := sums[asset.ID()].Locked; locked != 0 {
		return fmt.Sprintf("guarantee 4: %s stays locked for good", locked)
	}
	return ""
}
