package trade_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/trade"
	"lockstep/types"
)

// The instalments of a price never lose a unit: the last one brings the whole.
func TestDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		agreement := types.Agreement{Price: types.Amount(rapid.Uint64Min(types.MaxInstalments).Draw(t, "price"))}
		agreement.Instalments = rapid.Uint16Range(1, types.MaxInstalments).Draw(t, "N")
		last := types.Amount(0)
		for k := uint16(1); k <= agreement.Instalments; k++ {
			due := trade.Due(&agreement, k)
			if due <= last {
				t.Fatalf("instalment %d of %d of %s brings nothing", k, agreement.Instalments, agreement.Price)
			}
			last = due
		}
		if last != agreement.Price {
			t.Fatalf("all instalments bring %s of %s", last, agreement.Price)
		}
	})
}

// TestFlowed: the instalments that have flowed are the most whose share of the goods came.
func TestFlowed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Uint16Range(1, types.MaxInstalments).Draw(r, "instalments")
		whole := rapid.Uint64Range(1, types.MaxQuantity).Draw(r, "whole")
		came := rapid.Uint64Range(0, 2*whole).Draw(r, "came")
		a := &types.Agreement{Instalments: n, Goods: types.Goods{Quantity: whole}}
		k := uint64(trade.Flowed(a, came))
		if k > uint64(n) || k*whole > uint64(n)*min(came, whole) || k < uint64(n) && (k+1)*whole <= uint64(n)*came {
			r.Errorf("%d of %d for %d of %d", k, n, came, whole)
		}
	})
	if k := trade.Flowed(&types.Agreement{Instalments: 3}, 0); k != 3 {
		t.Errorf("goods without a quantity: %d", k)
	}
}

// TestDivided: the division by the rules gives away all that was locked, and no other phase has one.
func TestDivided(t *testing.T) {
	t.Parallel()
	a := &types.Agreement{Price: 100, Deposit: 10, Bond: 20, Instalments: 4, Goods: types.Goods{Quantity: 1000}}
	if d, ok := trade.Divided(a, types.PhaseReleased, 4, 0); !ok || d != (trade.Division{ToProducer: 120, ToConsumer: 10}) {
		t.Errorf("released: %+v, %v", d, ok)
	}
	for k := range uint16(5) {
		for _, q := range []uint64{0, 1, 499, 500, 999, 1000} {
			d, ok := trade.Divided(a, types.PhaseSettled, k, q)
			if all := a.Price - trade.Due(a, k) + a.Deposit + a.Bond; !ok || d.ToProducer+d.ToConsumer != all || d.ToProducer != trade.ProducerShare(a, k, q) {
				t.Errorf("settled after %d with %d: %+v of %d, %v", k, q, d, all, ok)
			}
		}
	}
	for _, phase := range []types.Phase{types.PhaseAgreed, types.PhasePaid, types.PhaseDelivered, types.PhaseSplit, types.PhaseAwarded, types.PhaseRefunded, types.PhaseLapsed} {
		if d, ok := trade.Divided(a, phase, 0, 0); ok {
			t.Errorf("%s: %+v", phase, d)
		}
	}
}

// TestDivisionIn: the division of a trade is that of its own action.
func TestDivisionIn(t *testing.T) {
	t.Parallel()
	tx := &types.Tx{Body: types.Body{Actions: []types.Action{
		&types.Deliver{Trade: types.TradeID{1}}, &types.Split{Trade: types.TradeID{2}, ToProducer: 3, ToConsumer: 4}, &types.Award{Trade: types.TradeID{1}, ToProducer: 5, ToConsumer: 6},
	}}}
	for id, want := range map[types.TradeID]trade.Division{
		{1}: {ToProducer: 5, ToConsumer: 6}, {2}: {ToProducer: 3, ToConsumer: 4}, {3}: {},
	} {
		if d, ok := trade.DivisionIn(tx, id); d != want || ok != (want != trade.Division{}) {
			t.Errorf("%s: %+v, %v", id, d, ok)
		}
	}
}
