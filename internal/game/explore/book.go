package explore

import (
	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// book is the protocol's view (its sections 2 to 4) of a game so far: each party's permitted moves and money. It is
// written from the specification and shares no line with package ledger, so that each can show the other to be wrong.
// It is comparable: two states with one book are one state to the explorer.
type book struct {
	now, block types.Time // ledger clock and block time
	dust       uint8
	outages    uint8
	readAt     [2]types.Time // ledger clock at which each half of the slot was read; zero: it was not
	meter      int8          // index in Scene.Read of the metered quantity; -1 before the slot is over
	coins      [board.Parties]types.Amount
	trades     [2]entry
	offer      offerState
	remaining  uint64       // of the offer
	stake      types.Amount // of the offer
}

// offerState is whether the producer's offer stands.
type offerState uint8

const (
	neverPosted offerState = iota
	standing
	closed
)

// entry is the protocol's view of one trade.
type entry struct {
	phase    types.Phase // zero before the agreement is recorded
	rank     uint8       // of the block that recorded it, among those that recorded an agreement
	locked   [types.PartBond + 1]types.Amount
	released uint16
	placed   bool   // delivered, so it has its place in the slot
	goods    uint16 // instalments of the goods handed over, which no ledger can see
	held     uint16 // best preimage that the consumer handed over off the ledger
}

func (e *entry) sum() (total types.Amount) {
	for _, amount := range e.locked {
		total += amount
	}
	return total
}

// over says that nothing is locked in a recorded trade any more.
func (e *entry) over() bool { return e.phase > types.PhaseAgreed && e.sum() == 0 }

// rules is a scene with values derived from it.
type rules struct {
	*Scene
	board      *board.Board // at the opening
	agreements []types.Agreement
	ids        []types.TradeID
	deadlines  []types.Deadlines
	purses     [board.Parties]types.Amount
	records    map[[2]uint64]types.HexBytes // by page and quantity
	offer      types.Offer                  // where the deals are takes of one
	product    types.Product                // where they are matches
}

func (r *rules) due(i int, k uint16) types.Amount {
	return types.Amount(uint64(r.Deals[i].Price) * uint64(k) / uint64(r.Deals[i].Instalments))
}

// phase is the phase now: deadlines change it by passing.
func (r *rules) phase(b *book, i int) types.Phase {
	e, d := &b.trades[i], &r.deadlines[i]
	switch {
	case e.phase == types.PhaseAgreed && b.now > d.PayBy:
		return types.PhaseLapsed
	case e.phase == types.PhasePaid && b.now > d.DeliverBy:
		return types.PhaseRefunded
	}
	return e.phase
}

// owner returns the party that may spend a part of a trade.
func (r *rules) owner(b *book, i int, part types.Part) (board.Party, bool) {
	switch r.phase(b, i) {
	case types.PhaseRefunded:
		if part == types.PartBond { // a staked one
			return board.Producer, true
		}
		return buyer(i), part == types.PartPayment || part == types.PartDeposit
	case types.PhaseReleased:
		if part == types.PartReturn {
			return buyer(i), true
		}
		return board.Producer, part == types.PartPayment || part == types.PartBond
	}
	return board.Parties, false
}

// wealth returns the spendable sum of a party now.
func (r *rules) wealth(b *book, who board.Party) types.Amount {
	total := b.coins[who]
	for i := range r.Deals {
		for part := types.PartPayment; part <= types.PartBond; part++ {
			if owner, owned := r.owner(b, i, part); owned && owner == who {
				total += b.trades[i].locked[part]
			}
		}
	}
	return total
}

// The steps. Each changes the book, or says why the protocol forbids it.

func (r *rules) agree(b *book, i int, rank uint8) string {
	switch e := &b.trades[i]; {
	case e.phase != 0:
		return "an agreement is recorded only once"
	case b.now > r.deadlines[i].PayBy:
		return "pay-by has passed"
	default:
		e.phase, e.rank = types.PhaseAgreed, rank
	}
	return ""
}

func (r *rules) pay(b *book, i int) string {
	e, deal := &b.trades[i], &r.Deals[i]
	if phase := r.phase(b, i); phase != types.PhaseAgreed {
		return "paying is for an agreement, up to pay-by"
	}
	e.phase = types.PhasePaid
	e.locked[types.PartPayment], e.locked[types.PartDeposit] = deal.Price, deal.Deposit
	b.coins[buyer(i)] -= deal.Price + deal.Deposit
	return ""
}

func (r *rules) deliver(b *book, i int) string {
	e, deal := &b.trades[i], &r.Deals[i]
	switch {
	case r.phase(b, i) != types.PhasePaid:
		return "delivering is for a paid trade, up to deliver-by"
	case deal.Fallback == game.Metered && b.block >= board.SlotFrom:
		return "delivery is committed before the slot begins"
	}
	e.phase, e.placed = types.PhaseDelivered, deal.Fallback == game.Metered
	b.coins[board.Producer] -= r.bondToLock(b, i)
	e.locked[types.PartDeposit], e.locked[types.PartReturn], e.locked[types.PartBond] = 0, deal.Deposit, deal.Bond
	return ""
}

// bondToLock is the bond that the delivery takes from the producer: none if it was staked before.
func (r *rules) bondToLock(b *book, i int) types.Amount {
	return r.Deals[i].Bond - b.trades[i].locked[types.PartBond]
}

func (r *rules) release(b *book, i int, k uint16, right bool) string {
	e, deal := &b.trades[i], &r.Deals[i]
	switch {
	case r.phase(b, i) != types.PhaseDelivered:
		return "releasing is for a delivered trade"
	case deal.Fallback != game.Hold && b.now > r.deadlines[i].ConfirmBy:
		return "confirm-by has passed"
	case k <= e.released || k > deal.Instalments:
		return "that instalment is released, or there is none"
	case !right:
		return "that is not the secret"
	}
	if k == deal.Instalments {
		e.phase = types.PhaseReleased
	} else {
		cut := r.due(i, k) - r.due(i, e.released)
		e.locked[types.PartPayment] -= cut
		b.coins[board.Producer] += cut
	}
	e.released = k
	return ""
}

func (r *rules) divide(b *book, i int, phase types.Phase, toProducer, toConsumer types.Amount) string {
	e := &b.trades[i]
	if total, fits := toProducer.Add(toConsumer); !fits || total != e.sum() {
		return "the shares are not what is locked"
	}
	e.phase, e.locked = phase, [types.PartBond + 1]types.Amount{}
	b.coins[board.Producer] += toProducer
	b.coins[buyer(i)] += toConsumer
	return ""
}

// split is one that both have signed when the trade was in a phase, with so many instalments released.
func (r *rules) split(b *book, i int, signedIn types.Phase, released uint16, toProducer, toConsumer types.Amount) string {
	switch phase := r.phase(b, i); {
	case phase != types.PhasePaid && phase != types.PhaseDelivered:
		return "splitting is for a paid or a delivered trade"
	case phase != signedIn || b.trades[i].released != released:
		return "both have signed a split of the trade as it was before"
	}
	return r.divide(b, i, types.PhaseSplit, toProducer, toConsumer)
}

func (r *rules) award(b *book, i int, toProducer, toConsumer types.Amount) string {
	if r.Deals[i].Fallback != game.Arbitrated || r.phase(b, i) != types.PhaseDelivered || b.now <= r.deadlines[i].ConfirmBy {
		return "awarding is for a delivered trade under arbiter terms, after confirm-by"
	}
	return r.divide(b, i, types.PhaseAwarded, toProducer, toConsumer)
}

func (r *rules) settle(b *book, i int) string {
	e, deal := &b.trades[i], &r.Deals[i]
	if deal.Fallback != game.Metered || r.phase(b, i) != types.PhaseDelivered || b.now <= r.deadlines[i].ConfirmBy {
		return "settling is for a delivered trade under meter terms, after confirm-by"
	}
	q := r.allotted(b, i)
	paid := r.due(i, e.released)
	share := max(paid, deal.Price*types.Amount(q)/types.Amount(deal.TotalQuantity())) - paid
	share += deal.Bond * types.Amount(q) / types.Amount(deal.TotalQuantity())
	if q == deal.TotalQuantity() {
		share += deal.Deposit
	}
	return r.divide(b, i, types.PhaseSettled, share, e.sum()-share)
}

func (r *rules) spend(b *book, i int, part types.Part, who board.Party) string {
	e := &b.trades[i]
	if owner, owned := r.owner(b, i, part); !owned || owner != who || e.locked[part] == 0 {
		return "it is not " + who.String() + "'s"
	}
	b.coins[who] += e.locked[part]
	e.locked[part] = 0
	return ""
}

// allotted is a trade's part of the energy read in time: the trades before it first, in full; those of its block
// share the rest in proportion, the remaining units to the largest remainders, then to the smaller trade ID.
func (r *rules) allotted(b *book, i int) uint64 {
	me := &b.trades[i]
	before, claimed := uint64(0), uint64(0)
	peer := -1
	for j := range r.Deals {
		switch e := &b.trades[j]; {
		case !e.placed:
		case e.rank < me.rank:
			before += r.Deals[j].TotalQuantity()
		case e.rank == me.rank:
			claimed += r.Deals[j].TotalQuantity()
			if j != i {
				peer = j
			}
		}
	}
	there := r.readBy(b, r.readingBy(b, i))
	there = min(there-min(before, there), claimed)
	mine := r.Deals[i].TotalQuantity() * there
	q := mine / claimed
	if peer < 0 || mine%claimed == 0 { // two parts of a whole: either both remainders are zero or exactly one unit is left
		return q
	}
	theirs := r.Deals[peer].TotalQuantity() * there
	first := mine%claimed > theirs%claimed ||
		mine%claimed == theirs%claimed && string(r.ids[i][:]) < string(r.ids[peer][:])
	if first {
		q++
	}
	return q
}

// readBy returns the energy read by a moment.
func (r *rules) readBy(b *book, by types.Time) (total uint64) {
	for half, at := range b.readAt {
		if at != 0 && at <= by {
			total += r.counted(b)[half]
		}
	}
	return total
}

// counted returns the energy metered in each half of the slot.
func (r *rules) counted(b *book) [2]uint64 {
	if b.meter < 0 {
		return [2]uint64{}
	}
	total := r.Read[b.meter]
	return [2]uint64{total / 2, total - total/2}
}
