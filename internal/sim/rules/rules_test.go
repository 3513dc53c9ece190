package rules

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// TestShares: no rule gives more than a household has or wants, and the shares by need use all that can be used.
func TestShares(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "households")
		surplus, needs, weights := make([]uint64, n), make([]uint64, n), make([]uint64, n)
		var book []Bid
		var supply, demand uint64
		for i := range n {
			wh, weight, limit := rapid.Uint64Range(0, 3000).Draw(t, "wh"), rapid.Uint64Range(1, 9).Draw(t, "weight"), rapid.Uint64Range(1, 400).Draw(t, "limit")
			weights[i] = weight
			if rapid.Bool().Draw(t, "sells") {
				surplus[i], supply = wh, supply+wh
				book = append(book, Bid{i, types.Sell, wh, limit})
			} else {
				needs[i], demand = wh, demand+wh
				book = append(book, Bid{i, types.Bid, wh, limit})
			}
		}
		traded := map[string]uint64{}
		for name, flows := range map[string][]Flow{
			"uniform": Uniform(positive(book)), "pay-as-bid": PayAsBid(positive(book)), "static": Static(surplus, needs, weights, 190), "pro rata": ProRata(surplus, needs, 190),
		} {
			gives, gets := make([]uint64, n), make([]uint64, n)
			for _, f := range flows {
				gives[f.Seller], gets[f.Buyer] = gives[f.Seller]+f.Wh, gets[f.Buyer]+f.Wh
				traded[name] += f.Wh
			}
			for i := range n {
				if gives[i] > surplus[i] || gets[i] > needs[i] {
					t.Fatalf("%s: household %d gives %d of %d, gets %d of %d", name, i, gives[i], surplus[i], gets[i], needs[i])
				}
			}
		}
		if traded["pro rata"] != min(supply, demand) || traded["static"] > traded["pro rata"] || traded["uniform"] != traded["pay-as-bid"] {
			t.Fatalf("supply %d, demand %d: %v", supply, demand, traded)
		}
	})
}

// positive leaves out orders of nothing, which no market takes.
func positive(book []Bid) (orders []Bid) {
	for _, b := range book {
		if b.Quantity > 0 {
			orders = append(orders, b)
		}
	}
	return orders
}
