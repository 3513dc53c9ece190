package chain

import (
	"context"
	"sync"
	"testing"
	"time"

	"lockstep/types"
)

// BenchmarkChain hands in payments from many clients at once and waits until all are on the disk.
func BenchmarkChain(b *testing.B) {
	const clients = 64
	w := newWorld(b).run()
	names := make([]string, clients)
	for i := range names {
		names[i] = "peter"
	}
	mint := w.mint(1, names...)
	w.must(mint)
	txs := make([][]*types.Tx, clients)
	for c := range txs {
		coin := types.Outpoint{Tx: mint.ID(), Index: uint32(c)}
		for range b.N/clients + 1 {
			tx := w.pay(coin, 1, "peter", "peter")
			coin = types.Outpoint{Tx: tx.ID()}
			txs[c] = append(txs[c], tx)
		}
	}
	b.ResetTimer()
	var running sync.WaitGroup
	for _, own := range txs {
		running.Go(func() { w.submitAll(b, own) })
	}
	running.Wait()
	b.ReportMetric(float64(clients*(b.N/clients+1))/b.Elapsed().Seconds(), "tx/s")
}

// submitAll hands in one client's payments one after the other, again when the pool is full, and waits for the last.
func (w *world) submitAll(b *testing.B, txs []*types.Tx) {
	for _, tx := range txs {
		err := w.Submit(context.Background(), tx)
		for types.CodeOf(err) == types.CodePoolFull {
			time.Sleep(time.Millisecond)
			err = w.Submit(context.Background(), tx)
		}
		if err != nil {
			b.Error(err)
			return
		}
	}
	if outcome, err := w.Await(context.Background(), txs[len(txs)-1].ID()); err != nil || outcome.Code != types.CodeOK {
		b.Errorf("%+v, %v", outcome, err)
	}
}

// BenchmarkLatency is the time from handing in one transaction to its being on the disk, on an idle chain.
func BenchmarkLatency(b *testing.B) {
	w := newWorld(b).run()
	for i := 0; b.Loop(); i++ {
		w.must(w.mint(types.Amount(1+i), "peter"))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/tx")
}
