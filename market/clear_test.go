package market_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/market"
	"lockstep/types"
)

// parse reads orders, one a line: id side lots limit, then optionally owner=X, min=N and trades=N.
func parse(t testing.TB, text string) (orders []market.Order) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fields := strings.Fields(line)
		o := market.Order{ID: fields[0], Side: market.Bid, Lots: number(t, fields[2]), Limit: number(t, fields[3])}
		if fields[1] == "offer" {
			o.Side = market.Offer
		}
		for _, option := range fields[4:] {
			switch name, value, _ := strings.Cut(option, "="); name {
			case "owner":
				o.Owner = value
			case "min":
				o.MinFill = number(t, value)
			case "trades":
				o.MaxTrades = int(number(t, value))
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
	return describeClearing(c)
}

func describeClearing(c *market.Clearing) string {
	if c.Volume == 0 {
		return "nothing"
	}
	parts := []string{fmt.Sprint(c.Price), fmt.Sprint(c.Volume), c.Welfare.String()}
	for _, fill := range c.Fills {
		parts = append(parts, fmt.Sprintf("%s:%d", fill.ID, fill.Lots))
	}
	return strings.Join(parts, " ")
}

// Each row: the orders, then price, volume, welfare and the fills.
func TestClear(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ orders, want string }{
		"no orders that meet":                                  {"a bid 5 10\n b offer 5 11", "nothing"},
		"only bids":                                            {"a bid 5 10", "nothing"},
		"no orders":                                            {"", "nothing"},
		"one pair, the middle rounded down":                    {"a bid 5 10\n b offer 5 5", "7 5 25 a:5 b:5"},
		"limits one tick apart":                                {"a bid 5 10\n b offer 5 9", "9 5 5 a:5 b:5"},
		"equal limits":                                         {"a bid 5 10\n b offer 5 10", "10 5 0 a:5 b:5"},
		"limits at the ends of their range":                    {"a bid 5 18446744073709551615\n b offer 5 0", "9223372036854775808 5 92233720368547758075 a:5 b:5"},
		"surplus supply: the marginal offer":                   {"b bid 10 9\n o1 offer 5 3\n o2 offer 10 5\n o3 offer 5 7", "5 10 50 b:10 o1:5 o2:5"},
		"surplus demand: the marginal bid":                     {"o offer 10 2\n b1 bid 5 9\n b2 bid 10 7\n b3 bid 5 5", "7 10 60 b1:5 b2:5 o:10"},
		"surplus of equal size on both sides":                  {"b1 bid 5 10\n b2 bid 5 5\n o1 offer 5 2\n o2 offer 5 6", "5 5 40 b1:5 o1:5"},
		"an order beyond the price bounds it":                  {"b bid 5 20\n o1 offer 5 2\n o2 offer 5 12", "6 5 90 b:5 o1:5"},
		"a textbook cross":                                     {"b1 bid 10 50\n b2 bid 10 40\n b3 bid 10 30\n o1 offer 10 20\n o2 offer 10 35\n o3 offer 10 45", "37 20 350 b1:10 b2:10 o1:10 o2:10"},
		"excess supply at one limit is shared":                 {"b bid 10 9\n o1 offer 10 5\n o2 offer 10 5\n o3 offer 10 5", "5 10 40 b:10 o1:3 o2:3 o3:4"},
		"a better limit goes first":                            {"b bid 5 9\n o1 offer 5 5\n o2 offer 5 6", "5 5 20 b:5 o1:5"},
		"the smallest imbalance":                               {"b1 bid 5 10\n b2 bid 5 8\n o offer 5 5", "9 5 25 b1:5 o:5"},
		"no price is below a tick":                             {"a bid 3 0\n b offer 3 0", "nothing"},
		"an offer at nothing gets a tick":                      {"a bid 3 1\n b offer 3 0", "1 3 3 a:3 b:3"},
		"an owner's own orders":                                {"a bid 5 10 owner=x\n b offer 5 5 owner=x", "nothing"},
		"the rest after netting":                               {"a bid 8 10 owner=x\n b offer 5 5 owner=x\n c offer 3 8", "9 3 6 a:3 c:3"},
		"netting best against best":                            {"a bid 4 10 owner=x\n b bid 4 9 owner=x\n c offer 5 5 owner=x\n d offer 3 6", "7 3 9 b:3 d:3"},
		"a smallest fill beside an own offer":                  {"a bid 100 10 owner=x min=100\n b offer 2 3 owner=x\n c bid 2 5", "4 2 4 b:2 c:2"},
		"a smallest fill away from an own offer":               {"a bid 4 4 owner=x min=4\n b offer 2 5 owner=x\n c offer 6 2\n d bid 2 7", "3 6 18 a:4 c:6 d:2"},
		"all or nothing, and there is enough":                  {"a bid 5 10 min=5\n b offer 5 5", "7 5 25 a:5 b:5"},
		"all or nothing, and there is too little":              {"a bid 5 10 min=5\n b offer 4 5", "nothing"},
		"the order that asks for too large a part is left out": {"b bid 10 9\n o1 offer 10 5 min=10\n o2 offer 10 5\n o3 offer 10 5", "5 10 40 b:10 o2:5 o3:5"},
		"a smallest fill leaves the rest to the next limit":    {"b bid 5 9\n o1 offer 10 5 min=8\n o2 offer 10 6", "6 5 15 b:5 o2:5"},
		"a price without those left out":                       {"b1 bid 4 9\n b2 bid 3 8\n o1 offer 4 5\n o2 offer 10 6 min=10", "9 4 16 b1:4 o1:4"},
		"all or nothing beyond the price has no effect":        {"b bid 5 20\n o offer 5 2\n c offer 9 12 min=9", "11 5 90 b:5 o:5"},
		"an order joins when others have left":                 {"a bid 15 60 min=15\n b bid 10 50 min=10\n c offer 5 10\n d offer 5 11", "30 10 395 b:10 c:5 d:5"},
		"one that lets in a lower limit with a larger part":    {"a bid 12 1 min=4\n b bid 4 1 min=2\n c bid 4 2 min=4\n d offer 6 1", "1 6 4 b:2 c:4 d:6"},
		"the strictest of the worst level":                     {"a bid 6 2 min=6\n b bid 4 2\n c offer 11 2 min=2\n d offer 9 1 min=6", "2 10 0 a:6 b:4 c:10"},
		"an offer that joins when no bid does":                 {"a bid 5 3\n b offer 7 2 min=7\n c bid 3 2 min=3\n d offer 3 2 min=3", "3 3 3 a:3 d:3"},
		"hopeless beside the firm orders of its limit":         {"a offer 2 2 min=2\n b bid 3 3 min=3\n c offer 1 2\n d offer 3 2 min=3", "2 3 3 a:2 b:3 c:1"},
		"hopeless after a bid":                                 {"a bid 3 3 min=3\n b offer 39 3 min=39\n c offer 3 3 min=3", "3 3 0 a:3 c:3"},
		"room that others have taken":                          {"a bid 37 2 min=37\n b offer 34 2 min=34\n c offer 30 1 min=30\n d offer 36 1\n e bid 13 2\n f bid 6 2 min=6\n g bid 12 1 min=12\n h bid 8 2 min=8\n i offer 12 1 min=11", "1 31 19 d:31 e:13 f:6 g:12"},
		"nothing traded, no effect on the price":               {"a bid 4 2 min=4\n b offer 4 1\n c bid 2 1 min=2", "1 4 4 a:4 b:4"},
		"two at the margin":                                    {"a bid 14 6 min=14\n b bid 27 6 min=11\n c offer 28 2 min=26", "2 27 108 b:27 c:27"},
		"a crumb of the largest size":                          {"a bid 4 4 trades=1\n b offer 1 2\n c offer 1 3\n d offer 3 2", "3 3 6 a:3 d:3"},
		"a smallest fill that is just placed":                  {"a bid 20 7 min=20\n b bid 37 2\n c offer 40 2 trades=1", "5 20 100 a:20 c:20"},
		"a smallest fill broken by another's few trades":       {"a bid 34 5 trades=1\n b offer 36 5 trades=1\n c offer 29 2 min=4\n d bid 30 7 min=30", "5 34 0 a:34 b:34"},
		"a smallest fill that no trades can give":              {"a offer 13 6 trades=1\n b bid 28 6 min=28 trades=1\n c offer 26 2", "nothing"},
		"crumbs and smallest fills":                            {"a offer 1 2\n b offer 1 1\n c bid 3 7 trades=1\n d offer 2 6 min=2\n e offer 4 5 min=3", "7 1 6 b:1 c:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := result(t, parse(t, c.orders)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPhantoms: on the book of docs/explanation/markets.md a huge bid still moves the price, as every buyer of all that is offered does: it
// pays for all that is left. An order that trades nothing moves nothing.
func TestPhantoms(t *testing.T) {
	t.Parallel()
	const book = "elm bid 75 358\n hazel bid 51 353\n fir bid 90 337\n ginkgo bid 127 312\n ivy bid 99 299\n juniper bid 76 281\n loom bid 664 256\n kiln bid 1317 233\n" +
		"birch offer 1365 73\n alder offer 971 82\n cedar offer 746 96\n dairy offer 1414 114"
	clear := func(more string) *market.Clearing {
		c, err := market.Clear(parse(t, book+more))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := clear(""); c.Price != 96 || c.Volume != 2499 {
		t.Errorf("the book clears at %d: %d", c.Price, c.Volume)
	}
	for _, crumb := range []string{"\n x offer 1 232", "\n x bid 1 95", "\n x bid 1000000 95 min=1000000"} {
		if c := clear(crumb); c.Price != 96 || c.Volume != 2499 {
			t.Errorf("with %s it clears at %d: %d", crumb, c.Price, c.Volume)
		}
	}
	c := clear("\n x bid 1000000 232")
	i := slices.IndexFunc(c.Fills, func(f market.Fill) bool { return f.ID == "x" })
	if c.Price != 232 || c.Volume != 4496 || i < 0 || c.Fills[i].Lots != 1997 {
		t.Errorf("with a bid of 1,000,000 it clears at %d: %s", c.Price, result(t, parse(t, book+"\n x bid 1000000 232")))
	}
}

func TestClearRefuses(t *testing.T) {
	t.Parallel()
	for name, orders := range map[string][]market.Order{
		"no id":             {{Side: market.Bid, Lots: 1}},
		"a long id":         {{ID: strings.Repeat("x", 65), Side: market.Bid, Lots: 1}},
		"one id twice":      parse(t, "a bid 5 10\n a offer 5 10"),
		"no lots":           parse(t, "a bid 0 10"),
		"too many lots":     parse(t, "a bid 281474976710657 10"),
		"large min fill":    parse(t, "a bid 5 10 min=6"),
		"side":              {{ID: "a", Lots: 1}},
		"trades":            {{ID: "a", Side: market.Bid, Lots: 1, MaxTrades: -1}},
		"more than 64 bits": slices.Repeat([]market.Order{{ID: "a", Side: market.Bid, Lots: market.MaxLots}}, 1<<16),
	} {
		for i := range orders {
			if len(orders) > 2 {
				orders[i].ID = fmt.Sprint(i)
			}
		}
		if _, err := market.Clear(orders); err == nil {
			t.Errorf("%s: cleared", name)
		}
	}
	if _, err := market.Clear(parse(t, "a bid 281474976710656 18446744073709551615 min=281474976710656 trades=1")); err != nil {
		t.Errorf("an order at the bounds: %v", err)
	}
}

func drawOrders(rt *rapid.T, most int, minFills bool) (orders []market.Order) {
	for i := range rapid.IntRange(0, most).Draw(rt, "orders") {
		o := market.Order{
			ID: fmt.Sprintf("%02d", i), Side: market.Side(rapid.IntRange(1, 2).Draw(rt, "side")), Lots: rapid.Uint64Range(1, 12).Draw(rt, "lots"),
			Limit: rapid.Uint64Range(0, 8).Draw(rt, "limit"),
		}
		if owner := rapid.IntRange(0, 5).Draw(rt, "owner"); owner > 3 {
			o.Owner = fmt.Sprint("owner", owner)
		}
		if minFills && rapid.Bool().Draw(rt, "has min") {
			o.MinFill = rapid.Uint64Range(0, o.Lots).Draw(rt, "min")
		}
		orders = append(orders, o)
	}
	return orders
}

// TestClearAgainstReference compares price, volume and every fill with the rule as package market_test writes it down again.
func TestClearAgainstReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, 16, rapid.Bool().Draw(rt, "smallest fills"))
		c, err := market.Clear(orders)
		if err != nil {
			rt.Fatal(err)
		}
		r := newReference(orders)
		want := r.run()
		fills := make([]uint64, len(orders))
		for _, fill := range c.Fills {
			fills[slices.IndexFunc(orders, func(o market.Order) bool { return o.ID == fill.ID })] = fill.Lots
		}
		if c.Volume != want.volume || c.Volume > 0 && (c.Price != want.price || c.Low != want.low || c.High != want.high) || !slices.Equal(fills, want.fills) {
			rt.Fatalf("got %+v\nwant %+v", c, want)
		}
		for i := range orders {
			if r.out[i] && r.canJoin(i) {
				rt.Fatalf("order %s was left out, and would have its smallest fill", orders[i].ID)
			}
		}
	})
}

