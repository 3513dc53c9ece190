package types_test

import (
	"strings"
	"testing"

	"lockstep/types"
)

func TestConductPercent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept, failed types.Amount
		want         uint8
	}{
		{0, 0, 0}, {1, 0, 100}, {0, 1, 0}, {2, 1, 66}, {99, 1, 99}, {999, 1, 99}, {types.MaxAmount, types.MaxAmount, 50}, {types.MaxAmount, 0, 100}, {types.MaxAmount, 1, 100},
	} {
		record := types.Conduct{Kept: c.kept, Failed: c.failed}
		if got := record.Percent(); got != c.want {
			t.Errorf("kept %s, failed %s: %d %%, want %d", c.kept, c.failed, got, c.want)
		}
	}
}

func TestSaturate(t *testing.T) {
	t.Parallel()
	if got := types.Amount(5).Saturate(types.MaxAmount); got != types.MaxAmount {
		t.Errorf("got %s", got)
	}
	if got := types.Amount(5).Saturate(2); got != 7 {
		t.Errorf("got %s", got)
	}
}

func TestMarketParamsCheck(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*types.MarketParams){
		"closes before it opens":  func(m *types.MarketParams) { m.Opens = m.Gate },
		"no time to deliver":      func(m *types.MarketParams) { m.Gate = 1 },
		"no time to withdraw":     func(m *types.MarketParams) { m.Opens = m.Gate + 1 },
		"no time to read":         func(m *types.MarketParams) { m.Reading = 0 },
		"beyond the horizon":      func(m *types.MarketParams) { m.Confirm = 1 << 62 },
		"no grid":                 func(m *types.MarketParams) { m.Grids = nil },
		"too many grids":          func(m *types.MarketParams) { m.Grids = make([]types.Grid, types.MaxGrids+1) },
		"no lot":                  func(m *types.MarketParams) { m.Grids[0].Lot = 0 },
		"a lot beyond an order":   func(m *types.MarketParams) { m.Grids[1].Lot = 1<<43 + 1 },
		"no tick":                 func(m *types.MarketParams) { m.Grids[0].Tick = 0 },
		"a ceiling between ticks": func(m *types.MarketParams) { m.Grids[0].Tick, m.Grids[0].Ceiling = 3, 1000 },
		"a ceiling beyond 2^48":   func(m *types.MarketParams) { m.Grids[0].Ceiling = 1<<48 + 1 },
		"too few ticks":           func(m *types.MarketParams) { m.Grids[0].Ceiling = 99 },
		"no deposit":              func(m *types.MarketParams) { m.Grids[0].Deposit = 0 },
		"no bond":                 func(m *types.MarketParams) { m.Grids[0].Bond = 0 },
		"a bond beyond 2^48":      func(m *types.MarketParams) { m.Grids[0].Bond = 1<<48 + 1 },
		"no terms":                func(m *types.MarketParams) { m.Grids[0].Fallback = nil },
		"a weak arbiter":          func(m *types.MarketParams) { m.Grids[0].Fallback = &types.Arbiter{} },
		"a name with an escape":   func(m *types.MarketParams) { m.Grids[0].Unit = "\x1b[2J" },
		"no room":                 func(m *types.MarketParams) { m.MaxOrders = 1 },
		"no orders for a key":     func(m *types.MarketParams) { m.KeyOrders = 0 },
		"no quantity":             func(m *types.MarketParams) { m.MaxQuantity = 0 },
		"sums beyond 64 bits":     func(m *types.MarketParams) { m.MaxQuantity = 1<<43 + 1 },
		"nobody may enter":        func(m *types.MarketParams) { m.Entry = types.EntryNobody },
		"opens beyond everything": func(m *types.MarketParams) { m.Opens = 1 << 63 },
	} {
		params := sampleParams()
		edit(&params.Market)
		if code := types.CodeOf(params.Check()); code != types.CodeMalformed && code != types.CodeText && code != types.CodeWeakKey {
			t.Errorf("%s: %v", name, params.Check())
		}
	}
	params := sampleParams()
	params.Market = types.MarketParams{}
	if err := params.Check(); err != nil {
		t.Errorf("a ledger without a market: %v", err)
	}
}

