package store_test

import (
	"fmt"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// BenchmarkDue is the blocks that handle a flood of offers for the same pay-by, on the disk: until all of them
// have left the state. It reports the longest of those blocks.
func BenchmarkDue(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var longest time.Duration
			blocks := 0
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b)
				w.must(w.mint(1, "issuer"))
				payBy := w.time.Add(3600 * second)
				w.flood(n, payBy)
				if err := w.store.Flush(); err != nil {
					b.Fatal(err)
				}
				for w.time <= payBy-types.Time(10*second) {
					w.time = w.time.Add(9 * second)
					w.must()
				}
				w.time = payBy
				b.StartTimer()
				for closed := 0; closed < n; blocks++ {
					begin := time.Now()
					block := w.must()
					longest = max(longest, time.Since(begin))
					closed += len(block.Events)
				}
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms/longest")
			b.ReportMetric(float64(blocks)/float64(b.N), "blocks")
		})
	}
}

// flood posts offers that run out at the same moment, a hundred in a transaction and a thousand of each key.
func (w *world) flood(n int, payBy types.Time) {
	agreement := w.agreement(0)
	offer := types.Offer{
		ChainID: agreement.ChainID, Producer: party.Key("mallory"), Goods: agreement.Goods, Asset: agreement.Asset,
		Price: types.Rate{Mantissa: 1}, Deposit: types.Rate{Mantissa: 1}, Bond: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1,
		Deadlines: types.Deadlines{
			PayBy: payBy, DeliverBy: payBy.Add(60 * second), ReadingBy: payBy.Add(120 * second), ConfirmBy: payBy.Add(180 * second),
		}, Fallback: &types.Hold{},
	}
	const perTx, perBlock = 100, 4096
	var txs []*types.Tx
	for i := 0; i < n; {
		name := fmt.Sprintf("mallory %d", i/1000)
		offer.Producer = party.Key(name)
		var actions []types.Action
		for range min(perTx, n-i) {
			offer.Nonce = uint64(i)
			actions = append(actions, &types.Post{Offer: offer})
			i++
		}
		txs = append(txs, sign(w.body(actions...), name))
		if len(txs)*perTx >= perBlock || i == n {
			w.time -= types.Time(second) // all within the hour
			w.must(txs...)
			txs = nil
		}
	}
}