// TestClearIsFair: the input's order does not matter; bought equals sold; the short side is served in full; no order trades beyond its
// limit, more than its lots, less than its smallest fill, with more others than it can, or with its owner.
func TestClearIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, 12, true)
		if rapid.Bool().Draw(rt, "few trades") {
			for i := range orders {
				orders[i].MaxTrades = rapid.IntRange(0, 3).Draw(rt, "trades")
			}
		}
		want := result(t, orders)
		if got := result(t, rapid.Permutation(orders).Draw(rt, "shuffled")); got != want {
			rt.Fatalf("the order of the input matters: %s and %s", got, want)
		}
		c, _ := market.Clear(orders)
		sums, sides := map[market.Side]uint64{}, map[string]market.Side{}
		for _, fill := range c.Fills {
			o := orders[slices.IndexFunc(orders, func(o market.Order) bool { return o.ID == fill.ID })]
			sums[o.Side] += fill.Lots
			if o.Side == market.Bid && o.Limit < c.Price || o.Side == market.Offer && o.Limit > c.Price {
				rt.Fatalf("order %s trades beyond its limit", o.ID)
			}
			if fill.Lots > o.Lots || fill.Lots < o.MinFill || fill.Lots == 0 {
				rt.Fatalf("order %s gets %d", o.ID, fill.Lots)
			}
			if side, met := sides[o.Owner]; o.Owner != "" && met && side != o.Side {
				rt.Fatalf("owner %s is on both sides", o.Owner)
			}
			sides[o.Owner] = o.Side
		}
		if sums[market.Bid] != c.Volume || sums[market.Offer] != c.Volume {
			rt.Fatalf("bought %d, sold %d, volume %d", sums[market.Bid], sums[market.Offer], c.Volume)
		}
		if c.Volume > 0 && (c.Price < c.Low || c.Price > c.High) {
			rt.Fatalf("price %d is not among %d to %d", c.Price, c.Low, c.High)
		}
	})
}

