package query_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/query"
	"lockstep/internal/store"
	"lockstep/types"
)

const second = types.Duration(1000)

// book is a store whose blocks the test makes at any time, and the answers from it.
type book struct {
	*query.Ledger
	t      *testing.T
	dir    string
	store  *store.Store
	params types.Params
	time   types.Time
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{t: t, dir: t.TempDir(), params: types.DefaultParams("test"), time: 1_780_000_000_000}
	b.params.Market.Grids = party.HoldGrids()
	s, err := store.Open(b.dir, b.params, store.DefaultMemory, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.Ledger, b.store = query.New(nil, s), s
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// must makes a block a second later and wants every transaction accepted.
func (b *book) must(txs ...*types.Tx) {
	b.t.Helper()
	b.time = b.time.Add(second)
	state := ledger.New(b.store.StateReader(), b.params)
	state.Begin(b.store.Height()+1, b.time)
	var executed store.Executed
	for _, tx := range txs {
		result := state.Execute(tx, true)
		if result.Code != types.CodeOK {
			b.t.Fatal(result.Detail)
		}
		executed.Txs = append(executed.Txs, store.TxResult{ID: tx.ID()})
	}
	executed.Diff = state.Finish()
	staged, err := b.store.Stage(executed)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := staged.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) wait(span types.Duration) {
	for ; span > 0; span -= second {
		b.must()
	}
}

func (b *book) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: b.params.ChainID, ValidUntil: b.time.Add(b.params.MaxValidity / 2), Actions: actions}
}

func (b *book) mint(amount types.Amount, names ...string) types.TxID {
	b.t.Helper()
	tx := party.Issue(b.body(), amount, names...)
	b.must(tx)
	return tx.ID()
}

// paid has clara pay peter 100 with a deposit of 10 and a bond of 5, from coins of 110 and 5.
func (b *book) paid(nonce uint64) (id types.TradeID, purse types.TxID) {
	b.t.Helper()
	purse = b.mint(115, "clara", "peter")
	asset := party.Euro()
	agreement := types.Agreement{
		ChainID: b.params.ChainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
		Asset: asset.ID(), Price: 100, Deposit: 10, Bond: 5, Instalments: 1, Nonce: nonce, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: b.time.Add(30 * second), DeliverBy: b.time.Add(60 * second),
			ReadingBy: b.time.Add(90 * second), ConfirmBy: b.time.Add(120 * second),
		},
	}
	id = agreement.ID()
	agree := party.Agree(agreement, b.time.Add(60*second), "peter", "clara")
	agree.Submitter = party.Key("clara")
	both := b.body(agree, &types.Pay{Trade: id, Digest: party.Secret("clara").Digest(1)})
	both.Inputs = []types.Outpoint{{Tx: purse}}
	both.Outputs = []types.Output{party.Output("clara", 5)}
	b.must(party.Sign(both, "clara"))
	return id, purse
}

func (b *book) deliver(id types.TradeID, purse types.TxID) {
	b.t.Helper()
	delivery := b.body(&types.Deliver{Trade: id})
	delivery.Inputs = []types.Outpoint{{Tx: purse, Index: 1}}
	delivery.Outputs = []types.Output{party.Output("peter", 110)}
	b.must(party.Sign(delivery, "peter"))
}

func (b *book) release(id types.TradeID) {
	b.t.Helper()
	b.must(types.NewRelease(b.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: party.Secret("clara")}))
}

// wantHas checks the spendable sum of a party, the number of its coins and its locked sum.
func (b *book) wantHas(name string, coins int, spendable, locked types.Amount) {
	b.t.Helper()
	has, balances := holdings(b.t, b, name)
	var sum types.Amount
	for _, coin := range has {
		sum += coin.Amount
	}
	if len(balances) != 1 {
		b.t.Fatalf("%s has %+v", name, balances)
	}
	got := balances[0]
	if len(has) != coins || sum != spendable || got.Code != "EUR" || got.Spendable != spendable || got.Locked != locked {
		b.t.Errorf("%s has %d coins and %+v, want %d coins, %s and %s locked", name, len(has), got, coins, spendable, locked)
	}
}

// asked has the questions about the money of a key.
type asked interface {
	Coins(context.Context, types.PublicKey, types.AssetID, types.Amount, wire.Page) (wire.Coins, error)
	Balances(context.Context, types.PublicKey, []types.AssetID, wire.Page) (wire.Balances, error)
}

