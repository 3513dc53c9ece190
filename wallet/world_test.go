package wallet_test

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/wallet"
)

// world is the real ledger in memory. Every block is audited.
type world struct {
	t      testing.TB
	params types.Params
	view   *ledger.Memory
	height uint64
	time   types.Time
	bank   *wallet.Account
	euro   types.Asset
}

const (
	second = types.Duration(1000)
	minute = 60 * second
	start  = types.Time(1_780_000_000_000)
)

// newWorld has a bank that has issued nothing yet.
func newWorld(t testing.TB) *world {
	w := &world{t: t, params: types.DefaultParams("test"), view: ledger.NewMemory(), time: start}
	w.bank = newAccount(t, "bank")
	w.euro = types.Asset{Issuer: w.bank.Key(), Code: "EUR", Decimals: 2}
	w.block()
	return w
}

// newAccount is the first account of the seed that a name gives.
func newAccount(t testing.TB, name string) *wallet.Account {
	t.Helper()
	entropy := sha256.Sum256([]byte("a party called " + name))
	seed, err := wallet.NewSeed(bytes.NewReader(entropy[:]), "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return account.WithRandom(rand.NewChaCha8(entropy))
}

func withLimits(t testing.TB, name string, limits wallet.Limits) *wallet.Account {
	t.Helper()
	entropy := sha256.Sum256([]byte("a party called " + name))
	seed, err := wallet.NewSeed(bytes.NewReader(entropy[:]), "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := seed.Account(0, limits)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// block executes transactions in one block and returns their codes.
func (w *world) block(txs ...*types.Tx) []types.Code {
	w.t.Helper()
	w.height++
	w.time = w.time.Add(second)
	state := ledger.New(w.view, w.params)
	state.Begin(w.height, w.time)
	good := types.VerifySignatures(txs...)
	var codes []types.Code
	for i, tx := range txs {
		again, err := types.DecodeTx(tx.Bytes())
		if err != nil {
			w.t.Fatalf("the wallet made a transaction that can't be read: %v", err)
		}
		result := state.Execute(again, good[i])
		if result.Code != types.CodeOK {
			w.t.Logf("refused: %s", result.Detail)
		}
		codes = append(codes, result.Code)
	}
	w.view.Apply(state.Finish().Changes)
	if _, _, err := ledger.Audit(w.view); err != nil {
		w.t.Fatal(err)
	}
	return codes
}

// accept executes a transaction that must be accepted.
func (w *world) accept(tx *types.Tx, err error) *types.Tx {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if code := w.block(tx)[0]; code != types.CodeOK {
		w.t.Fatalf("the ledger refused what the wallet made: %s", code)
	}
	return tx
}

// wait lets time pass in steps that the ledger clock follows.
func (w *world) wait(span types.Duration) {
	for until := w.time.Add(span); w.time < until; {
		w.time = w.time.Add(w.params.ClockCap - 2*second)
		w.block()
	}
}

func (w *world) clock() types.Time { return ledger.Reader{View: w.view}.Clock().Now() }

// context is a node's answer to an account.
func (w *world) context(a *wallet.Account) wallet.Context {
	clock := w.clock()
	var coins []types.Coin
	for outpoint, holding := range (ledger.Reader{View: w.view}).Holdings() {
		if owner, ok := holding.Owner(clock); !ok || owner != a.Key() {
			continue
		}
		coin := types.Coin{Outpoint: outpoint, Asset: holding.Asset, Amount: holding.Amount}
		if id, part, ok := outpoint.Trade(); ok {
			coin.Trade, coin.Part = &id, &part
		}
		coins = append(coins, coin)
	}
	look := func(id types.AssetID) (types.Asset, bool) { return w.euro, id == w.euro.ID() }
	return wallet.Context{Params: w.params, BlockTime: w.time, Clock: clock, Coins: coins, Asset: look}
}

func (w *world) draft(a *wallet.Account) *wallet.Draft { return a.Draft(w.context(a)) }

func (w *world) trade(id types.TradeID) *types.Trade {
	w.t.Helper()
	trade, ok := ledger.Reader{View: w.view}.Trade(id)
	if !ok {
		w.t.Fatalf("trade %s is not on the ledger", id)
	}
	return trade
}

// has returns the spendable sum of an account in an asset.
func (w *world) has(a *wallet.Account, asset types.AssetID) (total types.Amount) {
	for _, coin := range w.context(a).Coins {
		if coin.Asset == asset {
			total += coin.Amount
		}
	}
	return total
}

func (w *world) expect(a *wallet.Account, want types.Amount) {
	w.t.Helper()
	if got := w.has(a, w.euro.ID()); got != want {
		w.t.Fatalf("got %s, want %s", got, want)
	}
}

// give issues euros to accounts, each in one coin.
func (w *world) give(amount types.Amount, accounts ...*wallet.Account) {
	w.t.Helper()
	draft := w.draft(w.bank)
	must(w.t, draft.Issue(w.euro, amount*types.Amount(len(accounts))))
	for _, account := range accounts {
		must(w.t, draft.Send(account.Key(), w.euro.ID(), amount))
	}
	w.accept(draft.Sign())
}

// offer is one of 1,000 Wh at 0.5 each, with 0.05 deposit and 0.1 bond.
func (w *world) offer(instalments uint16) types.Offer {
	now := w.clock()
	return types.Offer{
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1000,
			From: now.Add(10 * minute), Until: now.Add(25 * minute),
		},
		Asset: w.euro.ID(), Price: rate("0.5"), Deposit: rate("0.05"), Bond: rate("0.1"), MinFill: 10, Instalments: instalments,
		Deadlines: types.Deadlines{
			PayBy: now.Add(2 * minute), DeliverBy: now.Add(4 * minute), ReadingBy: now.Add(6 * minute), ConfirmBy: now.Add(8 * minute),
		},
		Fallback: &types.Hold{},
	}
}

// agreement is one of a whole offer.
func (w *world) agreement(producer, consumer *wallet.Account, instalments uint16) types.Agreement {
	w.t.Helper()
	offer := w.offer(instalments)
	offer.ChainID, offer.Producer = w.params.ChainID, producer.Key()
	agreement, err := offer.Agreement(offer.Goods.Quantity, consumer.Key(), 0)
	must(w.t, err)
	return *agreement
}

func rate(text string) types.Rate {
	r, err := types.ParseRate(text)
	if err != nil {
		panic(err)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantReason(t testing.TB, err error, want wallet.Reason) {
	t.Helper()
	if wallet.ReasonOf(err) != want {
		t.Errorf("got %v, want the reason %q", err, want)
	}
}

func wantCode(t testing.TB, err error, want types.Code) {
	t.Helper()
	if types.CodeOf(err) != want {
		t.Errorf("got %v, want the code %s", err, want)
	}
}