func TestOrderCheck(t *testing.T) {
	t.Parallel()
	params := sampleParams()
	params.Market.Grids[0].Lot, params.Market.Grids[0].Tick, params.Market.Grids[0].Ceiling = 10, 5, 1000
	for _, c := range []struct {
		name string
		want types.Code
		text string // in the refusal
		edit func(*types.Order)
	}{
		{"good", types.CodeOK, "", func(*types.Order) {}},
		{"at the ceiling", types.CodeOK, "", func(o *types.Order) { o.Limit = 1000 }},
		{"other chain", types.CodeChain, "", func(o *types.Order) { o.ChainID = "other" }},
		{"no side", types.CodeOrder, "neither", func(o *types.Order) { o.Side = 3 }},
		{"off the lots", types.CodeOrder, "the nearest are 1490 and 1500", func(o *types.Order) { o.Quantity = 1495 }},
		{"below a lot", types.CodeOrder, "the nearest is 10", func(o *types.Order) { o.Quantity = 5; o.MinFill = 5 }},
		{"smallest fill off the lots", types.CodeOrder, "the nearest are 90 and 100", func(o *types.Order) { o.MinFill = 95 }},
		{"smallest fill above", types.CodeOrder, "smallest fill", func(o *types.Order) { o.MinFill = 1510 }},
		{"off the ticks", types.CodeOrder, "the nearest are 120 and 125", func(o *types.Order) { o.Limit = 122 }},
		{"below a tick", types.CodeOrder, "the nearest is 5", func(o *types.Order) { o.Limit = 1 }},
		{"above the ceiling", types.CodeOrder, "ceiling of 1000", func(o *types.Order) { o.Limit = 1005 }},
		{"bid of nothing", types.CodeOrder, "above zero", func(o *types.Order) { o.Limit = 0 }},
		{"other lot", types.CodeOrder, "make it again", func(o *types.Order) { o.Lot = 1 }},
		{"other deposit", types.CodeOrder, "make it again", func(o *types.Order) { o.Deposit++ }},
		{"other bond", types.CodeOrder, "make it again", func(o *types.Order) { o.Bond++ }},
		{"other terms", types.CodeOrder, "hold terms", func(o *types.Order) { o.Fallback = &types.Hold{} }},
		{"no terms", types.CodeOrder, "make it again", func(o *types.Order) { o.Fallback = nil }},
		{"no product", types.CodeProduct, "no lots and ticks", func(o *types.Order) { o.Product.Unit = "MWh" }},
		{"no digests", types.CodeOrder, "root", func(o *types.Order) { o.Root = types.Hash{} }},
		{"too deep", types.CodeOrder, "at most 8 deep", func(o *types.Order) { o.Depth = 9 }},
		{"bid with a point", types.CodeOrder, "producer's", func(o *types.Order) { o.Flow = sampleGoods().Flow }},
		{"offer with digests", types.CodeOrder, "consumer's", func(o *types.Order) { o.Side, o.Flow = types.Sell, sampleGoods().Flow }},
		{"record of no level", types.CodeOrder, "least record", func(o *types.Order) { o.MinRecord = 50 }},
		{"runs out before the gate", types.CodeOrder, "gate closure", func(o *types.Order) { o.Expires = noon }},
	} {
		order := sampleBid()
		order.Lot, order.Limit = 10, 300
		c.edit(&order)
		product := params
		product.Market.Grids = params.Market.Grids[:1]
		if c.name == "no product" {
			order.Product.Commodity = "water"
		}
		err := order.Check(&product)
		if types.CodeOf(err) != c.want || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestOfferOrderCheck(t *testing.T) {
	t.Parallel()
	params := sampleParams()
	order := sampleOrder()
	if err := order.Check(&params); err != nil {
		t.Error(err)
	}
	order.Flow = types.Flow{}
	if types.CodeOf(order.Check(&params)) != types.CodeFallback {
		t.Errorf("an offer under meter terms without a meter: %v", order.Check(&params))
	}
	params.Market.Grids[0].Fallback, order.Fallback, order.Flow = &types.Hold{}, &types.Hold{}, sampleGoods().Flow
	if types.CodeOf(order.Check(&params)) != types.CodeOrder {
		t.Errorf("a point without meter terms: %v", order.Check(&params))
	}
	key := types.Arbiter{Key: keyOf("arbiter")}
	params.Market.Grids[0].Fallback, order.Fallback, order.Flow = &key, &key, types.Flow{}
	if err := order.Check(&params); err != nil {
		t.Error(err)
	}
	order.Fallback = &types.Arbiter{Key: keyOf("mallory")}
	if types.CodeOf(order.Check(&params)) != types.CodeOrder {
		t.Errorf("another arbiter: %v", order.Check(&params))
	}
}

// An order locks all that it can cost, for all its lots or some of them.
func TestOrderLocks(t *testing.T) {
	t.Parallel()
	bid, offer := sampleBid(), sampleOrder()
	if stake, ok := bid.Stake(); !ok || stake != 1500*(300+10) {
		t.Errorf("the bid locks %s", stake)
	}
	if stake, ok := offer.Stake(); !ok || stake != 1500*500 {
		t.Errorf("the offer locks %s", stake)
	}
	if part, ok := bid.Locks(3, 200); !ok || part != 3*210 {
		t.Errorf("three lots of the bid lock %s", part)
	}
	if part, ok := offer.Locks(3, 200); !ok || part != 3*500 {
		t.Errorf("three lots of the offer lock %s", part)
	}
	bid.Limit = types.MaxAmount
	if _, ok := bid.Stake(); ok {
		t.Error("a sum beyond 64 bits")
	}
	bid.Limit, bid.Quantity = 1<<62, 4
	if _, ok := bid.Stake(); ok {
		t.Error("a product beyond 64 bits")
	}
	if got := bid.MaxTrades(); got != 4 {
		t.Errorf("a bid of depth 2 makes %d trades", got)
	}
	if got := offer.MaxTrades(); got != types.MaxClaims {
		t.Errorf("an offer makes %d trades", got)
	}
}

func TestOrderImproves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		want bool // of a bid; of an offer the other way round for the limit
		edit func(*types.Order)
	}{
		{"the same", true, func(*types.Order) {}},
		{"a larger quantity", true, func(o *types.Order) { o.Quantity++ }},
		{"a smaller quantity", false, func(o *types.Order) { o.Quantity-- }},
		{"a smaller smallest fill", true, func(o *types.Order) { o.MinFill-- }},
		{"a larger smallest fill", false, func(o *types.Order) { o.MinFill++ }},
		{"a lower demand", true, func(o *types.Order) { o.MinRecord = 80 }},
		{"longer", true, func(o *types.Order) { o.Expires++ }},
		{"shorter", false, func(o *types.Order) { o.Expires-- }},
		{"the other side", false, func(o *types.Order) { o.Side = 3 - o.Side }},
		{"another point", false, func(o *types.Order) { o.Flow.Direction = 3 - o.Flow.Direction }},
	} {
		for _, old := range []types.Order{sampleBid(), sampleOrder()} {
			order := old
			c.edit(&order)
			if got := order.Improves(&old); got != c.want {
				t.Errorf("%s, %s: %t", old.Side, c.name, got)
			}
		}
	}
	for _, c := range []struct {
		side  types.Side
		limit types.Amount
		want  bool
	}{{types.Bid, 126, true}, {types.Bid, 124, false}, {types.Sell, 124, true}, {types.Sell, 126, false}} {
		old := sampleOrder()
		old.Side = c.side
		order := old
		order.Limit = c.limit
		if got := order.Improves(&old); got != c.want {
			t.Errorf("%s from 125 to %s: %t", c.side, c.limit, got)
		}
	}
	demanding, old := sampleOrder(), sampleOrder()
	old.MinRecord = 80
	if demanding.Improves(&old) {
		t.Error("a higher demand improves an order")
	}
	shallow, deep := sampleBid(), sampleBid()
	shallow.Depth = 1
	if shallow.Improves(&deep) {
		t.Error("a bid for fewer trades improves one for more")
	}
}