// TestSplittingAnOrder: an owner that divides an order among several of the same limit gains or loses one lot at most.
func TestSplittingAnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, 10, false)
		orders = append(orders, market.Order{
			ID: "whole", Owner: "splitter", Side: market.Side(rapid.IntRange(1, 2).Draw(rt, "of side")), Lots: rapid.Uint64Range(2, 30).Draw(rt, "of lots"),
			Limit: rapid.Uint64Range(0, 8).Draw(rt, "of limit"),
		})
		whole := orders[len(orders)-1]
		parts := slices.Clone(orders[:len(orders)-1])
		for i, left := 0, whole.Lots; left > 0; i++ {
			part := whole
			part.ID, part.Lots = fmt.Sprint("part", i), rapid.Uint64Range(1, left).Draw(rt, "part")
			left -= part.Lots
			parts = append(parts, part)
		}
		gets := func(orders []market.Order) (lots, price uint64) {
			c, _ := market.Clear(orders)
			for _, fill := range c.Fills {
				if fill.ID == "whole" || strings.HasPrefix(fill.ID, "part") {
					lots += fill.Lots
				}
			}
			return lots, c.Price
		}
		one, price := gets(orders)
		many, split := gets(parts)
		if max(one, many)-min(one, many) > 1 || price != split {
			rt.Fatalf("%d lots at %d in one order, %d at %d in several", one, price, many, split)
		}
	})
}

