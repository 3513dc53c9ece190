package market_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/market"
	"lockstep/types"
)

// grid has lots of 5 units and ticks of 10.
func grid() *types.Grid {
	return &types.Grid{Lot: 5, Tick: 10, Ceiling: 10_000, Deposit: 1, Bond: 1, Fallback: &types.Meter{}}
}

// order is one on the grid.
func order(owner byte, side types.Side, lots, limit uint64) *types.Order {
	g := grid()
	o := &types.Order{
		Owner: types.PublicKey{owner}, Side: side, Lot: g.Lot, Quantity: lots * g.Lot, Limit: types.Amount(limit) * g.Tick, MinFill: g.Lot, Fallback: g.Fallback,
	}
	if side == types.Bid {
		o.Depth = types.MaxDigestDepth
	}
	return o
}

// willing is a buyer and a seller, unlike any drawn one, that meet every condition: they match.
func willing() []market.Entrant {
	return []market.Entrant{{Order: order(100, types.Bid, 3, 100), Record: 100}, {Order: order(101, types.Sell, 3, 0), Record: 100}}
}

func drawEntrants(rt *rapid.T) []market.Entrant {
	var entrants []market.Entrant
	for i := range rapid.IntRange(0, 10).Draw(rt, "entrants") {
		o := order(
			rapid.ByteRange(0, 6).Draw(rt, "owner"), rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(rt, "side"),
			rapid.Uint64Range(1, 12).Draw(rt, "lots"), rapid.Uint64Range(1, 8).Draw(rt, "limit"))
		o.Number = uint8(i)
		o.MinRecord = rapid.SampledFrom(types.RecordLevels()).Draw(rt, "demands")
		o.MinFill = rapid.Uint64Range(1, o.Lots()).Draw(rt, "min fill") * o.Lot
		if o.Side == types.Bid {
			o.Depth = rapid.Uint8Max(3).Draw(rt, "depth")
		}
		entrants = append(entrants, market.Entrant{Order: o, Record: rapid.Uint8Max(100).Draw(rt, "record")})
	}
	return entrants
}

// describe writes an outcome without the order of the entrants in it.
func describe(entrants []market.Entrant, product types.ProductID) string {
	outcome := market.Auction(entrants, grid(), product)
	lines := []string{}
	for _, m := range outcome.Matches {
		round := outcome.Rounds[m.Round]
		lines = append(lines, fmt.Sprintf("%d: %d/%d %d: %d buys %d of %d by %d",
			m.Round, round.Sellers, round.Buyers, round.Price, entrants[m.Bid].Order.Number, m.Lots, entrants[m.Offer].Order.Number, m.Leaf))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestAuctionIsFair: the result does not depend on the order of the entrants; every match is within limits, records and smallest fills,
// between two owners, of few enough trades, each under a leaf of its own; and a round has fewer pairs than orders.
func TestAuctionIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entrants := drawEntrants(rt)
		some := rapid.Bool().Draw(rt, "willing")
		if some {
			entrants = append(entrants, willing()...)
		}
		product := types.ProductID{rapid.Byte().Draw(rt, "product")}
		want := describe(entrants, product)
		if got := describe(rapid.Permutation(entrants).Draw(rt, "shuffled"), product); got != want {
			rt.Fatalf("the order of the entrants matters:\n%s\nand\n%s", got, want)
		}
		outcome := market.Auction(entrants, grid(), product)
		if some && len(outcome.Matches) == 0 {
			rt.Fatal("two that agree on everything are not matched, nor is any other in their place")
		}
		checkOutcome(rt, entrants, outcome)
	})
}

