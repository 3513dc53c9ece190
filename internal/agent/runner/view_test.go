package runner

import (
	"testing"

	"lockstep/internal/agent"
	"lockstep/types"
)

// However many tiny coins others have sent, a view looks at a bounded number of them.
func TestDust(t *testing.T) {
	t.Parallel()
	seen := 0
	coins, err := smallest(func(yield func(types.Coin, error) bool) {
		for yield(types.Coin{Outpoint: types.Outpoint{Tx: types.TxID{1, byte(seen), byte(seen >> 8)}}, Amount: 1}, nil) {
			if seen++; seen > 10*maxCoins {
				return
			}
		}
	}, types.Coin{Outpoint: types.Outpoint{Tx: types.TxID{1}}})
	if err != nil || len(coins) != gathered || seen > maxCoins {
		t.Errorf("%d coins of %d, %v", len(coins), seen, err)
	}
}

// The offers of others can't crowd out those of the key, without which it would offer a slot twice.
func TestOffersOfOthers(t *testing.T) {
	t.Parallel()
	g := NewViewer(&agent.Setup{Key: types.PublicKey{1}, Market: agent.Market{Zone: "town", Asset: types.AssetID{3}}}, nil, nil)
	offer := types.Offer{Producer: types.PublicKey{2}, Asset: types.AssetID{3}, Goods: types.Goods{Commodity: types.CommodityEnergy, Zone: "town", From: 11}}
	others := 0
	for range 2 * maxOffers {
		other := offer
		other.Goods.Zone = "another"
		if g.concerns(&other, 10, &others) {
			t.Fatal("an offer of another market")
		}
	}
	for i := range 2 * maxOffers {
		if got := g.concerns(&offer, 10, &others); got != (i < maxOffers) {
			t.Fatalf("offer %d: %t", i, got)
		}
	}
	own := offer
	own.Producer = g.setup.Key
	if !g.concerns(&own, 10, &others) {
		t.Error("its own offer is left out")
	}
}
