package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// BenchmarkAuction measures the blocks that clear one product, from the start of the first to the commit of the last: read the book from
// the disk, clear it, record the trades, compute the commitments, commit. It reports the longest block; -cpu 1 gives the time of one core.
// Every bid is above every offer, so that nearly all orders match.
func BenchmarkAuction(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b)
			w.must(w.mint(1, "issuer"))
			owners := make([]types.PublicKey, n)
			for i := range owners {
				owners[i] = party.Key(fmt.Sprint("household ", i))
			}
			product := euroProduct(w.params.Slot)
			var longest time.Duration
			trades := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				product.From = product.Until
				product.Until = product.From.Add(w.params.Slot)
				gate := product.Gate(&w.params)
				for w.time < gate-types.Time(200*second) { // meanwhile the trades of the auction before are refunded
					w.time = w.time.Add(9 * second)
					w.must()
				}
				w.fillBook(product, owners)
				if err := w.store.Flush(); err != nil {
					b.Fatal(err)
				}
				w.time = gate
				b.StartTimer()
				for trades = 0; trades == 0 || w.held(product.ID()); {
					begin := time.Now()
					staged := w.stage()
					if err := staged.Commit(); err != nil {
						b.Fatal(err)
					}
					longest = max(longest, time.Since(begin))
					for _, event := range staged.Block().Events {
						if event.Kind == types.EventMatched {
							trades++
						}
					}
				}
				b.StopTimer()
				if err := w.store.Flush(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms/longest")
			b.ReportMetric(float64(trades), "trades")
		})
	}
}

// held reports whether an auction goes on.
func (w *world) held(id types.ProductID) bool {
	return ledger.Reader{View: w.store.StateReader()}.Held(id)
}

func euroProduct(slot types.Duration) types.Product {
	asset := party.Euro()
	from := start.Add(slot) - start.Add(slot)%types.Time(slot)
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "DE-BY", From: from, Until: from.Add(slot), Asset: asset.ID(),
	}
}

// funded places an order of a key with a stake that the issuer issues for it. A bid has room for as many trades as there can be, and can
// release none of them.
func (w *world) funded(order types.Order, owner types.PublicKey) *types.Tx {
	order = party.Order(&w.params, "", order)
	order.Owner = owner
	if order.Side == types.Bid {
		order.Depth = types.MaxDigestDepth
	}
	return types.NewTx(w.body(party.Place(order)...), types.Signature{Key: party.Key("issuer")}, types.Signature{Key: owner})
}

// fillBook places an order of each owner, in blocks of a thousand.
func (w *world) fillBook(product types.Product, owners []types.PublicKey) {
	random := rand.New(rand.NewPCG(1, uint64(product.From)))
	var txs []*types.Tx
	for i, owner := range owners {
		order := types.Order{Product: product, Side: types.Sell, Quantity: 1 + random.Uint64N(5000), Limit: types.Amount(50 + random.Uint64N(150))}
		if i%2 == 0 {
			order.Side, order.Limit = types.Bid, types.Amount(200+random.Uint64N(200))
		}
		txs = append(txs, w.funded(order, owner))
		if len(txs) == 1000 || i == len(owners)-1 {
			w.must(txs...)
			txs = nil
		}
	}
}