// TestOrdersThatNeverTrade: orders whose smallest fill is more than the other side has, however many and at any limit, change nothing.
func TestOrdersThatNeverTrade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		orders := drawOrders(rt, 12, true)
		want := result(t, orders)
		side := market.Side(rapid.IntRange(1, 2).Draw(rt, "phantoms' side"))
		for i := range rapid.IntRange(1, 70).Draw(rt, "phantoms") {
			lots := 1_000_000 + uint64(i)
			orders = append(orders, market.Order{
				ID: fmt.Sprint("phantom", i), Owner: fmt.Sprint("phantoms", i%8), Side: side, Lots: lots, MinFill: lots,
				Limit: rapid.Uint64Range(0, 9).Draw(rt, "phantom's limit"),
			})
		}
		if got := result(t, orders); got != want {
			rt.Fatalf("with phantoms %s, without %s", got, want)
		}
	})
}

// TestCrumbs: a crowd of small offers does not crowd out a large one, nor does it fill the trades of a bid.
func TestCrumbs(t *testing.T) {
	t.Parallel()
	orders := []market.Order{
		{ID: "bid", Side: market.Bid, Lots: 10_000, Limit: 300, MaxTrades: types.MaxClaims},
		{ID: "offer", Side: market.Offer, Lots: 9_000, Limit: 200, MaxTrades: types.MaxClaims},
	}
	for i := range 10_000 {
		orders = append(orders, market.Order{ID: fmt.Sprint("crumb", i), Side: market.Offer, Lots: 1, Limit: 100, MaxTrades: types.MaxClaims})
	}
	gets := func(id string) uint64 {
		c, err := market.Clear(orders)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(c.Fills, func(f market.Fill) bool { return f.ID == id }); i >= 0 {
			return c.Fills[i].Lots
		}
		return 0
	}
	if got := gets("bid"); got < 9_000 {
		t.Errorf("the bid gets %d", got)
	}
	orders[0].MinFill = 9_000
	if got := gets("bid"); got < 9_000 {
		t.Errorf("the bid with a smallest fill gets %d", got)
	}
	for i := range 20_000 { // crumbs in tiers, each larger and dearer than the one before
		orders = append(orders, market.Order{
			ID: fmt.Sprint("tier", i), Side: market.Offer, Lots: 2 + uint64(i)/4_000, Limit: 101 + uint64(i)/4_000, MaxTrades: types.MaxClaims,
		})
	}
	if got := gets("bid"); got < 9_000 {
		t.Errorf("the bid gets %d beside tiers of crumbs", got)
	}
}

