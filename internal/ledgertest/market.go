package ledgertest

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// NewProduct returns energy in a slot: the given number of slots after the first slot whose gate is half an hour away.
func (l *Ledger) NewProduct(slots int) types.Product {
	euro, slot := party.Euro(), l.chain.params.Slot
	from := l.Now().Add(l.chain.params.Market.Gate + 30*60_000)
	from = from/types.Time(slot)*types.Time(slot) + types.Time(slots+1)*types.Time(slot)
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "community", From: from, Until: from.Add(slot), Asset: euro.ID(),
	}
}

// NewOrder returns an order of 1,000 Wh by the grid of the product. A bid has the tree of [party.Tree].
func (l *Ledger) NewOrder(product types.Product, owner string, number uint8, side types.Side, limit uint64) types.Order {
	return party.Order(&l.chain.params, owner, types.Order{
		Product: product, Side: side, Number: number, Quantity: 1000, Limit: types.Amount(limit), Expires: product.From,
	})
}

// Place puts orders of the named party into their books, each in its own transaction, with stakes that "issuer" issues for them.
func (l *Ledger) Place(t testing.TB, owner string, orders ...types.Order) {
	t.Helper()
	for _, order := range orders {
		if err := l.Submit(t.Context(), party.Sign(l.Body(party.Place(order)...), "issuer", owner)); err != nil {
			t.Fatal(err)
		}
	}
}

// Auctioned holds an auction of two bids at 12 and 8 and offers at 4 and 9, each of 1,000 Wh, and returns the product. It makes one trade.
func (l *Ledger) Auctioned(t testing.TB) types.Product {
	t.Helper()
	if err := l.Submit(t.Context(), l.Issue(1_000_000, "consumer", "producer", "alice", "bob")); err != nil {
		t.Fatal(err)
	}
	product := l.NewProduct(0)
	l.Place(t, "consumer", l.NewOrder(product, "consumer", 0, types.Bid, 12))
	l.Place(t, "alice", l.NewOrder(product, "alice", 0, types.Bid, 8))
	l.Place(t, "producer", l.NewOrder(product, "producer", 0, types.Sell, 4), l.NewOrder(product, "producer", 1, types.Sell, 9))
	l.Gate(&product)
	return product
}

// Gate advances time until the auction of a product has been held.
func (l *Ledger) Gate(product *types.Product) {
	l.Advance(product.Gate(&l.chain.params).Since(l.Now()) + 1)
}
