package ledger_test

import (
	"fmt"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// BenchmarkTrades is whole trades of offers, each of three transactions and spending the proceeds of the one before: take and
// pay, deliver, release. A block holds one step of every pair. One operation is a trade.
func BenchmarkTrades(b *testing.B) {
	const pairs, rounds = 1000, 4
	w := newWorld(b)
	blocks := tradeBlocks(w, pairs, rounds)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += pairs * rounds {
		b.StopTimer()
		view := w.view.Clone()
		b.StartTimer()
		for i, block := range blocks {
			state := ledger.New(view, w.params)
			state.Reserve(len(block))
			state.Begin(w.height+1+uint64(i), w.time.Add(second))
			for _, tx := range block {
				if result := state.Execute(tx, true); result.Code != types.CodeOK {
					b.Fatal(result.Detail)
				}
			}
			view.Apply(state.Finish().Changes)
		}
	}
}

// tradeBlocks posts an offer for each of many pairs and makes the blocks of their trades.
func tradeBlocks(w *world, pairs, rounds int) [][]*types.Tx {
	blocks := make([][]*types.Tx, 3*rounds)
	w.height++
	state := ledger.New(w.view, w.params)
	state.Begin(w.height, w.time)
	for pair := range pairs {
		producer, consumer := fmt.Sprint("producer ", pair), fmt.Sprint("consumer ", pair)
		offer := w.offer()
		offer.Producer, offer.Goods.Quantity = party.Key(producer), types.MaxQuantity
		purses := mintUnsigned(w, state, producer, consumer, &offer)
		inputs := map[string][]types.Outpoint{producer: purses[:1], consumer: purses[1:]}
		held := map[string]types.Amount{producer: 1e6, consumer: 1e6}
		act := func(who string, pays types.Amount, action types.Action) *types.Tx {
			body := w.body(action)
			held[who] -= pays
			body.Inputs, body.Outputs = inputs[who], []types.Output{party.Output(who, held[who])}
			tx := types.NewTx(body, types.Signature{Key: party.Key(who)})
			inputs[who] = outpoints(tx, 1)
			return tx
		}
		for round := range rounds {
			secret := party.Secret(fmt.Sprint(pair, round))
			take := &types.Take{Offer: offer.ID(), Consumer: party.Key(consumer), Quantity: 1000, Nonce: uint64(round), Digest: secret.Digest(1)}
			agreement, err := offer.Agreement(take.Quantity, take.Consumer, take.Nonce)
			if err != nil {
				w.t.Fatal(err)
			}
			id := agreement.ID()
			release := types.Release{Trade: id, Instalment: 1, Preimage: secret}
			for step, tx := range []*types.Tx{
				act(consumer, agreement.Price+agreement.Deposit, take),
				act(producer, agreement.Bond, &types.Deliver{Trade: id}),
				types.NewRelease(w.params.ChainID, release),
			} {
				blocks[3*round+step] = append(blocks[3*round+step], tx)
			}
			inputs[producer] = append(inputs[producer], id.Outpoint(types.PartPayment), id.Outpoint(types.PartBond))
			inputs[consumer] = append(inputs[consumer], id.Outpoint(types.PartReturn))
			held[producer] += agreement.Price + agreement.Bond
			held[consumer] += agreement.Deposit
		}
	}
	w.view.Apply(state.Finish().Changes)
	return blocks
}

// mintUnsigned gives both a purse and posts the offer, without an audit.
func mintUnsigned(w *world, state *ledger.State, producer, consumer string, offer *types.Offer) []types.Outpoint {
	body := w.body(&types.Issue{Asset: euro, Amount: 2e6}, &types.Post{Offer: *offer})
	body.Outputs = []types.Output{party.Output(producer, 1e6), party.Output(consumer, 1e6)}
	tx := types.NewTx(body, types.Signature{Key: euro.Issuer}, types.Signature{Key: offer.Producer})
	if result := state.Execute(tx, true); result.Code != types.CodeOK {
		w.t.Fatal(result.Detail)
	}
	return outpoints(tx, 2)
}