// A late order takes none of its owner's others out of the book, nor any part of one.
func TestOrderCheckLate(t *testing.T) {
	t.Parallel()
	params, offer, bid := sampleParams(), sampleOrder(), sampleBid()
	unmetered, elsewhere := offer, offer
	unmetered.Flow = types.Flow{}
	elsewhere.Flow.Point[0]++
	last := offer.Product.Withdrawable(&params)
	for name, c := range map[string]struct {
		order, other types.Order
		number       uint8 // of the other
		at           types.Time
		want         types.Code
	}{
		"another offer of a point":       {offer, offer, 1, last + 1, types.CodeBookClosed},
		"in time":                        {offer, offer, 1, last, types.CodeOK},
		"an offer of another point":      {offer, elsewhere, 1, last + 1, types.CodeOK},
		"an offer without a point":       {unmetered, unmetered, 1, last + 1, types.CodeOK},
		"the offer improved":             {offer, offer, 0, last + 1, types.CodeOK},
		"another bid":                    {bid, bid, 1, last + 1, types.CodeOK},
		"a bid that meets the offer":     {bid, offer, 1, last + 1, types.CodeBookClosed},
		"the last number that a key has": {offer, offer, params.Market.KeyOrders - 1, last + 1, types.CodeBookClosed},
	} {
		c.order.Number = 0
		err := c.order.CheckLate(&params, c.at, func(number uint8) *types.Order {
			if number == c.number {
				return &c.other
			}
			return nil
		})
		if types.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	second := offer // of two, improved while both stand
	second.Number = 1
	if err := second.CheckLate(&params, last+1, func(number uint8) *types.Order {
		if number < 2 {
			other := offer
			other.Number = number
			return &other
		}
		return nil
	}); err != nil {
		t.Errorf("one of two offers improved: %v", err)
	}
}

// The agreement of a match is exact: no sum is rounded.
func TestMatchAgreement(t *testing.T) {
	t.Parallel()
	params, product, grid := sampleParams(), sampleProduct(), sampleGrid()
	grid.Lot = 10
	match := types.Match{
		Product: &product, Grid: &grid, Producer: keyOf("producer"), Consumer: keyOf("consumer"), Flow: sampleGoods().Flow, Lots: 7, Price: 301,
		Begin: product.Gate(&params), Skew: second, Number: 5, Leaf: 3,
	}
	a, err := match.Agreement(&params)
	if err != nil {
		t.Fatal(err)
	}
	if a.Goods.Quantity != 70 || a.Price != 2107 || a.Deposit != 70 || a.Bond != 3500 || a.Nonce != types.MatchNonce|5<<16|3 {
		t.Errorf("%+v", a)
	}
	if a.Deadlines.PayBy != match.Begin-1000 || a.Deadlines.DeliverBy != product.From-1000 {
		t.Errorf("%+v", a.Deadlines)
	}
	if err := a.Check(&params); err != nil {
		t.Error(err)
	}
	match.Lots = 1 << 60
	if _, err := match.Agreement(&params); types.CodeOf(err) != types.CodeOverflow {
		t.Errorf("beyond 64 bits: %v", err)
	}
}
