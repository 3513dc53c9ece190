package explore

import (
	"fmt"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// A scene of orders goes from before a book opens until its auction is held and its trades are over. Both sides place orders, improve and
// worsen them and take them out; a direct agreement competes for the slot; the chain may stand still. The rules here are written from the
// specification (the section Auctions) and share no line with packages ledger and market.

// The times of the scene's product, whose slot is the one after that of the other scenes.
const (
	orderFrom  = board.SlotFrom + 2*(board.SlotUntil-board.SlotFrom)
	orderUntil = orderFrom + board.SlotUntil - board.SlotFrom
	orderGate  = types.Duration(100) // before the slot
	opensAt    = board.Opening + 10
	gateAt     = orderFrom - types.Time(orderGate)
	lastOutAt  = gateAt - types.Time(board.Window) // until then an order may be taken out or made worse
	lapseAt    = board.Opening + 50                // pay-by of the direct agreement
)

// The grid of the scene.
const (
	orderLot     = 3 // Wh
	orderDeposit = types.Amount(1)
	orderBond    = types.Amount(2)
	orderCeiling = types.Amount(types.LeastTicks)
)

// seat is the place of one order: of an owner and a number. Its choices are the orders that may come there.
type seat struct {
	by      board.Party
	side    types.Side
	number  uint8
	short   bool // its orders wait until the gate and no longer
	choices []choice
}

type choice struct {
	lots  uint64
	limit types.Amount
}

// seats: no two bids have one limit, so no tie is broken by a hash.
func seats() []seat {
	return []seat{
		{by: board.Producer, side: types.Sell, choices: []choice{{2, 4}, {2, 3}, {1, 6}}},
		{by: board.Producer, side: types.Bid, number: 1, choices: []choice{{1, 8}}},
		{by: board.Consumer, side: types.Bid, short: true, choices: []choice{{2, 5}, {2, 7}, {1, 5}}},
		{by: board.Stranger, side: types.Bid, choices: []choice{{1, 6}}},
	}
}

const seatCount = 4

// orderBook is the protocol's view of a scene of orders. Two states with one view are one state.
type orderBook struct {
	now, block types.Time
	coins      [board.Parties]types.Amount
	standing   [seatCount]uint8 // the choice at each seat, counted from 1; 0: none
	agreed     bool             // a direct agreement stands on the producer's slot
	held, sold bool             // the auction was held, and has sold something of the producer's slot
}

// orderRules are a scene of orders with values derived from it.
type orderRules struct {
	*Scene
	seats     []seat
	product   types.Product
	agreement types.Agreement
	purses    [board.Parties]types.Amount
}

func (r *orderRules) metered() bool { return r.Deals[0].Fallback == game.Metered }

// stake is all that the order at a seat can cost.
func (r *orderRules) stake(seat int, chosen uint8) types.Amount {
	if chosen == 0 {
		return 0
	}
	s := &r.seats[seat]
	c := s.choices[chosen-1]
	if s.side == types.Sell {
		return orderBond * types.Amount(c.lots)
	}
	return (c.limit + orderDeposit) * types.Amount(c.lots)
}

// place puts a choice at a seat, in place of the order there.
func (r *orderRules) place(b *orderBook, seat int, chosen uint8) string {
	s, old := &r.seats[seat], b.standing[seat]
	switch {
	case b.held || b.block < opensAt || b.block > gateAt:
		return "the book takes orders from its opening until its gate"
	case s.side == types.Sell && r.metered() && b.agreed:
		return "an agreement stands on the slot"
	case b.block > lastOutAt && r.meetsOwn(b, seat, chosen):
		return "so late an order must not take out one of its own owner"
	case b.block > lastOutAt && old != 0 && !better(s, s.choices[chosen-1], s.choices[old-1]):
		return "so late an order can only be improved"
	}
	b.coins[s.by] += r.stake(seat, old)
	b.coins[s.by] -= r.stake(seat, chosen)
	b.standing[seat] = chosen
	return ""
}

// better reports whether an order is at least as good for all others as the one before.
func better(s *seat, now, before choice) bool {
	if s.side == types.Sell {
		return now.limit <= before.limit && now.lots >= before.lots
	}
	return now.limit >= before.limit && now.lots >= before.lots
}

// meetsOwn reports whether an order would trade with one of its own owner.
func (r *orderRules) meetsOwn(b *orderBook, seat int, chosen uint8) bool {
	s := &r.seats[seat]
	for other := range r.seats {
		o := &r.seats[other]
		if other == seat || o.by != s.by || o.side == s.side || b.standing[other] == 0 {
			continue
		}
		mine, theirs := s.choices[chosen-1].limit, o.choices[b.standing[other]-1].limit
		if s.side == types.Bid && mine >= theirs || s.side == types.Sell && mine <= theirs {
			return true
		}
	}
	return false
}

func (r *orderRules) withdraw(b *orderBook, seat int) string {
	switch {
	case b.standing[seat] == 0:
		return "the order does not stand"
	case b.block > lastOutAt:
		return "so late no order is taken out"
	}
	b.coins[r.seats[seat].by] += r.stake(seat, b.standing[seat])
	b.standing[seat] = 0
	return ""
}

// agree records the direct agreement on the producer's slot.
func (r *orderRules) agree(b *orderBook) string {
	switch {
	case b.agreed:
		return "an agreement is recorded only once"
	case b.now > lapseAt:
		return "pay-by has passed"
	case r.metered() && (b.standing[0] != 0 || b.sold):
		return "the slot is for sale in an auction, or sold there"
	}
	b.agreed = true
	return ""
}

// match is a trade that the auction makes: of the producer's offer and the bid at a seat.
type match struct {
	seat int
	lots uint64
}

// outcome is the result of the auction.
type outcome struct {
	price   types.Amount
	matches []match
	begin   types.Time // of the time to deliver, in block time
}

// clear holds the auction: the rest of every stake is its owner's again.
func (r *orderRules) clear(b *orderBook) (out outcome) {
	out.begin = gateAt
	if b.block.Since(gateAt) > board.ClockCap { // late
		out.begin = b.block
	}
	var left [seatCount]uint64
	for i := range r.seats {
		late := r.seats[i].short && gateAt < out.begin
		if b.standing[i] != 0 && !late && out.begin.Add(board.Window) <= orderFrom {
			left[i] = r.seats[i].choices[b.standing[i]-1].lots
		}
	}
	if left[0] > 0 && left[1] > 0 && r.limit(b, 1) >= r.limit(b, 0) { // the producer's own orders are netted
		both := min(left[0], left[1])
		left[0], left[1] = left[0]-both, left[1]-both
	}
	out.price, out.matches = r.meet(b, left)
	used := [seatCount]types.Amount{}
	for _, m := range out.matches {
		used[m.seat] += (out.price + orderDeposit) * types.Amount(m.lots)
		used[0] += orderBond * types.Amount(m.lots)
	}
	for i := range r.seats {
		b.coins[r.seats[i].by] += r.stake(i, b.standing[i]) - used[i]
		b.standing[i] = 0
	}
	b.held, b.sold = true, len(out.matches) > 0
	return out
}

func (r *orderRules) limit(b *orderBook, seat int) types.Amount {
	if b.standing[seat] == 0 {
		return 0
	}
	return r.seats[seat].choices[b.standing[seat]-1].limit
}

// meet finds the price by trying each one, and serves the highest bids first.
func (r *orderRules) meet(b *orderBook, left [seatCount]uint64) (price types.Amount, matches []match) {
	var best [2]uint64                         // demand and supply at the price
	low, high := types.Amount(0), orderCeiling // the limits that take part bound the prices
	for i, lots := range left {
		if lots > 0 && (low == 0 || r.limit(b, i) < low) {
			low = r.limit(b, i)
		}
		if lots > 0 && (high == orderCeiling || r.limit(b, i) > high) {
			high = r.limit(b, i)
		}
	}
	var from, to types.Amount
	for p := low; low > 0 && p <= high; p++ {
		at := r.sides(b, left, p)
		switch volume, before := min(at[0], at[1]), min(best[0], best[1]); {
		case volume > before, volume == before && volume > 0 && max(at[0], at[1]) < max(best[0], best[1]):
			best, from, to = at, p, p
		case at == best && volume > 0 && p == to+1:
			to = p
		}
	}
	volume := min(best[0], best[1])
	switch {
	case volume == 0:
		return 0, nil
	case best[0] < best[1]:
		price = from
	case best[0] > best[1]:
		price = to
	default:
		price = (from + to) / 2
	}
	for limit := orderCeiling; limit >= price; limit-- {
		for i := range r.seats {
			if r.seats[i].side == types.Bid && left[i] > 0 && r.limit(b, i) == limit && volume > 0 {
				lots := min(left[i], volume)
				volume -= lots
				matches = append(matches, match{i, lots})
			}
		}
	}
	return price, matches
}

// sides are demand and supply at a price.
func (r *orderRules) sides(b *orderBook, left [seatCount]uint64, price types.Amount) (at [2]uint64) {
	for i, lots := range left {
		switch limit := r.limit(b, i); {
		case r.seats[i].side == types.Bid && limit >= price:
			at[0] += lots
		case r.seats[i].side == types.Sell && limit <= price:
			at[1] += lots
		}
	}
	return at
}

func (r *orderRules) title(seat int) string {
	s := &r.seats[seat]
	if s.side == types.Sell {
		return fmt.Sprintf("%s's offer", s.by)
	}
	return fmt.Sprintf("%s's bid", s.by)
}

// orderScenes are one under each kind of terms.
func orderScenes() (scenes []Scene) {
	for _, fallback := range []string{game.Metered, game.Hold} {
		scenes = append(scenes, Scene{
			Name: "orders before a gate, " + fallback, Orders: true, Outages: 1,
			Deals: []Deal{{Terms: game.Terms{Value: 11, Cost: 3, Price: 7, Deposit: 3, Bond: 2, Instalments: 1, Quantity: 5, Fallback: fallback, Matched: true}}},
		})
	}
	return scenes
}
