package store_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// All that was ever recorded is found by its ID, in every partition, once each; the first few of many.
func TestIDsInARange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara", "clara", "clara")
	w.must(mint)
	var made []types.TradeID
	for i := range uint32(3) {
		made = append(made, w.trade(uint64(i), types.Outpoint{Tx: mint.ID(), Index: i}))
		if err := w.store.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	w.collect(made[1])
	w.read(func(s *store.IndexedSnapshot) {
		count := func(kind store.IDKind, low, high [32]byte, limit, want int) {
			t.Helper()
			ids, err := s.IDs(kind, low, high, limit)
			if err != nil || len(ids) != want {
				t.Errorf("%d ids of a %s, not %d, %v", len(ids), kind, want, err)
			}
			for i := 1; i < len(ids); i++ {
				if types.Hash(ids[i-1]).String() >= types.Hash(ids[i]).String() {
					t.Errorf("%x does not follow %x", ids[i], ids[i-1])
				}
			}
		}
		var all [32]byte
		for i := range all {
			all[i] = 0xff
		}
		count(store.TradeIDs, [32]byte{}, all, 9, 3)
		count(store.TradeIDs, [32]byte{}, all, 2, 2)
		for _, id := range made {
			count(store.TradeIDs, id, id, 2, 1)
		}
		count(store.TradeIDs, [32]byte{1}, [32]byte{1}, 9, 0)
		count(store.TransactionIDs, mint.ID(), mint.ID(), 9, 1)
		count(store.Keys, party.Key("clara"), party.Key("clara"), 9, 1)
		count(store.Keys, party.Key("peter"), party.Key("peter"), 9, 1)
		count(store.Keys, party.Key("mallory"), party.Key("mallory"), 9, 0)
		count(store.AssetIDs, [32]byte{}, all, 9, 1)
		count(store.OfferIDs, [32]byte{}, all, 9, 0)
	})
}
