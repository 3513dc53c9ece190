package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// BenchmarkFullBlocks measures blocks on the disk with the maximum work, of the transactions that take longest per unit of work. It reports
// the time of the longest block and of a unit.
func BenchmarkFullBlocks(b *testing.B) {
	for name, fill := range map[string]func(w *world) []*types.Tx{"coins": (*world).manyCoins, "parts of trades": (*world).manyParts} {
		b.Run(name, func(b *testing.B) {
			var longest, all time.Duration
			work := uint64(0)
			for b.Loop() {
				w := newWorld(b)
				txs := fill(w)
				if err := w.store.Flush(); err != nil {
					b.Fatal(err)
				}
				for len(txs) > 0 {
					count, room := 0, uint64(ledger.MaxBlockWork)
					for count < len(txs) && ledger.Work(txs[count]) <= room {
						room -= ledger.Work(txs[count])
						count++
					}
					begin := time.Now()
					w.must(txs[:count]...)
					took := time.Since(begin)
					longest, all, work = max(longest, took), all+took, work+ledger.MaxBlockWork-room
					txs = txs[count:]
				}
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms/longest")
			b.ReportMetric(float64(all.Nanoseconds())/float64(work), "ns/unit")
			b.ReportMetric(float64(work)/float64(b.N), "units")
		})
	}
}

// inputsOfTx is how many inputs fit into one transaction.
const inputsOfTx = 1000

// manyCoins makes coins of many keys, and the transactions that put those of each together.
func (w *world) manyCoins() []*types.Tx {
	const keys, coins = 150, 1000
	var txs []*types.Tx
	for key := range keys {
		name := fmt.Sprint("holder ", key)
		body := w.body()
		for part := range 2 {
			names := make([]string, coins/2)
			for i := range names {
				names[i] = name
			}
			mint := w.mint(types.Amount(part+1), names...)
			w.time -= types.Time(second)
			w.must(mint)
			for i := range names {
				body.Inputs = append(body.Inputs, types.Outpoint{Tx: mint.ID(), Index: uint32(i)})
			}
		}
		body.Outputs = []types.Output{party.Output(name, 3*coins/2)}
		txs = append(txs, sign(body, name))
	}
	return txs
}

// manyParts makes trades whose payment waits for its producer, and the transactions that collect them.
func (w *world) manyParts() []*types.Tx {
	const trades, inBlock = 60_000, 2000
	payBy := w.time.Add(600 * second)
	var body types.Body
	var txs []*types.Tx
	for from := 0; from < trades; from += inBlock {
		var steps [4][]*types.Tx
		for at := 0; at < inBlock; at += 500 {
			consumer := fmt.Sprint("consumer ", at) // no key may have more than 1,024 coins
			consumers := slices.Repeat([]string{consumer}, 500)
			mint := w.mint(types.Amount(110+at), consumers...)
			w.must(mint)
			for i := range 500 {
				agreement := w.agreement(uint64(from + at + i))
				agreement.Deadlines = types.Deadlines{PayBy: payBy, DeliverBy: payBy.Add(60 * second), ReadingBy: payBy.Add(120 * second), ConfirmBy: payBy.Add(180 * second)}
				agreement.Price, agreement.Consumer = types.Amount(100+at), party.Key(consumer)
				id := agreement.ID()
				pay := w.body(&types.Pay{Trade: id, Digest: party.Secret("clara").Digest(1)})
				pay.Inputs = []types.Outpoint{{Tx: mint.ID(), Index: uint32(i)}}
				steps[0] = append(steps[0], w.agree(agreement))
				steps[1] = append(steps[1], sign(pay, consumer))
				steps[2] = append(steps[2], sign(w.body(&types.Deliver{Trade: id}), "peter"))
				steps[3] = append(steps[3], types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: party.Secret("clara")}))
				if len(body.Inputs) == 0 {
					body = w.body()
					body.Outputs = []types.Output{party.Output("peter", 0)}
					body.ValidUntil = payBy
				}
				body.Inputs = append(body.Inputs, id.Outpoint(types.PartPayment))
				body.Outputs[0].Amount += agreement.Price
				if len(body.Inputs) == inputsOfTx {
					txs, body.Inputs = append(txs, sign(body, "peter")), nil
				}
			}
		}
		for _, step := range steps {
			w.time -= types.Time(second)
			w.must(step...)
		}
	}
	return txs
}
