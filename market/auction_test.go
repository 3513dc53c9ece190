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

// willing is a buyer and a seller, unlike any drawn one, that meet every condition: they match.
func willing() []market.Entrant {
	var pair []market.Entrant
	for owner, side := range []types.Side{types.Bid, types.Sell} {
		order := &types.Order{
			Owner: types.PublicKey{100 + byte(owner)}, Side: side, Quantity: 3, MinFill: 1, Accepts: []types.Fallback{&types.Hold{}},
			Limit: types.Rate{Mantissa: 100 * uint64(1-owner)},
		}
		pair = append(pair, market.Entrant{Order: order, ID: order.ID(), Record: 100})
	}
	return pair
}

func drawEntrants(rt *rapid.T) []market.Entrant {
	var entrants []market.Entrant
	for i := range rapid.IntRange(0, 10).Draw(rt, "entrants") {
		order := &types.Order{
			Owner: types.PublicKey{byte(rapid.IntRange(0, 6).Draw(rt, "owner"))}, Number: uint8(i),
			Side: rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(rt, "side"), Quantity: rapid.Uint64Range(1, 12).Draw(rt, "quantity"),
			Limit: types.Rate{Mantissa: rapid.Uint64Range(1, 8).Draw(rt, "limit")}, MinFill: 1,
			Accepts: rapid.SampledFrom([][]types.Fallback{
				{&types.Hold{}}, {&types.Meter{}}, {&types.Meter{}, &types.Hold{}}, {&types.Arbiter{Key: types.PublicKey{9}}, &types.Hold{}},
			}).Draw(rt, "accepts"),
			MinRecord: rapid.SampledFrom(types.RecordLevels()).Draw(rt, "demands"),
		}
		order.MinFill = rapid.Uint64Range(1, order.Quantity).Draw(rt, "min fill")
		entrants = append(entrants, market.Entrant{Order: order, ID: order.ID(), Record: rapid.Uint8Max(100).Draw(rt, "record")})
	}
	return entrants
}

// describe writes an outcome without the order of the entrants in it.
func describe(entrants []market.Entrant) string {
	outcome := market.Auction(entrants)
	lines := []string{}
	for _, m := range outcome.Matches {
		round := outcome.Rounds[m.Round]
		lines = append(lines, fmt.Sprintf("%s/%d/%d %s: %d buys %d of %d", types.FallbackKind(round.Fallback), round.Sellers, round.Buyers,
			market.Decimal(round.Price.Rat()), entrants[m.Bid].Order.Number, m.Quantity, entrants[m.Offer].Order.Number))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestAuctionIsFair: the result doesn't depend on the order of the entrants; every matched order accepts the terms and the other's
// record, at its limit or better, not with itself; and no two orders that accept each other and would both trade at the
// price of a round they took part in, are left unserved, but for smallest fills.
func TestAuctionIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entrants := drawEntrants(rt)
		some := rapid.Bool().Draw(rt, "willing")
		if some {
			entrants = append(entrants, willing()...)
		}
		want := describe(entrants)
		if got := describe(rapid.Permutation(entrants).Draw(rt, "shuffled")); got != want {
			rt.Fatalf("the order of the entrants matters:\n%s\nand\n%s", got, want)
		}
		outcome := market.Auction(entrants)
		if some && len(outcome.Matches) == 0 {
			rt.Fatal("two who agree on everything are not matched, nor is anybody in their place")
		}
		filled := make([]uint64, len(entrants))
		for _, m := range outcome.Matches {
			bid, offer, round := entrants[m.Bid], entrants[m.Offer], outcome.Rounds[m.Round]
			filled[m.Bid] += m.Quantity
			filled[m.Offer] += m.Quantity
			accepts := func(o *types.Order) bool {
				return slices.ContainsFunc(o.Accepts, func(f types.Fallback) bool { return types.TermsRank(f) == types.TermsRank(round.Fallback) })
			}
			switch price := round.Price.Rat(); {
			case bid.Order.Side != types.Bid || offer.Order.Side != types.Sell || bid.Order.Owner == offer.Order.Owner || m.Quantity == 0:
				rt.Fatalf("%+v is no match", m)
			case !accepts(bid.Order) || !accepts(offer.Order):
				rt.Fatal("somebody trades under terms that it doesn't accept")
			case bid.Record < offer.Order.MinRecord || offer.Record < bid.Order.MinRecord:
				rt.Fatal("somebody trades with a record below its demand")
			case bid.Order.Limit.Rat().Cmp(price) < 0 || offer.Order.Limit.Rat().Cmp(price) > 0:
				rt.Fatal("somebody trades beyond its limit")
			}
		}
		for i, e := range entrants {
			if filled[i] != outcome.Filled[i] || filled[i] > e.Order.Quantity || filled[i] > 0 && filled[i] < e.Order.MinFill {
				rt.Fatalf("entrant %d has %d of its trades, %d by the outcome", i, filled[i], outcome.Filled[i])
			}
		}
	})
}

