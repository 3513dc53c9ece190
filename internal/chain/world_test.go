package chain

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// world is a chain of one node in a temporary folder, with parties that have names.
type world struct {
	*Chain
	t      testing.TB
	dir    string
	config Config
	params types.Params
	store  *store.Store
	logger *slog.Logger // discards unless a test sets another
	failed error        // of reopen
	cancel context.CancelFunc
	done   chan error
}

// newWorld makes a chain; it makes blocks once run is called.
func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	return newWorldOf(t, types.DefaultParams("test"), edit...)
}

func newWorldOf(t testing.TB, params types.Params, edit ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), params: params, logger: slog.New(slog.DiscardHandler)}
	w.config = Config{Dir: filepath.Join(w.dir, "engine"), Idle: 20 * time.Millisecond}
	for _, e := range edit {
		e(&w.config)
	}
	if err := Create(w.config.Dir, w.params, 0); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(filepath.Join(w.dir, "store"), w.params, store.DefaultMemory, w.logger); err != nil {
		w.t.Fatal(err)
	}
	if w.Chain, err = Open(w.config, w.store, w.logger); err != nil {
		w.t.Fatal(errors.Join(err, w.store.Close()))
	}
}

// reopen opens the chain and keeps its error.
func (w *world) reopen() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(filepath.Join(w.dir, "store"), w.params, store.DefaultMemory, w.logger); err != nil {
		w.t.Fatal(err)
	}
	if w.Chain, w.failed = Open(w.config, w.store, w.logger); w.failed != nil {
		w.Chain = nil
		if err := w.store.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) run() *world {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan error, 1)
	go func() { w.done <- w.Run(ctx) }()
	return w
}

// stop ends Run and returns its error.
func (w *world) stop() error {
	if w.cancel == nil {
		return nil
	}
	w.cancel()
	err := <-w.done
	w.cancel = nil
	return err
}

func (w *world) close() {
	w.t.Helper()
	if w.Chain == nil {
		return
	}
	if err := errors.Join(w.stop(), w.Close(), w.store.Close()); err != nil {
		w.t.Error(err)
	}
	w.Chain = nil
}

func (w *world) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: w.params.ChainID, ValidUntil: types.TimeOf(time.Now()).Add(w.params.MaxValidity / 2), Actions: actions}
}

// mint gives each named party one output of the amount.
func (w *world) mint(amount types.Amount, names ...string) *types.Tx {
	return party.Issue(w.body(), amount, names...)
}

// pay moves an output of one party, whole, to another.
func (w *world) pay(from types.Outpoint, amount types.Amount, by, to string) *types.Tx {
	body := w.body()
	body.Inputs, body.Outputs = []types.Outpoint{from}, []types.Output{party.Output(to, amount)}
	return party.Sign(body, by)
}

// agreement is a sale by peter to clara for 100 with a deposit of 10.
func (w *world) agreement() types.Agreement {
	now, asset := types.TimeOf(time.Now()), party.Euro()
	window := w.params.MinWindow
	return types.Agreement{
		ChainID: w.params.ChainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
		Asset: asset.ID(), Price: 100, Deposit: 10, Instalments: 2, Nonce: 7, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: now.Add(2 * window), DeliverBy: now.Add(4 * window), ReadingBy: now.Add(6 * window), ConfirmBy: now.Add(8 * window),
		},
	}
}

// agree records an agreement signed by peter and clara.
func (w *world) agree(agreement types.Agreement) *types.Tx {
	body := w.body()
	body.Actions = []types.Action{party.Agree(agreement, body.ValidUntil, "peter", "clara")}
	return party.Sign(body, "peter")
}

// upToDelivery returns the transactions that take a trade to its delivery; purse is an output of clara worth 110.
func (w *world) upToDelivery(purse types.Outpoint) (id types.TradeID, agree, pay, deliver *types.Tx) {
	agreement := w.agreement()
	id = agreement.ID()
	payBody := w.body(&types.Pay{Trade: id, Digest: party.Secret("clara").Digest(2)})
	payBody.Inputs = []types.Outpoint{purse}
	return id, w.agree(agreement), party.Sign(payBody, "clara"),
		party.Sign(w.body(&types.Deliver{Trade: id}), "peter")
}

func (w *world) release(id types.TradeID, k uint16) *types.Tx {
	return types.NewRelease(w.params.ChainID, types.Release{
		Trade: id, Instalment: k, Preimage: types.Secret(party.Secret("clara").Digest(int(2 - k))),
	})
}

func (w *world) submit(txs ...*types.Tx) {
	w.t.Helper()
	for _, tx := range txs {
		if err := w.Submit(context.Background(), tx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// must submits transactions and wants each on the ledger.
func (w *world) must(txs ...*types.Tx) {
	w.t.Helper()
	w.submit(txs...)
	for _, tx := range txs {
		outcome, err := w.Await(context.Background(), tx.ID())
		if err != nil {
			w.t.Fatal(err)
		}
		if outcome.Code != types.CodeOK {
			w.t.Fatalf("%s: %s", outcome.Code, outcome.Detail)
		}
	}
}

func (w *world) head() *store.Head {
	w.t.Helper()
	head, err := w.store.Head()
	if err != nil {
		w.t.Fatal(err)
	}
	return head
}

func (w *world) check() {
	w.t.Helper()
	if _, err := w.store.Check(); err != nil {
		w.t.Error(err)
	}
}

func wantCode(t testing.TB, err error, code types.Code) {
	t.Helper()
	if types.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
