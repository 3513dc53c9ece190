//go:build unix

package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// BenchmarkAuction is the blocks that clear one product, from the one after its gate until all matches are trades: read the book,
// clear it, record trades, list the changes and follow them in the commitment. It reports the longest of them, and the
// most processor time of one, which is the same on a busy machine. Half of the orders are bids. Where limits are drawn from one range for both sides, about half of the orders meet; where every bid is
// above every offer, nearly all.
func BenchmarkAuction(b *testing.B) {
	for name, below := range map[string]int{"half meets": 0, "all meets": 50} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				w := newMarket(b)
				w.params.Market.MaxOrders = uint32(n)
				full, begun := w.view.Clone(), w.time
				fillBook(b, w, full, n, below)
				p := product()
				var sum ledger.Accumulator
				var longest, dearest time.Duration
				blocks, trades := 0, 0
				for b.Loop() {
					b.StopTimer()
					view, height := full.Clone(), w.height+1
					blocks, trades = 0, 0
					for due := true; due; blocks++ {
						height++
						b.StartTimer()
						begin, used := time.Now(), processorTime(b)
						state := ledger.New(view, w.params)
						state.Begin(height, max(begun, p.Gate(&w.params).Add(1)))
						diff := state.Finish()
						sum.Apply(diff.Changes)
						longest, dearest = max(longest, time.Since(begin)), max(dearest, processorTime(b)-used)
						b.StopTimer()
						view.Apply(diff.Changes)
						for _, matched := range diff.Matched {
							trades += len(matched.Trades)
						}
						due = diff.Due
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(longest.Milliseconds()), "ms/longest")
				b.ReportMetric(float64(dearest.Milliseconds()), "core-ms/longest")
				b.ReportMetric(float64(blocks), "blocks")
				b.ReportMetric(float64(trades), "trades")
			})
		}
	}
}

// processorTime is that of this process so far, the collector included.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// fillBook places random orders, each by a key of its own; offers are lower than bids by so many cents on average.
func fillBook(b *testing.B, w *world, view *ledger.Memory, n, below int) {
	random := rand.New(rand.NewPCG(1, 2))
	state := ledger.New(view, w.params)
	state.Begin(w.height+1, w.time.Add(second))
	for i := range n {
		owner := fmt.Sprintf("household %d", i)
		side := types.Side(1 + i%2)
		limit := random.IntN(100 - below)
		if side == types.Bid {
			limit += below
		}
		o := w.order("peter", side, types.Amount(1+limit), ofQuantity(10+10*random.Uint64N(500)))
		o.Owner = party.Key(owner)
		stake, _ := o.Stake()
		body := w.body(&types.Issue{Asset: euro, Amount: stake}, &types.Place{Order: o})
		tx := types.NewTx(body, types.Signature{Key: euro.Issuer}, types.Signature{Key: o.Owner})
		if result := state.Execute(tx, true); result.Code != types.CodeOK {
			b.Fatal(result.Detail)
		}
	}
	view.Apply(state.Finish().Changes)
}
