package store_test

import (
	"testing"

	"lockstep/types"
)

// BenchmarkCommit writes blocks of payments, each of which spends one output and makes one.
func BenchmarkCommit(b *testing.B) {
	const payments = 2000
	w := newWorld(b)
	coins := make([]types.Outpoint, 0, payments)
	for range payments / 100 {
		names := make([]string, 100)
		for i := range names {
			names[i] = "peter"
		}
		mint := w.mint(types.Amount(1+len(coins)), names...)
		w.must(mint)
		for i := range names {
			coins = append(coins, types.Outpoint{Tx: mint.ID(), Index: uint32(i)})
		}
	}
	amounts := make([]types.Amount, len(coins))
	for i := range coins {
		amounts[i] = types.Amount(1 + i - i%100)
	}
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		txs := make([]*types.Tx, payments)
		for i := range txs {
			txs[i] = w.pay(coins[i], amounts[i], "peter", "peter")
			coins[i] = types.Outpoint{Tx: txs[i].ID()}
		}
		staged := w.stage(txs...)
		if err := staged.Discard(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		w.must(txs...)
	}
	b.ReportMetric(float64(b.N*payments)/b.Elapsed().Seconds(), "tx/s")
}
