package store_test

import (
	"errors"
	"fmt"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// benchLanes trade at the same time, each pair its own trades.
const benchLanes = 1000

// BenchmarkTrades writes whole trades of three transactions: agree and pay with the coins of the pair's last trade, deliver, release. An
// operation is a trade of every pair, in three blocks and one flush. Use -benchtime 100x for a steady size on the disk.
func BenchmarkTrades(b *testing.B) {
	w := newWorld(b)
	lanes, consumers := make([]*lane, benchLanes), make([]string, benchLanes)
	for i := range lanes {
		lanes[i] = &lane{producer: fmt.Sprint("producer ", i), consumer: fmt.Sprint("consumer ", i)}
		consumers[i] = lanes[i].consumer
	}
	mint := w.mint(110, consumers...)
	w.must(mint)
	for i, l := range lanes {
		l.purse = []types.Outpoint{{Tx: mint.ID(), Index: uint32(i)}}
	}
	before := w.store.Written()
	for round := 0; b.Loop(); round++ {
		for _, step := range []func(*lane, *world, int) *types.Tx{(*lane).pay, (*lane).deliver, (*lane).release} {
			b.StopTimer()
			txs := make([]*types.Tx, len(lanes))
			for i, l := range lanes {
				txs[i] = step(l, w, round)
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
	after, trades := w.store.Written(), float64(b.N*benchLanes)
	b.ReportMetric(float64(b.Elapsed().Microseconds())/trades, "µs/trade")
	b.ReportMetric(float64(after.WAL-before.WAL)/trades, "WAL-B/trade")
	b.ReportMetric(float64(after.Tables-before.Tables)/trades, "table-B/trade")
	b.ReportMetric(float64(after.Disk)/trades, "disk-B/trade")
}

// lane is a pair that trades, always with the same money.
type lane struct {
	producer, consumer string
	purse              []types.Outpoint
	trade              types.TradeID
}

func (l *lane) pay(w *world, round int) *types.Tx {
	agreement := w.agreement(uint64(round))
	agreement.Producer, agreement.Consumer = party.Key(l.producer), party.Key(l.consumer)
	l.trade = agreement.ID()
	agree := &types.Agree{Agreement: agreement, Mandates: w.mandated(&agreement), Submitter: agreement.Consumer}
	body := w.body(agree, &types.Pay{Trade: l.trade, Digest: l.secret().Digest(1)})
	body.Inputs = l.purse
	return sign(body, l.consumer)
}

func (l *lane) deliver(w *world, _ int) *types.Tx {
	return sign(w.body(&types.Deliver{Trade: l.trade}), l.producer)
}

// release opens the trade. Its payment and its return fund the next trade.
func (l *lane) release(w *world, _ int) *types.Tx {
	head := w.head()
	defer head.Close()
	trade, _ := head.Reader.Trade(l.trade)
	l.purse = nil
	for _, locked := range trade.Locked {
		l.purse = append([]types.Outpoint{l.trade.Outpoint(locked.Part)}, l.purse...) // the consumer's first, as its key is needed first
	}
	return types.NewRelease(w.params.ChainID, types.Release{Trade: l.trade, Instalment: 1, Preimage: l.secret()})
}

func (l *lane) secret() types.Secret { return party.Secret(l.consumer) }

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
