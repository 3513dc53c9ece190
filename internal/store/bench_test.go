package store_test

import (
	"errors"
	"fmt"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// benchPairs trade at the same time, each pair its own trades.
const benchPairs = 1000

// BenchmarkTrades writes whole trades of three transactions: agree and pay with the coins of the pair's last trade, deliver, release. An
// operation is a trade of every pair, in three blocks and one flush. Use -benchtime 100x for a steady size on the disk.
func BenchmarkTrades(b *testing.B) {
	w := newWorld(b)
	pairs, consumers := make([]*pair, benchPairs), make([]string, benchPairs)
	for i := range pairs {
		pairs[i] = &pair{producer: fmt.Sprint("producer ", i), consumer: fmt.Sprint("consumer ", i)}
		consumers[i] = pairs[i].consumer
	}
	mint := w.mint(110, consumers...)
	w.must(mint)
	for i, p := range pairs {
		p.purse = []types.Outpoint{{Tx: mint.ID(), Index: uint32(i)}}
	}
	before := w.store.Written()
	for round := 0; b.Loop(); round++ {
		for _, step := range []func(*pair, *world, int) *types.Tx{(*pair).pay, (*pair).deliver, (*pair).release} {
			b.StopTimer()
			txs := make([]*types.Tx, len(pairs))
			for i, p := range pairs {
				txs[i] = step(p, w, round)
			}
			executed := w.execute(txs...)
			for _, tx := range executed.Txs {
				if tx.Code != types.CodeOK {
					b.Fatal(tx.Detail)
				}
			}
			b.StartTimer()
			staged, err := w.store.Stage(executed)
			if err == nil {
				err = staged.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := w.store.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	after, trades := w.store.Written(), float64(b.N*benchPairs)
	b.ReportMetric(float64(b.Elapsed().Microseconds())/trades, "µs/trade")
	b.ReportMetric(float64(after.WAL-before.WAL)/trades, "WAL-B/trade")
	b.ReportMetric(float64(after.Tables-before.Tables)/trades, "table-B/trade")
	b.ReportMetric(float64(after.Disk)/trades, "disk-B/trade")
}

// pair is a pair that trades, always with the same money.
type pair struct {
	producer, consumer string
	purse              []types.Outpoint
	trade              types.TradeID
}

func (p *pair) pay(w *world, round int) *types.Tx {
	agreement := w.agreement(uint64(round))
	agreement.Producer, agreement.Consumer = party.Key(p.producer), party.Key(p.consumer)
	p.trade = agreement.ID()
	agree := &types.Agree{Agreement: agreement, Mandates: w.mandated(&agreement), Submitter: agreement.Consumer}
	body := w.body(agree, &types.Pay{Trade: p.trade, Digest: p.secret().Digest(1)})
	body.Inputs = p.purse
	if len(p.purse) > 1 { // the payment of the last trade is the producer's
		return sign(body, p.consumer, p.producer)
	}
	return sign(body, p.consumer)
}

func (p *pair) deliver(w *world, _ int) *types.Tx {
	return sign(w.body(&types.Deliver{Trade: p.trade}), p.producer)
}

// release opens the trade. Its payment and its return fund the next trade.
func (p *pair) release(w *world, _ int) *types.Tx {
	head := w.head()
	defer head.Close()
	trade, _ := head.Reader.Trade(p.trade)
	p.purse = nil
	for _, locked := range trade.Locked {
		p.purse = append([]types.Outpoint{p.trade.Outpoint(locked.Part)}, p.purse...) // the consumer's first, as its key is needed first
	}
	return types.NewRelease(w.params.ChainID, types.Release{Trade: p.trade, Instalment: 1, Preimage: p.secret()})
}

func (p *pair) secret() types.Secret { return party.Secret(p.consumer) }

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
		b.StartTimer()
		if err := errors.Join(staged.Commit(), w.store.Flush()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*payments)/b.Elapsed().Seconds(), "tx/s")
}
