package bench

import (
	"fmt"
	"math/rand/v2"

	"lockstep/types"
)

// pair is a chain of trades between two parties, in which each trade spends the proceeds of the one before. Pairs don't
// depend on each other, even where they share a key.
type pair struct {
	world              *world
	index              int
	producer, consumer *party
	offer              *types.Offer
	offerID            types.OfferID
	random             *rand.Rand
	trades             uint64 // made so far

	consumerCoins, producerCoins coins

	steps []step // made and signed, not yet done
}

// step is one transaction of a pair. It may be sent once the step before it is final.
type step struct {
	encoded
	first bool // begins trades: E1
	ends  int  // trades that it ends: E3
}

// encoded is a transaction as it is sent. There are many, so nothing else of it is kept.
type encoded struct {
	id    types.TxID
	bytes []byte
}

func encode(tx *types.Tx) encoded { return encoded{tx.ID(), tx.Bytes()} }

// decode reads a transaction again.
func (e *encoded) decode() (*types.Tx, error) {
	tx, err := types.DecodeTx(e.bytes)
	if err != nil {
		return nil, fmt.Errorf("transaction %s: %w", e.id, err)
	}
	return tx, nil
}

func decodeAll(all []encoded) ([]*types.Tx, error) {
	txs := make([]*types.Tx, len(all))
	for i := range all {
		var err error
		if txs[i], err = all[i].decode(); err != nil {
			return nil, err
		}
	}
	return txs, nil
}

// stepsAt decodes the step with one index of every pair.
func (w *world) stepsAt(i int) ([]*types.Tx, error) {
	all := make([]encoded, len(w.pairs))
	for j, l := range w.pairs {
		all[j] = l.steps[i].encoded
	}
	return decodeAll(all)
}

// coins are the outputs that a party of a pair owns.
type coins struct {
	outpoints []types.Outpoint
	sum       types.Amount
}

func (c *coins) add(outpoint types.Outpoint, amount types.Amount) {
	c.outpoints = append(c.outpoints, outpoint)
	c.sum += amount
}

// spend takes all coins as inputs and returns the change of a price as the first output.
func (c *coins) spend(w *world, owner *party, price types.Amount) types.Body {
	body := types.Body{Inputs: c.outpoints, Outputs: []types.Output{w.toKey(owner, c.sum-price)}}
	*c = coins{sum: c.sum - price}
	return body
}

func newPair(w *world, index int, producer, consumer *party, offer *types.Offer) *pair {
	return &pair{
		world: w, index: index, producer: producer, consumer: consumer, offer: offer, offerID: offer.ID(),
		random: rand.New(rand.NewPCG(w.seed, uint64(index))),
	}
}

// made is one trade while its transactions are made.
type made struct {
	id        types.TradeID
	secret    types.Secret
	agreement *types.Agreement
}

// extend makes and signs the three steps of one more round: E1, E2 and E3 of as many trades as a transaction has actions.
func (l *pair) extend() {
	w := l.world
	trades := make([]made, w.actions)
	var prices, bonds types.Amount
	takes, delivers, releases := make([]types.Action, w.actions), make([]types.Action, w.actions), make([]types.Action, w.actions)
	for i := range trades {
		secret := w.secret(l.index, l.trades)
		take := &types.Take{
			Offer: l.offerID, Consumer: l.consumer.key, Quantity: leastQuantity + l.random.Uint64N(mostQuantity-leastQuantity),
			Nonce: uint64(l.index)<<32 | l.trades, Digest: secret.Digest(1),
		}
		agreement, err := l.offer.Agreement(take.Quantity, take.Consumer, take.Nonce)
		if err != nil {
			panic("load: the largest quantity has a price: " + err.Error())
		}
		trades[i] = made{id: agreement.ID(), secret: secret, agreement: agreement}
		takes[i], delivers[i] = take, &types.Deliver{Trade: trades[i].id}
		releases[i] = &types.Release{Trade: trades[i].id, Instalment: 1, Preimage: secret}
		prices += agreement.Price + agreement.Deposit
		bonds += agreement.Bond
		l.trades++
	}
	e1 := l.act(&l.consumerCoins, l.consumer, takes, prices)
	e2 := l.act(&l.producerCoins, l.producer, delivers, bonds)
	e3 := l.release(releases)
	for _, trade := range trades {
		l.producerCoins.add(trade.id.Outpoint(types.PartPayment), trade.agreement.Price)
		l.consumerCoins.add(trade.id.Outpoint(types.PartReturn), trade.agreement.Deposit)
		l.producerCoins.add(trade.id.Outpoint(types.PartBond), trade.agreement.Bond)
	}
	l.steps = append(l.steps, step{encoded: encode(e1), first: true}, step{encoded: encode(e2)}, step{encoded: encode(e3), ends: len(trades)})
}

// act makes a transaction that pays for actions with all coins of a party.
func (l *pair) act(from *coins, by *party, actions []types.Action, price types.Amount) *types.Tx {
	body := from.spend(l.world, by, price)
	body.Actions = actions
	tx := l.world.sign(body, by)
	from.outpoints = []types.Outpoint{{Tx: tx.ID()}}
	return tx
}

// release is unsigned for one trade, as the protocol has it. For several it needs an input, so that somebody signs.
func (l *pair) release(actions []types.Action) *types.Tx {
	if release, ok := actions[0].(*types.Release); ok && len(actions) == 1 {
		return types.NewRelease(l.world.params.ChainID, *release)
	}
	return l.act(&l.consumerCoins, l.consumer, actions, 0)
}
