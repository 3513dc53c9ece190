package main

import (
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestPlacing(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	product := l.Auctioned(t)
	orders, err := l.ProductOrders(t.Context(), product.ID(), wire.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	order := &orders.Orders[0]
	check := func(name, want string, signed bool, lie func(*wire.Block)) {
		block, err := l.Block(t.Context(), order.Height, true)
		if err != nil {
			t.Fatal(err)
		}
		block.Txs = append([]wire.BlockTx{}, block.Txs...)
		lie(&block)
		txs := map[types.TxID]wire.BlockTx{}
		for _, tx := range block.Txs {
			txs[tx.ID] = tx
		}
		if found, wrong := placing(txs, order); found != signed || !strings.Contains(wrong, want) || want == "" && wrong != "" {
			t.Errorf("%s: %v, %q", name, found, wrong)
		}
	}
	tx := func(name string, actions ...types.Action) *types.Tx { return party.Sign(l.Body(actions...), name) }
	check("right", "", true, func(*wire.Block) {})
	check("pruned", "", false, func(b *wire.Block) { b.Txs[0].Tx = nil })
	check("not there", "does not hold", false, func(b *wire.Block) { b.Txs = nil })
	check("refused", "was refused", false, func(b *wire.Block) { b.Txs[0].Code = types.CodeOrder })
	check("signed by another", "not signed", false, func(b *wire.Block) { b.Txs[0].Tx = tx("mallory", &types.Place{Order: order.Order}) })
	owner := "" // by name, to sign something else
	for _, name := range []string{"consumer", "alice", "producer"} {
		if party.Key(name) == order.Order.Owner {
			owner = name
		}
	}
	check("places another", "does not place it", false, func(b *wire.Block) { b.Txs[0].Tx = tx(owner) })
}

func TestNextSlot(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	for now := types.Time(1_780_000_000_000); now < 1_780_000_000_000+2*900_000; now += 7_919 {
		product := types.Product{From: nextSlot(now, &params)}
		slot := types.Time(params.Slot)
		if gate := product.Gate(&params); gate < now.Add(params.ClockCap) || gate >= now.Add(params.ClockCap)+slot || product.From%slot != 0 {
			t.Fatalf("at %s the next slot begins at %s, its gate is at %s", now, product.From, gate)
		}
	}
}
