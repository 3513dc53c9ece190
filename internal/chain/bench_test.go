package chain

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// benchClients hand in transactions at once, each in order and one at a time.
const benchClients = 1024

// BenchmarkChain hands in payments from many clients at once and waits until all are on the disk.
func BenchmarkChain(b *testing.B) {
	w := newWorld(b).run()
	peter := newSigner("peter")
	coins := w.coins(benchClients, 1, peter)
	txs := make([][]*types.Tx, benchClients)
	for c := range txs {
		coin := coins[c]
		for range b.N/benchClients + 1 {
			tx := peter.pay(w, coin)
			coin = types.Outpoint{Tx: tx.ID()}
			txs[c] = append(txs[c], tx)
		}
	}
	b.ResetTimer()
	w.submitAll(b, txs)
}

// BenchmarkTrades hands in whole trades of many parties: one producer's offer, then for each a take with its payment, the
// delivery and the release.
func BenchmarkTrades(b *testing.B) {
	w := newWorld(b).run()
	txs := w.trades(b.N)
	b.ResetTimer()
	w.submitAll(b, txs)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trades/s")
}

// BenchmarkOverload is BenchmarkTrades with a far too small pool: it reports the refused and the executed transactions.
func BenchmarkOverload(b *testing.B) {
	w := newWorld(b, func(c *Config) { c.PoolTxs = 1024 }).run()
	txs := w.trades(b.N)
	b.ResetTimer()
	w.submitAll(b, txs)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trades/s")
}

// submitAll hands in each client's transactions one after the other, again when the pool is full, and waits for the last.
func (w *world) submitAll(b *testing.B, clients [][]*types.Tx) {
	total := 0
	var running sync.WaitGroup
	for _, txs := range clients {
		total += len(txs)
		running.Go(func() {
			if err := w.submitInOrder(txs); err != nil {
				b.Error(err)
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "tx/s")
}

func (w *world) submitInOrder(txs []*types.Tx) error {
	for _, tx := range txs {
		err := w.Submit(context.Background(), tx)
		for types.CodeOf(err) == types.CodePoolFull {
			time.Sleep(time.Millisecond)
			err = w.Submit(context.Background(), tx)
		}
		if err != nil {
			return err
		}
	}
	if len(txs) == 0 {
		return nil
	}
	outcome, err := w.Await(context.Background(), txs[len(txs)-1].ID())
	if err == nil && outcome.Code != types.CodeOK {
		err = fmt.Errorf("%s: %s", outcome.Code, outcome.Detail)
	}
	return err
}

// signer is a party whose key is made once: making it costs more than signing.
type signer struct {
	private ed25519.PrivateKey
	public  types.PublicKey
}

func newSigner(name string) signer { return signer{party.PrivateKey(name), party.Key(name)} }

func (s signer) sign(body types.Body) *types.Tx {
	tx := types.NewTx(body)
	message := types.SigningMessage(tx.BodyBytes())
	return tx.WithSignature(types.Signature{Key: s.public, Bytes: [64]byte(ed25519.Sign(s.private, message))})
}

func (s signer) pay(w *world, coin types.Outpoint) *types.Tx {
	body, asset := w.body(), party.Euro()
	body.Inputs = []types.Outpoint{coin}
	body.Outputs = []types.Output{{Asset: asset.ID(), Amount: 1, Lock: types.ToKey(s.public)}}
	return s.sign(body)
}

// coins puts so many outputs of the amount on the ledger, dealt out to the owners in turn.
func (w *world) coins(n int, amount types.Amount, owners ...signer) []types.Outpoint {
	const each = 200
	issuer, asset := newSigner("issuer"), party.Euro()
	id := asset.ID()
	coins := make([]types.Outpoint, 0, n)
	for len(coins) < n {
		count := min(each, n-len(coins))
		body := w.body(&types.Issue{Asset: asset, Amount: amount * types.Amount(count)})
		body.Memo = fmt.Sprint(len(coins)) // so that no two are the same
		for i := range count {
			owner := owners[(len(coins)+i)%len(owners)]
			body.Outputs = append(body.Outputs, types.Output{Asset: id, Amount: amount, Lock: types.ToKey(owner.public)})
		}
		tx := issuer.sign(body)
		w.must(tx)
		for i := range count {
			coins = append(coins, types.Outpoint{Tx: tx.ID(), Index: uint32(i)})
		}
	}
	return coins
}

// trades makes the transactions of n trades, shared out among the clients: a consumer and a producer with an offer of its own.
func (w *world) trades(n int) [][]*types.Tx {
	clients := make([][]*types.Tx, min(n, benchClients))
	consumers := make([]signer, len(clients))
	for c := range consumers {
		consumers[c] = newSigner(fmt.Sprint("consumer ", c))
	}
	coins := w.coins(n, 110, consumers...)
	secret := party.Secret("clara")
	for c := range clients {
		producer, agreement := newSigner(fmt.Sprint("producer ", c)), w.agreement()
		count := uint64((n - c + len(clients) - 1) / len(clients))
		offer := types.Offer{
			ChainID: agreement.ChainID, Producer: producer.public, Goods: agreement.Goods, Asset: agreement.Asset, Fallback: &types.Hold{},
			Price: types.Rate{Mantissa: 100}, Deposit: types.Rate{Mantissa: 10}, Bond: types.Rate{Mantissa: 0},
			MinFill: 1, Instalments: 1, Deadlines: agreement.Deadlines,
		}
		offer.Goods.Unit, offer.Goods.Quantity = types.UnitWattHour, count
		clients[c] = append(clients[c], producer.sign(w.body(&types.Post{Offer: offer})))
		for k := range count {
			agreement, err := offer.Agreement(1, consumers[c].public, k)
			if err != nil {
				w.t.Fatal(err)
			}
			id := agreement.ID()
			take := w.body(&types.Take{Offer: offer.ID(), Quantity: 1, Consumer: consumers[c].public, Nonce: k, Digest: secret.Digest(1)})
			take.Inputs = []types.Outpoint{coins[c+int(k)*len(clients)]}
			clients[c] = append(clients[c], consumers[c].sign(take), producer.sign(w.body(&types.Deliver{Trade: id})),
				types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: secret}))
		}
	}
	return clients
}

// BenchmarkLatency is the time from handing in one transaction to its being on the disk, on an idle chain.
func BenchmarkLatency(b *testing.B) {
	w := newWorld(b).run()
	for i := 0; b.Loop(); i++ {
		w.must(w.mint(types.Amount(1+i), "peter"))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/tx")
}