// holdings are the balances of a party, and its euros, one a page.
func holdings(t testing.TB, l asked, name string) (coins []types.Coin, balances []wire.Balance) {
	t.Helper()
	answer, err := l.Balances(context.Background(), party.Key(name), nil, wire.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	asset := party.Euro()
	for part := (wire.Page{Limit: 1}); ; {
		page, err := l.Coins(context.Background(), party.Key(name), asset.ID(), 0, part)
		if err != nil {
			t.Fatal(err)
		}
		coins = append(coins, page.Coins...)
		if part.After = page.Next; part.After == "" {
			return coins, answer.Balances
		}
	}
}

func (b *book) wantTrade(id types.TradeID, phase types.Phase, over bool, first string) {
	b.t.Helper()
	trade, err := b.Trade(context.Background(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	move := ""
	if len(trade.Moves) > 0 {
		move = trade.Moves[0].What
	}
	if trade.ID != id || trade.Phase != phase || trade.Over != over || move != first {
		b.t.Errorf("the trade is %s, over: %t, waits for %q; want %s, %t, %q", trade.Phase, trade.Over, move, phase, over, first)
	}
}

func TestHoldingsDuringTrade(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	id, purse := b.paid(1)
	b.wantHas("clara", 1, 5, 110)
	b.wantHas("peter", 1, 115, 0)
	b.wantTrade(id, types.PhasePaid, false, "deliver")

	b.deliver(id, purse)
	b.wantHas("clara", 1, 5, 110)
	b.wantHas("peter", 1, 110, 5)
	b.wantTrade(id, types.PhaseDelivered, false, "release")

	b.release(id)
	b.wantHas("clara", 2, 15, 0)
	b.wantHas("peter", 3, 215, 0)
	b.wantTrade(id, types.PhaseReleased, false, "collect")

	b.collect("peter", id)
	b.wantTrade(id, types.PhaseReleased, false, "take_return")
	b.collect("clara", id)
	b.wantHas("clara", 2, 15, 0)
	b.wantHas("peter", 2, 215, 0)
	b.wantTrade(id, types.PhaseReleased, true, "")
}

// collect spends the outputs that a trade has given to a party, from the coins in the answer.
func (b *book) collect(name string, id types.TradeID) {
	b.t.Helper()
	coins, _ := holdings(b.t, b, name)
	spend, sum := b.body(), types.Amount(0)
	for _, coin := range coins {
		if coin.Trade != nil && *coin.Trade == id {
			spend.Inputs = append(spend.Inputs, coin.Outpoint)
			sum += coin.Amount
		}
	}
	spend.Outputs = []types.Output{party.Output(name, sum)}
	b.must(party.Sign(spend, name))
}

func TestHoldingsAfterDeadline(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	id, _ := b.paid(1)
	b.wait(65 * second)
	b.wantTrade(id, types.PhaseRefunded, false, "refund")
	b.wantHas("clara", 3, 115, 0)
	b.collect("clara", id)
	b.wantTrade(id, types.PhaseRefunded, true, "")
}

func TestTradesInPages(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	var want []types.TradeID
	for nonce := range uint64(5) {
		id, _ := b.paid(nonce)
		want = append([]types.TradeID{id}, want...)
	}
	for limit := 1; limit <= 6; limit++ {
		var got []types.TradeID
		for after := ""; ; {
			page, err := b.Trades(t.Context(), party.Key("clara"), false, wire.Page{After: after, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			for _, trade := range page.Trades {
				got = append(got, trade.ID)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
	}
}

func TestOffersInPages(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.mint(1, "peter")
	asset := party.Euro()
	for nonce := range uint64(4) {
		b.must(party.Sign(b.body(&types.Post{Offer: types.Offer{
			ChainID: b.params.ChainID, Producer: party.Key("peter"), Nonce: nonce, Fallback: &types.Hold{}, Asset: asset.ID(),
			Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
			Price: types.Rate{Mantissa: 7}, Deposit: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1,
			Deadlines: types.Deadlines{
				PayBy: b.time.Add(30 * second), DeliverBy: b.time.Add(60 * second),
				ReadingBy: b.time.Add(90 * second), ConfirmBy: b.time.Add(120 * second),
			},
		}}), "peter"))
	}
	seen := map[types.OfferID]bool{}
	for after := ""; ; {
		page, err := b.Offers(t.Context(), wire.Page{After: after, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, offer := range page.Offers {
			seen[offer.ID] = true
			if one, err := b.Offer(t.Context(), offer.ID); err != nil || one.Remaining != 1 {
				t.Errorf("%+v, %v", one, err)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d offers", len(seen))
	}
	b.wait(40 * second)
	if page, err := b.Offers(t.Context(), wire.Page{Limit: 3}); err != nil || len(page.Offers) != 0 {
		t.Errorf("offers stand beyond their end: %+v, %v", page, err)
	}
}
