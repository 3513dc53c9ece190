package store_test

import (
	"fmt"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestAuctionOverSeveralBlocks runs an auction whose trades don't fit into one block, with a crash in between. The store shows the whole
// auction or none, and every balance holds the money of the trades that are still to be made.
func TestAuctionOverSeveralBlocks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const pairs, each = 8200, 8
	w := newWorld(t)
	w.must(w.mint(1, "issuer"))
	product := euroProduct(w.params.Slot)
	product.From, product.Until = product.Until, product.Until.Add(w.params.Slot)
	id := product.ID()
	w.time = product.Gate(&w.params) - types.Time(10*second)
	owners := make([]types.PublicKey, 2*pairs/each)
	for i := range owners {
		owners[i] = party.Key(fmt.Sprint("household ", i))
	}
	var txs []*types.Tx
	for i := range 2 * pairs {
		order := types.Order{Number: uint8(i % each), Product: product, Side: types.Sell, Quantity: 1, Limit: 50}
		if i < pairs {
			order.Side = types.Bid
		}
		txs = append(txs, w.funded(order, owners[i/each]))
	}
	w.must(txs...)
	w.time = product.Gate(&w.params)
	w.must()
	w.read(func(s *store.IndexedSnapshot) {
		if auction, err := s.Auction(id); auction != nil || err != nil {
			t.Errorf("after the first block: %v, %v", auction, err)
		}
		if !s.Reader.Held(id) {
			t.Error("it is not being held")
		}
	})
	w.sameMoney(product.Asset, owners)
	w.check()
	w.close()
	w.open()
	for w.held(id) {
		w.must()
		w.sameMoney(product.Asset, owners)
		w.check()
	}
	w.read(func(s *store.IndexedSnapshot) {
		auction, err := s.Auction(id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Reader.Held(id) || len(auction.Rounds) != 1 || len(auction.Results) != 2*pairs || len(auction.Trades) != pairs {
			t.Fatalf("held %t, %d rounds, %d results, %d trades", s.Reader.Held(id), len(auction.Rounds), len(auction.Results), len(auction.Trades))
		}
		for i, match := range auction.Trades {
			trade, err := s.Trade(match.Trade)
			if err != nil || trade == nil || match.Round != 0 {
				t.Fatalf("trade %d is of round %d: %v, %v", i, match.Round, trade, err)
			}
			if _, leaf, matched := trade.Trade.Agreement.Match(); !matched || leaf != match.Leaf {
				t.Fatalf("trade %d is of leaf %d, the auction says %d", i, leaf, match.Leaf)
			}
		}
		orders := 0
		for placed, err := range s.AuctionedOrders(id) {
			if result := auction.Results[orders]; err != nil || placed.Order.ID() != result.Order {
				t.Fatalf("order %d is not that of the results: %v", orders, err)
			}
			orders++
		}
		if orders != 2*pairs {
			t.Errorf("%d orders are kept", orders)
		}
	})
}

// sameMoney wants the balances of all owners of orders, and the asset's first issue of 1, to add up to all that is issued: nothing is
// missing or counted twice while the auction is being held.
func (w *world) sameMoney(asset types.AssetID, owners []types.PublicKey) {
	w.t.Helper()
	if err := w.store.Flush(); err != nil {
		w.t.Fatal(err)
	}
	w.read(func(s *store.IndexedSnapshot) {
		sum := types.Amount(1)
		for _, owner := range owners {
			has, err := s.Balance(owner, asset)
			if err != nil {
				w.t.Fatal(err)
			}
			sum += has.Spendable + has.Locked + has.InOrders
		}
		if state, _ := s.Asset(asset); sum != state.Issued {
			w.t.Errorf("height %d: the balances hold %s of %s", s.Height(), sum, state.Issued)
		}
	})
}
