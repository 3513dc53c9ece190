package trade_test

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/trade"
	"lockstep/types"
)

// TestAllotment checks, for any claims and readings: nothing is allotted twice, nobody gets more than it claimed, all that
// was read is allotted as far as it was claimed, and claims that come later change nothing for those before.
func TestAllotment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slot := &types.Slot{}
		for i := range rapid.IntRange(1, 8).Draw(rt, "claims") {
			slot.Claims = append(slot.Claims, types.Claim{
				Height: uint64(rapid.IntRange(1, 3).Draw(rt, "height")), Trade: types.TradeID{byte(i)},
				Quantity: rapid.Uint64Range(1, 50).Draw(rt, "quantity"), ReadingBy: 100,
			})
		}
		slices.SortStableFunc(slot.Claims, func(a, b types.Claim) int { return int(a.Height) - int(b.Height) })
		read := rapid.Uint64Range(0, 300).Draw(rt, "read")
		slot.Readings = []types.SlotReading{{At: 100, Quantity: read}, {At: 101, Quantity: 1000}} // the second comes too late
		var allotted, claimed uint64
		for i, claim := range slot.Claims {
			q := trade.Allot(slot, claim.Trade)
			if q > claim.Quantity {
				rt.Fatalf("claim %d of %d got %d", i, claim.Quantity, q)
			}
			allotted += q
			claimed += claim.Quantity
			earlier := *slot
			earlier.Claims = slices.DeleteFunc(slices.Clone(slot.Claims), func(c types.Claim) bool { return c.Height > claim.Height })
			if alone := trade.Allot(&earlier, claim.Trade); alone != q {
				rt.Fatalf("claim %d gets %d, without those that came later it would get %d", i, q, alone)
			}
		}
		if allotted != min(read, claimed) {
			rt.Fatalf("%d allotted of %d read and %d claimed", allotted, read, claimed)
		}
	})
}

// TestLargestRemainder checks the pro-rata rule against its definition, in exact fractions.
func TestLargestRemainder(t *testing.T) {
	t.Parallel()
	slot := &types.Slot{Readings: []types.SlotReading{{Quantity: 10}}}
	for i, quantity := range []uint64{7, 7, 7} {
		slot.Claims = append(slot.Claims, types.Claim{Height: 1, Trade: types.TradeID{byte(i)}, Quantity: quantity, ReadingBy: 1})
	}
	for i, want := range []uint64{4, 3, 3} { // 10/3 each; the unit left over goes to the smallest trade ID
		if got := trade.Allot(slot, types.TradeID{byte(i)}); got != want {
			t.Errorf("claim %d got %d, want %d", i, got, want)
		}
	}
	if got := trade.Allot(slot, types.TradeID{9}); got != 0 {
		t.Errorf("a trade without a claim got %d", got)
	}
}

// TestProducerShare checks the one formula of protocol section 4 with big integers.
func TestProducerShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		amount := rapid.OneOf(rapid.Uint64Range(1, 1000), rapid.Uint64Range(1, 1<<61))
		a := types.Agreement{
			Price: types.Amount(amount.Draw(rt, "price")), Deposit: types.Amount(amount.Draw(rt, "deposit")), Bond: types.Amount(amount.Draw(rt, "bond")),
			Instalments: uint16(rapid.IntRange(1, 1024).Draw(rt, "N")),
		}
		a.Goods.Quantity = rapid.Uint64Range(1, types.MaxQuantity).Draw(rt, "Q")
		k := uint16(rapid.IntRange(0, int(a.Instalments)-1).Draw(rt, "k"))
		q := rapid.Uint64Range(0, a.Goods.Quantity).Draw(rt, "q")
		floor := func(amount types.Amount, part, whole uint64) *big.Int {
			product := new(big.Int).Mul(new(big.Int).SetUint64(uint64(amount)), new(big.Int).SetUint64(part))
			return product.Div(product, new(big.Int).SetUint64(whole))
		}
		paid := floor(a.Price, uint64(k), uint64(a.Instalments))
		want := floor(a.Price, q, a.Goods.Quantity)
		if paid.Cmp(want) > 0 {
			want = paid
		}
		want = new(big.Int).Add(new(big.Int).Sub(want, paid), floor(a.Bond, q, a.Goods.Quantity))
		if q == a.Goods.Quantity {
			want.Add(want, new(big.Int).SetUint64(uint64(a.Deposit)))
		}
		if got := trade.ProducerShare(&a, k, q); new(big.Int).SetUint64(uint64(got)).Cmp(want) != 0 {
			rt.Fatalf("got %s, want %s", got, want)
		}
	})
}

