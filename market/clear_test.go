package market_test

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/market"
	"lockstep/types"
)

// parse reads orders, one a line: id side quantity price, then optionally owner=X and min=N.
func parse(t testing.TB, text string) (orders []market.Order) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fields := strings.Fields(line)
		o := market.Order{ID: fields[0], Side: market.Bid}
		if fields[1] == "offer" {
			o.Side = market.Offer
		}
		o.Quantity = number(t, fields[2])
		var err error
		if o.Price, err = types.ParseRate(fields[3]); err != nil {
			t.Fatal(err)
		}
		for _, option := range fields[4:] {
			name, value, _ := strings.Cut(option, "=")
			if name == "owner" {
				o.Owner = value
			} else {
				o.MinFill = number(t, value)
			}
		}
		orders = append(orders, o)
	}
	return orders
}

func number(t testing.TB, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func result(t testing.TB, orders []market.Order) string {
	t.Helper()
	c, err := market.Clear(orders)
	if err != nil {
		t.Fatal(err)
	}
	if c.Price == nil {
		return "nothing"
	}
	parts := []string{market.Decimal(c.Price), fmt.Sprint(c.Volume), market.Decimal(c.Welfare)}
	for _, fill := range c.Fills {
		parts = append(parts, fmt.Sprintf("%s:%d", fill.ID, fill.Quantity))
	}
	return strings.Join(parts, " ")
}

// Each row: the orders, then price, volume, welfare and the fills.
func TestClear(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ orders, want string }{
		"no orders that meet": {"a bid 5 10\n b offer 5 11", "nothing"},
		"only bids":           {"a bid 5 10", "nothing"},
		"one pair, the middle of their limits": {
			"a bid 5 10\n b offer 5 5", "7.5 5 25 a:5 b:5"},
		"equal limits": {"a bid 5 10\n b offer 5 10", "10 5 0 a:5 b:5"},
		"a textbook cross: the marginal offer is shared, so its limit is the price": {
			"b1 bid 10 50\n b2 bid 10 40\n b3 bid 10 30\n o1 offer 10 20\n o2 offer 10 35\n o3 offer 10 45",
			"37.5 20 350 b1:10 b2:10 o1:10 o2:10"},
		"excess supply at one limit is shared pro rata": {
			"b bid 10 9\n o1 offer 10 5\n o2 offer 10 5\n o3 offer 10 5", "7 10 40 b:10 o1:4 o2:3 o3:3"},
		"the better limit goes first on the long side": {
			"b bid 5 9\n o1 offer 5 5\n o2 offer 5 6", "5.5 5 20 b:5 o1:5"},
		"the smallest imbalance decides among prices of the same volume": {
			"b1 bid 5 10\n b2 bid 5 8\n o offer 5 5", "9 5 25 b1:5 o:5"},
		"exact decimals": {"a bid 3 0.30\n b offer 3 0.2999", "0.29995 3 0.0003 a:3 b:3"},
		"free energy":    {"a bid 3 0\n b offer 3 0", "0 3 0 a:3 b:3"},
		"an owner does not trade with itself": {
			"a bid 5 10 owner=x\n b offer 5 5 owner=x", "nothing"},
		"what an owner has left over trades with others": {
			"a bid 8 10 owner=x\n b offer 5 5 owner=x\n c offer 3 8", "9 3 6 a:3 c:3"},
		"all or nothing, and there is enough": {
			"a bid 5 10 min=5\n b offer 5 5", "7.5 5 25 a:5 b:5"},
		"all or nothing, and there is not enough": {"a bid 5 10 min=5\n b offer 4 5", "nothing"},
		"who asks for too large a part of its quantity is left out, the others share": {
			"b bid 10 9\n o1 offer 10 5 min=10\n o2 offer 10 5\n o3 offer 10 5", "7 10 40 b:10 o2:5 o3:5"},
		"what a smallest fill leaves over goes to the next limit": {
			"b bid 5 9\n o1 offer 10 5 min=8\n o2 offer 10 6", "7.5 5 15 b:5 o2:5"},
		"the price is that of the orders which take part": {
			"b1 bid 4 9\n b2 bid 3 8\n o1 offer 4 5\n o2 offer 10 6 min=10", "8.5 4 16 b1:4 o1:4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := result(t, parse(t, c.orders)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestClearRefuses(t *testing.T) {
	t.Parallel()
	for name, orders := range map[string][]market.Order{
		"no id":          parse(t, "a bid 5 10")[:0:0],
		"twice the id":   parse(t, "a bid 5 10\n a offer 5 10"),
		"no quantity":    parse(t, "a bid 0 10"),
		"huge quantity":  parse(t, "a bid 281474976710657 10"),
		"large min fill": parse(t, "a bid 5 10 min=6"),
		"side":           {{ID: "a", Quantity: 1}},
		"price form":     {{ID: "a", Side: market.Bid, Quantity: 1, Price: types.Rate{Mantissa: 10, Exponent: 1}}},
		"price exponent": {{ID: "a", Side: market.Bid, Quantity: 1, Price: types.Rate{Mantissa: 1, Exponent: 19}}},
	} {
		if name == "no id" {
			orders = []market.Order{{Side: market.Bid, Quantity: 1}}
		}
		if _, err := market.Clear(orders); err == nil {
			t.Errorf("%s: cleared", name)
		}
	}
}

func drawOrders(rt *rapid.T, minFills bool) (orders []market.Order) {
	for i := range rapid.IntRange(0, 9).Draw(rt, "orders") {
		o := market.Order{
			ID: fmt.Sprint(i), Side: market.Side(rapid.IntRange(1, 2).Draw(rt, "side")), Quantity: rapid.Uint64Range(1, 12).Draw(rt, "quantity"),
			Price: types.Rate{Mantissa: rapid.Uint64Range(0, 8).Draw(rt, "price")},
		}
		if owner := rapid.IntRange(0, 5).Draw(rt, "owner"); owner > 3 {
			o.Owner = fmt.Sprint("owner", owner)
		}
		if minFills && rapid.Bool().Draw(rt, "has min") {
			o.MinFill = rapid.Uint64Range(0, o.Quantity).Draw(rt, "min")
		}
		orders = append(orders, o)
	}
	return orders
}

// TestClearIsFair checks, with smallest fills and owners: the result doesn't depend on the order of the input; bought equals
// sold; nobody trades at a worse price than its limit, more than its quantity, less than its smallest fill or with itself.
func TestClearIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, true)
		want := result(t, orders)
		if got := result(t, rapid.Permutation(orders).Draw(rt, "shuffled")); got != want {
			rt.Fatalf("the order of the input matters: %s and %s", got, want)
		}
		c, _ := market.Clear(orders)
		sums, sides := map[market.Side]uint64{}, map[string]market.Side{}
		for _, fill := range c.Fills {
			o := orders[slices.IndexFunc(orders, func(o market.Order) bool { return o.ID == fill.ID })]
			sums[o.Side] += fill.Quantity
			limit := new(big.Rat).SetUint64(o.Price.Mantissa)
			if o.Side == market.Bid && limit.Cmp(c.Price) < 0 || o.Side == market.Offer && limit.Cmp(c.Price) > 0 {
				rt.Fatalf("order %s trades beyond its limit", o.ID)
			}
			if fill.Quantity > o.Quantity || fill.Quantity < o.MinFill || fill.Quantity == 0 {
				rt.Fatalf("order %s gets %d", o.ID, fill.Quantity)
			}
			if side, met := sides[o.Owner]; o.Owner != "" && met && side != o.Side {
				rt.Fatalf("owner %s is on both sides", o.Owner)
			}
			sides[o.Owner] = o.Side
		}
		if sums[market.Bid] != c.Volume || sums[market.Offer] != c.Volume {
			rt.Fatalf("bought %d, sold %d, volume %d", sums[market.Bid], sums[market.Offer], c.Volume)
		}
	})
}

