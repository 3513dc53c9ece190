package store_test

import (
	"fmt"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestAuctionOverSeveralBlocks runs an auction whose trades don't fit into one block, with a crash in between. The store shows the whole
// auction or none. It has more rounds than a list of a transaction may have entries, each pair with an arbiter of its own.
func TestAuctionOverSeveralBlocks(t *testing.T) {
	t.Parallel()
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
		order := types.Order{
			ChainID: w.params.ChainID, Owner: owners[i/each], Number: uint8(i % each), Product: product, Side: types.Sell, Quantity: 1,
			Limit: types.Rate{Mantissa: 50}, MinFill: 1, Expires: types.MaxTime,
			Accepts: []types.Fallback{&types.Arbiter{Key: types.PublicKey{byte(i % pairs), byte(i % pairs >> 8), 1}}},
			Deposit: types.Range{Most: types.WholePrice}, Bond: types.Range{Most: types.WholePrice},
		}
		if i < pairs {
			order.Side = types.Bid
		}
		txs = append(txs, types.NewTx(w.body(&types.Place{Order: order}), types.Signature{Key: order.Owner}))
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
	w.check()
	w.close()
	w.open()
	for range 2 {
		w.must()
	}
	w.check()
	w.read(func(s *store.IndexedSnapshot) {
		auction, err := s.Auction(id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Reader.Held(id) || len(auction.Rounds) != pairs || len(auction.Results) != 2*pairs || len(auction.Trades) != pairs {
			t.Fatalf("held %t, %d rounds, %d results, %d trades", s.Reader.Held(id), len(auction.Rounds), len(auction.Results), len(auction.Trades))
		}
		for i, match := range auction.Trades {
			trade, err := s.Trade(match.Trade)
			if err != nil || trade == nil || match.Round != uint32(i) {
				t.Fatalf("trade %d is of round %d: %v, %v", i, match.Round, trade, err)
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
