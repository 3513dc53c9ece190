package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/types"
)

// Mixes: how producers and consumers are paired.
const (
	MixSpread      = "spread"       // pairs, each of a producer and a consumer of its own
	MixOneProducer = "one-producer" // many small consumers take of one offer
	MixOneConsumer = "one-consumer" // one consumer takes of many producers
)

// Terms of the offers: goods of a random quantity at a quarter of a unit each, a tenth of that as deposit and as bond.
const (
	leastQuantity, mostQuantity = 100, 2000

	purse     = types.Amount(1_000_000_000_000) // of each party of each pair: more than any run can use up
	grantSize = 600                             // outputs of one issue; more would not fit into a transaction

	longWindow = types.Duration(6 * 3600 * 1000) // no run takes longer
)

// party is a key that signs.
type party struct {
	key     types.PublicKey
	private ed25519.PrivateKey
}

// newParty derives a key from the seed and its place, so that the same seed is always the same parties.
func newParty(seed uint64, role string, index int) *party {
	h := sha256.New()
	fmt.Fprintf(h, "lockstep/load/%d/%s/%d", seed, role, index)
	private := ed25519.NewKeyFromSeed(h.Sum(nil))
	return &party{types.PublicKey(private.Public().(ed25519.PublicKey)), private}
}

// world holds the parties and their pairs, and the transactions that must be on the ledger before the first trade.
type world struct {
	params  types.Params
	begin   types.Time
	window  types.Duration // between two deadlines of an offer
	actions int            // in each transaction
	seed    uint64
	signed  bool // false where signatures are not verified: such transactions are made much faster

	issuer *party
	asset  types.Asset
	issued types.Amount // all the money that was made
	grants []*types.Tx  // issue it
	posts  []*types.Tx  // put the offers up
	pairs  []*pair
}

// newWorld makes the parties of the pairs and their initial money.
func newWorld(params types.Params, begin types.Time, o *Options, pairs int, signed bool) *world {
	w := &world{params: params, begin: begin, window: longWindow, actions: o.Actions, seed: o.Seed + o.wave<<32, signed: signed}
	w.issuer = newParty(o.Seed, "issuer", 0) // one for all waves: one kind of money
	w.asset = types.Asset{Issuer: w.issuer.key, Code: "EUR", Decimals: 2}
	var producer, consumer *party
	var offer *types.Offer
	for i := range pairs {
		if i == 0 || o.Mix != MixOneProducer {
			producer = newParty(w.seed, "producer", i)
			offer = w.offer(producer)
			w.posts = append(w.posts, w.sign(types.Body{Actions: []types.Action{&types.Post{Offer: *offer}}}, producer))
		}
		if i == 0 || o.Mix != MixOneConsumer {
			consumer = newParty(w.seed, "consumer", i)
		}
		w.pairs = append(w.pairs, newPair(w, i, producer, consumer, offer))
	}
	w.grant()
	return w
}

// offer is large enough for every trade of a run.
func (w *world) offer(producer *party) *types.Offer {
	const slot = types.Duration(15 * 60 * 1000)
	window := w.window
	from := w.begin.Add(4 * window)
	return &types.Offer{
		ChainID: w.params.ChainID, Producer: producer.key,
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: types.MaxQuantity, Zone: "bench",
			From: from, Until: from.Add(slot),
		},
		Asset: w.asset.ID(), MinFill: 1, Instalments: 1, Fallback: &types.Hold{},
		Price: types.Rate{Mantissa: 25, Exponent: 2}, Deposit: types.Rate{Mantissa: 25, Exponent: 3}, Bond: types.Rate{Mantissa: 25, Exponent: 3},
		Deadlines: types.Deadlines{
			PayBy: w.begin.Add(window), DeliverBy: w.begin.Add(2 * window),
			ReadingBy: w.begin.Add(3 * window), ConfirmBy: w.begin.Add(4 * window),
		},
	}
}

// grant issues a purse to the consumer and the producer of each pair, which only that pair spends.
func (w *world) grant() {
	var owners []*party
	var coins []*coins
	for _, l := range w.pairs {
		owners = append(owners, l.consumer, l.producer)
		coins = append(coins, &l.consumerCoins, &l.producerCoins)
	}
	for i, outpoint := range w.endow(owners) {
		coins[i].add(outpoint, purse)
	}
}

// endow issues a purse to each of some parties and returns where they are.
func (w *world) endow(owners []*party) (purses []types.Outpoint) {
	for part := range slices.Chunk(owners, grantSize) {
		outputs := make([]types.Output, len(part))
		for i, owner := range part {
			outputs[i] = w.toKey(owner, purse)
		}
		tx := w.issue(outputs)
		w.grants = append(w.grants, tx)
		for i := range part {
			purses = append(purses, types.Outpoint{Tx: tx.ID(), Index: uint32(i)})
		}
	}
	return purses
}

func (w *world) issue(outputs []types.Output) *types.Tx {
	var total types.Amount
	for i := range outputs {
		total += outputs[i].Amount
	}
	w.issued += total
	return w.sign(types.Body{Outputs: outputs, Actions: []types.Action{&types.Issue{Asset: w.asset, Amount: total}}}, w.issuer)
}

func (w *world) toKey(owner *party, amount types.Amount) types.Output {
	return types.Output{Asset: w.asset.ID(), Amount: amount, Lock: types.ToKey(owner.key)}
}

// sign puts one signature under a body, as valid as long as can be.
func (w *world) sign(body types.Body, by *party) *types.Tx {
	body.ChainID, body.ValidUntil = w.params.ChainID, w.begin.Add(w.params.MaxValidity)
	unsigned := types.NewTx(body)
	signature := types.Signature{Key: by.key}
	if w.signed {
		copy(signature.Bytes[:], ed25519.Sign(by.private, types.SigningMessage(unsigned.BodyBytes())))
	}
	return unsigned.WithSignature(signature)
}

// secret opens one trade. It is derived, as wallets do, so that a run can be made again.
func (w *world) secret(pair int, trade uint64) (secret types.Secret) {
	var text [24]byte
	binary.BigEndian.PutUint64(text[:], w.seed)
	binary.BigEndian.PutUint64(text[8:], uint64(pair))
	binary.BigEndian.PutUint64(text[16:], trade)
	return sha256.Sum256(text[:])
}