// TestReadingBy: a reading counts up to and including reading-by, and for claims of the same block by the earliest of theirs.
func TestReadingBy(t *testing.T) {
	t.Parallel()
	slot := &types.Slot{
		Claims: []types.Claim{
			{Height: 1, Trade: types.TradeID{1}, Quantity: 10, ReadingBy: 200}, {Height: 2, Trade: types.TradeID{2}, Quantity: 10, ReadingBy: 100},
			{Height: 2, Trade: types.TradeID{3}, Quantity: 10, ReadingBy: 300},
		},
	}
	for at, want := range map[types.Time][3]uint64{
		99: {10, 10, 10}, 100: {10, 10, 10}, 101: {10, 0, 0}, 200: {10, 0, 0}, 201: {0, 0, 0},
	} {
		slot.Readings = []types.SlotReading{{At: at, Quantity: 30}}
		for i, claim := range slot.Claims {
			if got := trade.Allot(slot, claim.Trade); got != want[i] {
				t.Errorf("read at %d: claim %d gets %d, want %d", at, i, got, want[i])
			}
		}
	}
	for clock, want := range map[types.Time]bool{0: true, 299: true, 300: true, 301: false} {
		if trade.AwaitsReading(slot, clock) != want {
			t.Errorf("at %d it awaits a reading: %t", clock, !want)
		}
	}
	if trade.AwaitsReading(&types.Slot{}, 0) {
		t.Error("a slot without claims awaits a reading")
	}
}

// TestAllotmentInOrder gives examples: earlier claims in full first, then pro rata by largest remainder, ties by trade ID.
func TestAllotmentInOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		heights, quantities []uint64
		read                []uint64
		want                []uint64
	}{
		"nothing read":              {[]uint64{1, 2}, []uint64{5, 5}, nil, []uint64{0, 0}},
		"first come":                {[]uint64{1, 2}, []uint64{5, 5}, []uint64{7}, []uint64{5, 2}},
		"first come, short":         {[]uint64{1, 2}, []uint64{5, 5}, []uint64{4}, []uint64{4, 0}},
		"exactly the first":         {[]uint64{1, 2}, []uint64{5, 5}, []uint64{5}, []uint64{5, 0}},
		"readings add up":           {[]uint64{1, 2}, []uint64{5, 5}, []uint64{4, 4}, []uint64{5, 3}},
		"more than claimed":         {[]uint64{1, 1}, []uint64{5, 6}, []uint64{100}, []uint64{5, 6}},
		"exactly what is claimed":   {[]uint64{1, 1}, []uint64{5, 6}, []uint64{11}, []uint64{5, 6}},
		"a larger remainder":        {[]uint64{1, 1, 1}, []uint64{1, 5, 4}, []uint64{5}, []uint64{1, 2, 2}}, // 0.5, 2.5, 2
		"the largest comes last":    {[]uint64{1, 1, 1}, []uint64{3, 3, 4}, []uint64{6}, []uint64{2, 2, 2}}, // 1.8, 1.8, 2.4
		"two units over":            {[]uint64{1, 1, 1}, []uint64{7, 7, 7}, []uint64{20}, []uint64{7, 7, 6}},
		"remainders one apart":      {[]uint64{1, 1}, []uint64{1, 2}, []uint64{1}, []uint64{0, 1}}, // 1/3, 2/3
		"the remainder of the last": {[]uint64{1, 1}, []uint64{1, 9}, []uint64{4}, []uint64{0, 4}}, // 0.4, 3.6
		"behind an earlier block":   {[]uint64{1, 2, 2}, []uint64{4, 1, 9}, []uint64{8}, []uint64{4, 0, 4}},
	} {
		slot := &types.Slot{}
		for i := range c.heights {
			slot.Claims = append(slot.Claims, types.Claim{Height: c.heights[i], Trade: types.TradeID{byte(i + 1)}, Quantity: c.quantities[i], ReadingBy: 1})
		}
		for _, quantity := range c.read {
			slot.Readings = append(slot.Readings, types.SlotReading{At: 1, Quantity: quantity})
		}
		for i, want := range c.want {
			if got := trade.Allot(slot, types.TradeID{byte(i + 1)}); got != want {
				t.Errorf("%s: claim %d gets %d, want %d", name, i, got, want)
			}
		}
	}
}

// TestAllAllotted: at the whole quantity the return goes to the producer too, not one unit before; more than all is all.
func TestAllAllotted(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	for q, want := range map[uint64]types.Amount{
		0: 0, 1: 30, 1499: 44_970 + 899, 1500: 45_000 + 900 + 450, 1501: 45_000 + 900 + 450,
	} {
		if got := trade.ProducerShare(&a, 0, q); got != want {
			t.Errorf("%d of 1500: %s, want %s", q, got, want)
		}
	}
	if got := trade.ProducerShare(&a, 3, 750); got != 450 { // 27,000 of the price were released, 22,500 were read
		t.Errorf("half, three of five released: %s", got)
	}
	a.Goods.Quantity = 0 // no ledger records it, and it must not panic
	if got := trade.ProducerShare(&a, 5, 0); got != 1350 {
		t.Errorf("nothing of nothing: %s", got)
	}
}