func checkOutcome(rt *rapid.T, entrants []market.Entrant, outcome *market.Outcome) {
	filled, trades, volumes := make([]uint64, len(entrants)), make([]int, len(entrants)), make([]uint64, len(outcome.Rounds))
	orders, pairs := make([]map[int]bool, len(outcome.Rounds)), make([]int, len(outcome.Rounds))
	for _, m := range outcome.Matches {
		bid, offer, round := entrants[m.Bid], entrants[m.Offer], outcome.Rounds[m.Round]
		switch {
		case bid.Order.Side != types.Bid || offer.Order.Side != types.Sell || bid.Order.Owner == offer.Order.Owner || m.Lots == 0:
			rt.Fatalf("%+v is no match", m)
		case bid.Record < max(offer.Order.MinRecord, round.Buyers) || offer.Record < max(bid.Order.MinRecord, round.Sellers):
			rt.Fatal("an order trades with a record below its demand, or in a round below its level")
		case bid.Order.Limit < round.Price || offer.Order.Limit > round.Price || round.Price%grid().Tick != 0:
			rt.Fatal("an order trades beyond its limit, or off the ticks")
		case int(m.Leaf) != trades[m.Bid]:
			rt.Fatalf("leaf %d is of trade %d of its bid", m.Leaf, trades[m.Bid])
		}
		if orders[m.Round] == nil {
			orders[m.Round] = map[int]bool{}
		}
		for _, i := range []int{m.Bid, m.Offer} {
			filled[i] += m.Lots * grid().Lot
			trades[i]++
			orders[m.Round][i] = true
		}
		pairs[m.Round]++
		volumes[m.Round] += m.Lots * grid().Lot
	}
	for i, e := range entrants {
		if filled[i] != outcome.Filled[i] || filled[i] > e.Order.Quantity || filled[i] > 0 && filled[i] < e.Order.MinFill || trades[i] > e.Order.MaxTrades() {
			rt.Fatalf("entrant %d has %d in %d trades, %d by the outcome", i, filled[i], trades[i], outcome.Filled[i])
		}
	}
	for i, round := range outcome.Rounds {
		if round.Volume != volumes[i] || pairs[i] >= len(orders[i]) {
			rt.Fatalf("round %d of %d has %d pairs of %d orders for %d", i, round.Volume, pairs[i], len(orders[i]), volumes[i])
		}
	}
}

// TestNoPairIsLeft: two orders that accept each other, name no smallest fill and can make any number of trades are not both left with
// lots that one would buy and the other sell.
func TestNoPairIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entrants := drawEntrants(rt)
		for i, e := range entrants {
			e.Order.MinFill = 1
			e.Order.Owner = types.PublicKey{byte(i)}
			if e.Order.Side == types.Bid {
				e.Order.Depth = types.MaxDigestDepth
			}
		}
		outcome := market.Auction(entrants, grid(), types.ProductID{})
		for i, bid := range entrants {
			for j, offer := range entrants {
				if bid.Order.Side == types.Bid && offer.Order.Side == types.Sell &&
					outcome.Filled[i] < bid.Order.Quantity && outcome.Filled[j] < offer.Order.Quantity &&
					bid.Record >= offer.Order.MinRecord && offer.Record >= bid.Order.MinRecord && bid.Order.Limit > offer.Order.Limit {
					rt.Fatalf("bid %d and offer %d are both left", i, j)
				}
			}
		}
	})
}

// TestAuctionIsAClearing: where no order demands a record, the auction is the clearing of its orders.
func TestAuctionIsAClearing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entrants := drawEntrants(rt)
		orders := make([]market.Order, len(entrants))
		for i, e := range entrants {
			o := e.Order
			o.MinRecord = 0
			if o.Side == types.Bid {
				o.Depth = types.MaxDigestDepth
			}
			orders[i] = market.Order{
				ID: fmt.Sprintf("%02d", o.Number), Owner: string(o.Owner[:]), Side: o.Side, Lots: o.Lots(), Limit: uint64(o.Limit / grid().Tick),
				MinFill: o.MinFill / grid().Lot,
			}
		}
		outcome := market.Auction(entrants, grid(), types.ProductID{})
		c, err := market.Clear(orders)
		if err != nil {
			rt.Fatal(err)
		}
		if len(outcome.Rounds) != min(int(c.Volume), 1) {
			rt.Fatalf("rounds %+v, volume %d", outcome.Rounds, c.Volume)
		}
		if c.Volume == 0 {
			return
		}
		if round := outcome.Rounds[0]; uint64(round.Price) != 10*c.Price || round.Volume != 5*c.Volume {
			rt.Fatalf("a round %+v, a clearing of %d at %d", round, c.Volume, c.Price)
		}
		for i, filled := range outcome.Filled {
			lots := uint64(0)
			if k := slices.IndexFunc(c.Fills, func(f market.Fill) bool { return f.ID == orders[i].ID }); k >= 0 {
				lots = c.Fills[k].Lots
			}
			if filled != 5*lots {
				rt.Fatalf("order %d gets %d units in the auction, %d lots in the clearing", i, filled, lots)
			}
		}
	})
}