// TestLargeBidsOfFewTrades: a bid for more than its trades can bring neither takes the lots of others nor sets the price.
func TestLargeBidsOfFewTrades(t *testing.T) {
	t.Parallel()
	var orders []market.Order
	for i := range 5 {
		orders = append(orders, market.Order{ID: fmt.Sprint("large", i), Side: market.Bid, Lots: 1_000_000, Limit: 400 + uint64(i), MaxTrades: 1})
	}
	for i := range 500 {
		orders = append(orders,
			market.Order{ID: fmt.Sprint("bid", i), Side: market.Bid, Lots: 10, Limit: 300, MaxTrades: types.MaxClaims},
			market.Order{ID: fmt.Sprint("offer", i), Side: market.Offer, Lots: 11, Limit: 100, MaxTrades: types.MaxClaims})
	}
	c, err := market.Clear(orders)
	if err != nil {
		t.Fatal(err)
	}
	if served := len(slices.DeleteFunc(c.Fills, func(f market.Fill) bool { return f.Side != market.Bid || f.Lots < 10 })); served < 500 || c.Price != 100 {
		t.Errorf("%d bids are served, at %d", served, c.Price)
	}
}

// FuzzClear: any orders are refused, or cleared within their limits.
func FuzzClear(f *testing.F) {
	f.Add([]byte{1, 0, 1, 5, 5, 0, 2, 0, 2, 5, 5, 0})
	f.Add([]byte{1, 1, 1, 255, 255, 255, 2, 1, 2, 255, 0, 64})
	f.Fuzz(func(t *testing.T, data []byte) {
		var orders []market.Order
		wide := func(b byte) uint64 { return (uint64(b%16) + 1) << (b / 16 * 4) >> 1 } // small numbers and very large ones
		for ; len(data) >= 6; data = data[6:] {
			orders = append(orders, market.Order{
				ID: string(data[:1]), Owner: string(data[1:2]), Side: market.Side(data[2] % 4), Lots: wide(data[3]), Limit: wide(data[4]),
				MinFill: wide(data[5]), MaxTrades: int(data[2]/4) - 1,
			})
		}
		c, err := market.Clear(orders)
		if err != nil {
			return
		}
		var sums [3]uint64
		for _, fill := range c.Fills {
			o := orders[slices.IndexFunc(orders, func(o market.Order) bool { return o.ID == fill.ID })]
			sums[o.Side] += fill.Lots
			if fill.Lots > o.Lots || fill.Lots < max(o.MinFill, 1) || o.Side == market.Bid && c.Price > o.Limit || o.Side == market.Offer && c.Price < o.Limit {
				t.Fatalf("%+v gets %d at %d", o, fill.Lots, c.Price)
			}
		}
		if sums[market.Bid] != c.Volume || sums[market.Offer] != c.Volume {
			t.Fatalf("bought and sold %d, volume %d", sums, c.Volume)
		}
	})
}

func BenchmarkClear(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			orders := make([]market.Order, n)
			draw := rand.New(rand.NewPCG(1, 2))
			for i := range orders {
				orders[i] = market.Order{ID: fmt.Sprintf("%07d", i), Side: market.Side(1 + i%2), Lots: 1 + draw.Uint64N(1000), Limit: draw.Uint64N(4000)}
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
