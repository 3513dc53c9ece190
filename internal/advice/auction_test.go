package advice_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/advice"
	"lockstep/internal/ledgertest"
	"lockstep/types"
)

// told is a node's account of an auction.
type told struct {
	params types.Params
	held   client.Auction
	orders []wire.BookOrder
}

func auctioned(t *testing.T) told {
	t.Helper()
	l := ledgertest.New(t, "test")
	return heard(t, l, l.Auctioned(t))
}

// heard asks for an auction that was held.
func heard(t *testing.T, l *ledgertest.Ledger, product types.Product) told {
	t.Helper()
	part := wire.Page{Limit: 100}
	head, e1 := l.Auction(t.Context(), product.ID())
	rounds, e2 := l.AuctionRounds(t.Context(), product.ID(), part)
	results, e3 := l.AuctionResults(t.Context(), product.ID(), part)
	trades, e4 := l.AuctionTrades(t.Context(), product.ID(), part)
	orders, e5 := l.ProductOrders(t.Context(), product.ID(), part)
	if err := errors.Join(e1, e2, e3, e4, e5); err != nil {
		t.Fatal(err)
	}
	return told{
		l.Params(), client.Auction{Auction: head, Rounds: rounds.Rounds, Results: results.Results, Trades: trades.Trades}, orders.Orders,
	}
}

// TestAuditOfTies: orders that are equal in all else are ranked by a hash, in the audit as on the ledger.
func TestAuditOfTies(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	if err := l.Submit(t.Context(), l.Issue(1_000_000, "consumer")); err != nil {
		t.Fatal(err)
	}
	product := l.NewProduct(0)
	alike := func(owner string, number uint8, side types.Side, price uint64, quantity uint64) {
		order := l.NewOrder(product, owner, number, side, price)
		order.Quantity = quantity // in lots of one
		l.Place(t, owner, order)
	}
	for _, owner := range []string{"producer", "alice", "bob", "carol", "dave", "erin"} {
		alike(owner, 0, types.Sell, 4, 10)
	}
	alike("consumer", 0, types.Bid, 12, 27)
	l.Gate(&product)
	right := heard(t, l, product)
	var filled uint64
	for _, trade := range right.held.Trades {
		filled += trade.Quantity
	}
	if found := advice.Auction(&right.params, &right.held, right.orders); len(found) > 0 || filled != 27 {
		t.Errorf("a right auction of %d trades with %d units: %q", len(right.held.Trades), filled, found)
	}
}

// TestAuditFinds: the audit reports any change of an auction by a node.
func TestAuditFinds(t *testing.T) {
	t.Parallel()
	right := auctioned(t)
	if found := advice.Auction(&right.params, &right.held, right.orders); len(found) > 0 || len(right.held.Trades) != 1 {
		t.Fatalf("a right auction: %q, %d trades", found, len(right.held.Trades))
	}
	for name, c := range map[string]struct {
		lie  func(*told)
		says string
	}{
		"an order is missing":     {func(n *told) { n.orders = n.orders[1:] }, "3 orders and 4 results"},
		"another limit":           {func(n *told) { n.orders[0].Order.Limit++ }, "is not of the order"},
		"a bad order":             {func(n *told) { n.orders[0].Order.Quantity = 0 }, "not one that the ledger takes"},
		"another product":         {func(n *told) { n.orders[0].Order.Product.Zone = "elsewhere" }, "another product"},
		"order of results":        {func(n *told) { swap(n.held.Results); swap(n.orders) }, "out of order"},
		"an order twice":          {func(n *told) { n.orders[1], n.held.Results[1] = n.orders[0], n.held.Results[0] }, "out of order"},
		"fill":                    {func(n *told) { n.held.Results[0].Filled++ }, "is said to get"},
		"left out without cause":  {func(n *told) { n.held.Results[0].Excluded = "expired" }, `left out for "expired"`},
		"meter of an order":       {func(n *told) { n.held.Results[0].Excluded = "retired" }, `left out for "retired"`},
		"record that nobody asks": {func(n *told) { n.held.Results[0].Standing = 95 }, "can't have a record"},
		"void":                    {func(n *told) { n.held.Void = "too late" }, "said to be void"},
		"before the gate":         {func(n *told) { n.held.BlockTime -= 600_000 }, "before the gate closed"},
		"volume":                  {func(n *told) { n.held.Rounds[0].Volume++ }, "round 0 is told as"},
		"price":                   {func(n *told) { n.held.Rounds[0].Price-- }, "round 0 is told as"},
		"records of a round":      {func(n *told) { n.held.Rounds[0].Sellers = 80 }, "round 0 is told as"},
		"other lots":              {func(n *told) { n.held.Grid.Lot++ }, "lots, steps, stakes or terms"},
		"other terms":             {func(n *told) { n.held.Grid.Fallback = &types.Meter{} }, "lots, steps, stakes or terms"},
		"no grid":                 {func(n *told) { n.params.Market.Grids = nil }, "holds no auctions"},
		"no round":                {func(n *told) { n.held.Rounds = nil }, "0 rounds, 1 follow"},
		"no trade":                {func(n *told) { n.held.Trades = nil }, "0 trades, 1 follow"},
		"leaf":                    {func(n *told) { n.held.Trades[0].Leaf++ }, "it should be"},
		"price of a trade":        {func(n *told) { n.held.Trades[0].Price++ }, "it should be"},
		"pair": {func(n *told) {
			n.held.Trades[0].Bid, n.held.Trades[0].Offer = n.held.Trades[0].Offer, n.held.Trades[0].Bid
		}, "it should be"},
		"trade": {func(n *told) { n.held.Trades[0].Trade[0] ^= 1 }, "is not the hash"},
		"clock": {func(n *told) { n.held.Clock -= 5000 }, "is not the hash"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := right.copied(t)
			c.lie(&node)
			found := advice.Auction(&node.params, &node.held, node.orders)
			if !strings.Contains(strings.Join(found, "\n"), c.says) {
				t.Errorf("found %q, want %q", found, c.says)
			}
		})
	}
}

func swap[T any](list []T) { list[0], list[1] = list[1], list[0] }

func (n *told) copied(t *testing.T) told {
	t.Helper()
	again := told{params: n.params}
	for from, to := range map[any]any{&n.held: &again.held, &n.orders: &again.orders} {
		text, err := json.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatal(err)
		}
	}
	return again
}

// An order counts as signed when its block holds the transaction, signed by its owner, that places it.