// TestClearAgainstSearch compares with a search of another make: every price on a fine grid, every unit a pair of its own.
func TestClearAgainstSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, false)
		for i := range orders {
			orders[i].Owner = ""
		}
		var bids, offers []uint64 // a limit for each unit
		for _, o := range orders {
			units := slices.Repeat([]uint64{o.Price.Mantissa}, int(o.Quantity))
			if o.Side == market.Bid {
				bids = append(bids, units...)
			} else {
				offers = append(offers, units...)
			}
		}
		price, volume := search(bids, offers)
		c, err := market.Clear(orders)
		if err != nil {
			rt.Fatal(err)
		}
		if c.Volume != uint64(volume) {
			rt.Fatalf("volume %d, the search finds %d", c.Volume, volume)
		}
		if volume == 0 {
			return
		}
		if c.Price.Cmp(price) != 0 {
			rt.Fatalf("price %s, the search finds %s", c.Price, price)
		}
		slices.Sort(offers)
		slices.Sort(bids)
		slices.Reverse(bids)
		welfare := int64(0) // the best that any matching of so many units can have
		for i := range volume {
			welfare += int64(bids[i]) - int64(offers[i])
		}
		if c.Welfare.Cmp(new(big.Rat).SetInt64(welfare)) != 0 {
			rt.Fatalf("welfare %s, the best is %d", c.Welfare, welfare)
		}
	})
}

// search tries prices in steps of a fourth, which meets every limit and several points of every interval between two.
func search(bids, offers []uint64) (price *big.Rat, volume int) {
	best, imbalance := []int64{}, 0
	for p := int64(-4); p <= 40; p++ {
		demand, supply := 0, 0
		for _, limit := range bids {
			if int64(limit)*4 >= p {
				demand++
			}
		}
		for _, limit := range offers {
			if int64(limit)*4 <= p {
				supply++
			}
		}
		v, d := min(demand, supply), max(demand, supply)-min(demand, supply)
		switch {
		case len(best) == 0 || v > volume || v == volume && d < imbalance:
			best, volume, imbalance = []int64{p}, v, d
		case v == volume && d == imbalance:
			best = append(best, p)
		}
	}
	// An open end of the interval lies at the limit next to the last point tried: round outwards to it.
	low, high := best[0], best[len(best)-1]
	low -= ((low % 4) + 4) % 4
	if high%4 != 0 {
		high += 4 - high%4
	}
	return big.NewRat(low+high, 8), volume
}

func BenchmarkClear(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			orders := make([]market.Order, n)
			state := uint64(1)
			next := func(below uint64) uint64 { // a fixed sequence, the same in every run
				state = state*6364136223846793005 + 1442695040888963407
				return state >> 33 % below
			}
			for i := range orders {
				orders[i] = market.Order{
					ID: fmt.Sprintf("%07d", i), Side: market.Side(1 + i%2), Quantity: 1 + next(1000),
					Price: types.Rate{Mantissa: 10*next(4000) + 1, Exponent: 4},
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := market.Clear(orders); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/order")
		})
	}
}
