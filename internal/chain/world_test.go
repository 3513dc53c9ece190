package chain

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

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
	if err := Create(w.config.Dir, w.params); err != nil {
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

func privateKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("a party called " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicKey(name string) types.PublicKey {
	return types.PublicKey(privateKey(name).Public().(ed25519.PublicKey))
}

func secretOf(name string) types.Secret { return sha256.Sum256([]byte("a secret called " + name)) }

func sign(body types.Body, names ...string) *types.Tx {
	tx := types.NewTx(body)
	for _, name := range names {
		tx = tx.WithSignature(types.Signature{
			Key:   publicKey(name),
			Bytes: [64]byte(ed25519.Sign(privateKey(name), types.SigningMessage(tx.BodyBytes()))),
		})
	}
	return tx
}

func (w *world) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: w.params.ChainID, ValidUntil: types.TimeOf(time.Now()).Add(w.params.MaxValidity / 2), Actions: actions}
}

func euro() types.Asset { return types.Asset{Issuer: publicKey("issuer"), Code: "EUR", Decimals: 2} }

func output(name string, amount types.Amount) types.Output {
	asset := euro()
	return types.Output{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(publicKey(name))}
}

// mint gives each named party one output of the amount.
func (w *world) mint(amount types.Amount, names ...string) *types.Tx {
	body := w.body(&types.Issue{Asset: euro(), Amount: amount * types.Amount(len(names))})
	for _, name := range names {
		body.Outputs = append(body.Outputs, output(name, amount))
	}
	return sign(body, "issuer")
}

// pay moves an output of one party, whole, to another.
func (w *world) pay(from types.Outpoint, amount types.Amount, by, to string) *types.Tx {
	body := w.body()
	body.Inputs, body.Outputs = []types.Outpoint{from}, []types.Output{output(to, amount)}
	return sign(body, by)
}

// agreement is a sale by peter to clara for 100 with a deposit of 10.
func (w *world) agreement() types.Agreement {
	now, asset := types.TimeOf(time.Now()), euro()
	window := w.params.MinWindow
	return types.Agreement{
		ChainID: w.params.ChainID, Producer: publicKey("peter"), Consumer: publicKey("clara"),
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
	action := &types.Agree{Agreement: agreement, Mandates: types.Mandates{ValidUntil: body.ValidUntil}, Submitter: publicKey("peter")}
	message := action.Message(w.params.ChainID)
	for name, to := range map[string]*types.Signature{"peter": &action.Mandates.Producer, "clara": &action.Mandates.Consumer} {
		*to = types.Signature{Key: publicKey(name), Bytes: [64]byte(ed25519.Sign(privateKey(name), message))}
	}
	body.Actions = []types.Action{action}
	return sign(body, "peter")
}

// upToDelivery returns the transactions that take a trade to its delivery; purse is an output of clara worth 110.
func (w *world) upToDelivery(purse types.Outpoint) (id types.TradeID, agree, pay, deliver *types.Tx) {
	agreement := w.agreement()
	id = agreement.ID()
	payBody := w.body(&types.Pay{Trade: id, Digest: secretOf("clara").Digest(2)})
	payBody.Inputs = []types.Outpoint{purse}
	return id, w.agree(agreement), sign(payBody, "clara"),
		sign(w.body(&types.Deliver{Trade: id}), "peter")
}

func (w *world) release(id types.TradeID, k uint16) *types.Tx {
	return types.NewRelease(w.params.ChainID, types.Release{
		Trade: id, Instalment: k, Preimage: types.Secret(secretOf("clara").Digest(int(2 - k))),
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