// TestOrdersMakeSoManyTrades: an offer has places for so many claims, a bid digests for so many.
func TestOrdersMakeSoManyTrades(t *testing.T) {
	t.Parallel()
	for _, side := range []types.Side{types.Bid, types.Sell} {
		entrants := []market.Entrant{{Order: order(1, side, 1000, 5)}}
		for i := range 300 {
			o := order(2, types.Bid+types.Sell-side, 2, 5)
			binary.BigEndian.PutUint16(o.Owner[1:], uint16(i))
			entrants = append(entrants, market.Entrant{Order: o})
		}
		const most = 2 * 256 * 5
		outcome := market.Auction(entrants, grid(), types.ProductID{})
		if len(outcome.Matches) != 256 || outcome.Filled[0] != most || len(outcome.Rounds) != 1 || outcome.Rounds[0].Volume != most {
			t.Errorf("a %s: %d matches, %d traded, rounds %+v", side, len(outcome.Matches), outcome.Filled[0], outcome.Rounds)
		}
	}
}

// TestOffersOfAPoint: the offers of one connection point share the places of its slot.
func TestOffersOfAPoint(t *testing.T) {
	t.Parallel()
	var entrants []market.Entrant
	for i := range uint8(3) {
		o := order(1, types.Sell, 200, 5)
		o.Number, o.Flow = i, types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport}
		entrants = append(entrants, market.Entrant{Order: o})
	}
	for i := range 400 {
		o := order(2, types.Bid, 1, 5)
		binary.BigEndian.PutUint16(o.Owner[1:], uint16(i))
		entrants = append(entrants, market.Entrant{Order: o})
	}
	if got := len(market.Auction(entrants, grid(), types.ProductID{}).Matches); got != 255 {
		t.Errorf("%d matches of one slot, want 3 times 85", got)
	}
}

// TestSmallestFillOverRounds: an order that got its smallest fill in one round takes any rest in the next.
func TestSmallestFillOverRounds(t *testing.T) {
	t.Parallel()
	bid, other := order(1, types.Bid, 10, 100), order(2, types.Bid, 1, 90)
	bid.MinFill = 8 * bid.Lot
	other.MinRecord = 80
	entrants := []market.Entrant{{Order: bid}, {Order: other}, {Order: order(3, types.Sell, 8, 50), Record: 90}, {Order: order(4, types.Sell, 2, 50)}}
	outcome := market.Auction(entrants, grid(), types.ProductID{})
	if len(outcome.Rounds) != 2 || outcome.Filled[0] != 50 {
		t.Errorf("rounds %+v, the bid gets %d units", outcome.Rounds, outcome.Filled[0])
	}
}

// TestOrdersThatLargeOnesLeave: those that an order of too few trades leaves unserved trade with each other in a round of their own.
func TestOrdersThatLargeOnesLeave(t *testing.T) {
	t.Parallel()
	large := order(1, types.Bid, 10_000, 300) // wants the crumbs and the large offer
	large.Depth = 0
	entrants := []market.Entrant{
		{Order: large}, {Order: order(2, types.Sell, 9_000, 200)}, {Order: order(3, types.Bid, 3, 150)}, {Order: order(4, types.Sell, 3, 100)},
	}
	outcome := market.Auction(entrants, grid(), types.ProductID{})
	for i, want := range []uint64{9_000, 9_000, 3, 3} {
		if outcome.Filled[i] != 5*want {
			t.Errorf("entrant %d gets %d lots, want %d: rounds %+v", i, outcome.Filled[i]/5, want, outcome.Rounds)
		}
	}
}

// TestCrowdingOut: keys that bid high for all there is, and fill the trades of these bids with slightly larger offers of their own, take
// no energy from others beyond their payment: those trade in a round of their own.
func TestCrowdingOut(t *testing.T) {
	t.Parallel()
	var entrants []market.Entrant
	add := func(i int, o *types.Order) {
		binary.BigEndian.PutUint16(o.Owner[1:], uint16(i))
		entrants = append(entrants, market.Entrant{Order: o})
	}
	for i := range 4 {
		add(i, order(1, types.Bid, 1_000_000, 900-uint64(i)))
		for k := range 256 {
			add(256*i+k, order(2, types.Sell, 301+uint64(i), 800-uint64(i)))
		}
	}
	honest := len(entrants)
	for i := range 2000 {
		add(i, order(3, types.Sell, 300, 100))
		if i < 900 {
			add(i, order(4, types.Bid, 300, 200))
		}
	}
	outcome := market.Auction(entrants, grid(), types.ProductID{})
	for i := honest; i < len(entrants); i++ {
		if o := entrants[i].Order; o.Side == types.Bid && outcome.Filled[i] < o.Quantity {
			t.Fatalf("an honest bid gets %d of %d: rounds %+v", outcome.Filled[i], o.Quantity, outcome.Rounds)
		}
	}
}

