package ledgertest

import (
	"crypto/sha256"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// Agree returns a transaction that records an agreement which both named parties have signed. The producer submits it.
func (l *Ledger) Agree(agreement types.Agreement, producer, consumer string) *types.Tx {
	body := l.Body()
	body.Actions = []types.Action{party.Agree(agreement, body.ValidUntil, producer, consumer)}
	return party.Sign(body, producer)
}

// Body returns a valid body with the actions.
func (l *Ledger) Body(actions ...types.Action) types.Body {
	return types.Body{ChainID: l.chain.params.ChainID, ValidUntil: l.Now().Add(l.chain.params.MaxValidity / 2), Actions: actions}
}

// Issue returns a transaction that gives each named party an output of the amount, in their order.
func (l *Ledger) Issue(amount types.Amount, names ...string) *types.Tx {
	return party.Issue(l.Body(), amount, names...)
}

// NewOffer returns an offer by "producer" of 1,000 Wh at a cent each, with a deposit and a bond of a tenth.
func (l *Ledger) NewOffer(nonce uint64) types.Offer {
	euro, now := party.Euro(), l.Now()
	minutes := func(n types.Duration) types.Time { return now.Add(n * 60_000) }
	tenth := types.Rate{Mantissa: 1, Exponent: 1}
	return types.Offer{
		ChainID: l.chain.params.ChainID, Producer: party.Key("producer"), Asset: euro.ID(),
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1000, Zone: "community",
			From: minutes(15), Until: minutes(30),
		},
		Price: types.Rate{Mantissa: 1}, Deposit: tenth, Bond: tenth, MinFill: 1, Instalments: 1,
		Deadlines: types.Deadlines{PayBy: minutes(10), DeliverBy: minutes(20), ReadingBy: minutes(40), ConfirmBy: minutes(60)},
		Fallback:  &types.Hold{}, Nonce: nonce,
	}
}

// Story runs a full trade: an issue, an offer, a take, the delivery, the release and the collection. It returns the transactions in order
// and the trade.
func (l *Ledger) Story(t testing.TB) ([]*types.Tx, types.TradeID) {
	t.Helper()
	var story []*types.Tx
	do := func(tx *types.Tx) *types.Tx {
		t.Helper()
		if err := l.Submit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		story = append(story, tx)
		return tx
	}
	secret := types.Secret(sha256.Sum256([]byte("a secret")))
	issued := do(l.Issue(10_000, "producer", "consumer"))
	offer := l.NewOffer(1)
	do(party.Sign(l.Body(&types.Post{Offer: offer}), "producer"))
	agreement, err := offer.Agreement(400, party.Key("consumer"), 7)
	if err != nil {
		t.Fatal(err)
	}
	trade := agreement.ID()
	body := l.Body(&types.Take{Offer: offer.ID(), Consumer: party.Key("consumer"), Quantity: 400, Nonce: 7, Digest: secret.Digest(1)})
	body.Inputs = []types.Outpoint{{Tx: issued.ID(), Index: 1}}
	body.Outputs = []types.Output{party.Output("consumer", 10_000-400-40)}
	do(party.Sign(body, "consumer"))
	body = l.Body(&types.Deliver{Trade: trade})
	body.Inputs = []types.Outpoint{{Tx: issued.ID(), Index: 0}}
	body.Outputs = []types.Output{party.Output("producer", 10_000-40)}
	do(party.Sign(body, "producer"))
	do(types.NewRelease(l.chain.params.ChainID, types.Release{Trade: trade, Instalment: 1, Preimage: secret}))
	now, err := l.Trade(t.Context(), trade)
	if err != nil {
		t.Fatal(err)
	}
	payment, _ := now.Trade.Find(types.PartPayment)
	body = l.Body()
	body.Inputs = []types.Outpoint{trade.Outpoint(types.PartPayment)}
	body.Outputs = []types.Output{party.Output("producer", payment.Amount)}
	do(party.Sign(body, "producer"))
	return story, trade
}