// TestNoPairIsLeft: two orders that accept each other and name no smallest fill are not both left with something that one
// would buy and the other sell.
func TestNoPairIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entrants := drawEntrants(rt)
		for i := range entrants {
			entrants[i].Order.MinFill = 1
			entrants[i].Order.Owner = types.PublicKey{byte(i)}
			entrants[i].Order.Accepts = []types.Fallback{&types.Hold{}}
			entrants[i].ID = entrants[i].Order.ID()
		}
		outcome := market.Auction(entrants)
		for i, bid := range entrants {
			for j, offer := range entrants {
				if bid.Order.Side == types.Bid && offer.Order.Side == types.Sell &&
					outcome.Filled[i] < bid.Order.Quantity && outcome.Filled[j] < offer.Order.Quantity &&
					bid.Record >= offer.Order.MinRecord && offer.Record >= bid.Order.MinRecord &&
					bid.Order.Limit.Rat().Cmp(offer.Order.Limit.Rat()) > 0 {
					rt.Fatalf("bid %d and offer %d are both left", i, j)
				}
			}
		}
	})
}

// TestMeteredOffersMakeSoManyTrades: a slot has places for so many, so an offer makes no more.
func TestMeteredOffersMakeSoManyTrades(t *testing.T) {
	t.Parallel()
	meter := []types.Fallback{&types.Meter{}}
	entrants := []market.Entrant{{Order: &types.Order{Side: types.Sell, Quantity: 1000, MinFill: 1, Accepts: meter}}}
	for i := range 300 {
		entrants = append(entrants, market.Entrant{ID: types.OrderID{1, byte(i), byte(i >> 8)}, Order: &types.Order{
			Owner: types.PublicKey{1, byte(i), byte(i >> 8)}, Side: types.Bid, Quantity: 2, MinFill: 1, Limit: types.Rate{Mantissa: 1}, Accepts: meter,
		}})
	}
	outcome := market.Auction(entrants)
	if len(outcome.Matches) != types.MaxClaims || outcome.Filled[0] != 2*types.MaxClaims || outcome.Rounds[0].Volume != 2*types.MaxClaims {
		t.Errorf("%d matches, %d sold", len(outcome.Matches), outcome.Filled[0])
	}
}

func BenchmarkAuction(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hold := []types.Fallback{&types.Hold{}}
			draw := rand.New(rand.NewPCG(1, 2))
			entrants := make([]market.Entrant, n)
			for i := range entrants {
				order := &types.Order{
					Side: market.Side(1 + i%2), Quantity: 1 + draw.Uint64N(1000), Limit: types.Rate{Mantissa: 10*draw.Uint64N(4000) + 1, Exponent: 4},
					MinFill: 1, Accepts: hold,
				}
				binary.BigEndian.PutUint64(order.Owner[:], uint64(i)+1)
				entrants[i] = market.Entrant{Order: order, ID: order.ID()}
			}
			b.ReportAllocs()
			for b.Loop() {
				if len(market.Auction(entrants).Rounds) != 1 {
					b.Fatal("nothing is traded")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/order")
		})
	}
}