// TestTiesFollowTheProduct: which of two equals gets the odd lot changes from product to product.
func TestTiesFollowTheProduct(t *testing.T) {
	t.Parallel()
	entrants := []market.Entrant{{Order: order(1, types.Bid, 1, 5)}, {Order: order(2, types.Bid, 1, 5)}, {Order: order(3, types.Sell, 1, 5)}}
	won := [2]int{}
	for i := range byte(100) {
		for k := range won {
			won[k] += int(market.Auction(entrants, grid(), types.ProductID{i}).Filled[k]) / 5
		}
	}
	if won[0]+won[1] != 100 || min(won[0], won[1]) < 25 {
		t.Errorf("the first wins %d times, the second %d of 100", won[0], won[1])
	}
}

func BenchmarkAuction(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		draw := rand.New(rand.NewPCG(1, 2))
		entrants := make([]market.Entrant, n)
		for i := range entrants {
			o := order(0, types.Side(1+i%2), 1+draw.Uint64N(1000), draw.Uint64N(1000))
			binary.BigEndian.PutUint64(o.Owner[:], uint64(i)+1)
			entrants[i] = market.Entrant{Order: o}
		}
		benchmark(b, fmt.Sprint(n), entrants)
	}
}

// BenchmarkHostileAuction holds auctions of 100,000 orders that are made to cost the most work.
func BenchmarkHostileAuction(b *testing.B) {
	const n = 100_000
	for _, hostile := range hostileBooks() {
		draw := rand.New(rand.NewPCG(1, 2))
		entrants := make([]market.Entrant, n)
		for i := range entrants {
			o := hostile.order(draw, i, n)
			binary.BigEndian.PutUint64(o.Owner[:], uint64(i)+1)
			o.MinFill = max(o.MinFill, o.Lot)
			entrants[i] = market.Entrant{Order: o, Record: 100}
		}
		benchmark(b, hostile.name, entrants)
	}
}

type hostileBook struct {
	name  string
	order func(draw *rand.Rand, i, n int) *types.Order
}

func hostileBooks() []hostileBook {
	all := func(o *types.Order) *types.Order { o.MinFill = o.Quantity; return o }
	return []hostileBook{
		{"all or nothing", func(draw *rand.Rand, i, _ int) *types.Order {
			return all(order(0, types.Side(1+i%2), 1+draw.Uint64N(1000), draw.Uint64N(1000)))
		}},
		{"one limit, all or nothing", func(draw *rand.Rand, i, _ int) *types.Order {
			return all(order(0, types.Side(1+i%2), 1+draw.Uint64N(1000), uint64(2-2*(i%2))))
		}},
		{"sizes that double", func(_ *rand.Rand, i, n int) *types.Order {
			return all(order(0, types.Side(1+i%2), 1+1<<(40*uint64(i)/uint64(n)), uint64(i%1000)))
		}},
		{"a ladder of one more each", func(_ *rand.Rand, i, n int) *types.Order {
			o := order(0, types.Side(1+i%2), uint64(i)+1, 500)
			o.MinFill = (o.Lots() - o.Lots()/8) * o.Lot
			return o
		}},
		{"crumbs for bids of few trades", func(draw *rand.Rand, i, _ int) *types.Order {
			if i%50 == 0 {
				o := order(0, types.Bid, 1_000_000, 900+draw.Uint64N(100))
				o.Depth = uint8(i / 50 % 3)
				return o
			}
			return order(0, types.Side(1+i%2), 1+draw.Uint64N(1+uint64(i)/100), draw.Uint64N(1000))
		}},
		{"every level of records", func(draw *rand.Rand, i, _ int) *types.Order {
			o := all(order(0, types.Side(1+i%2), 1+draw.Uint64N(1000), draw.Uint64N(1000)))
			o.MinRecord = types.RecordLevels()[draw.IntN(3)]
			o.Depth = min(o.Depth, uint8(i%4))
			return o
		}},
	}
}

func benchmark(b *testing.B, name string, entrants []market.Entrant) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		var outcome *market.Outcome
		for b.Loop() {
			if outcome = market.Auction(entrants, grid(), types.ProductID{}); len(outcome.Rounds) == 0 {
				b.Fatal("nothing is traded")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entrants)), "ns/order")
		b.ReportMetric(float64(len(outcome.Rounds)), "rounds")
		b.ReportMetric(float64(len(outcome.Matches)), "matches")
	})
}
