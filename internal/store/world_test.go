package store_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// world is a ledger on disk with parties that have names. After every block the store checks itself.
type world struct {
	t      testing.TB
	dir    string
	files  vfs.FS // nil for the operating system's
	params types.Params
	store  *store.Store
	time   types.Time
}

const (
	second = types.Duration(1000)
	start  = types.Time(1_780_000_000_000)
)

// quick checkpoints are reached by a test.
var quick = ledger.Checkpoints{Every: 4, Delay: 2}

func newWorld(t testing.TB) *world {
	w := &world{t: t, dir: t.TempDir(), params: types.DefaultParams("test"), time: start}
	w.params.Market.Grids = party.HoldGrids()
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	open := func() (*store.Store, error) {
		return store.Open(w.dir, w.params, store.DefaultMemory, slog.New(slog.DiscardHandler))
	}
	if w.files != nil {
		open = func() (*store.Store, error) { return store.OpenIn(w.files, w.dir, w.params) }
	}
	opened, err := open()
	if err != nil {
		w.t.Fatal(err)
	}
	opened.SmallPartitions(3) // so that all that is kept for good is looked for in several
	opened.QuickCheckpoints(quick.Every, quick.Delay)
	w.store = opened
}

func (w *world) close() {
	w.t.Helper()
	if w.store == nil {
		return
	}
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
	w.store = nil
}

func (w *world) head() *store.Head {
	w.t.Helper()
	head, err := w.store.Head()
	if err != nil {
		w.t.Fatal(err)
	}
	return head
}

// stage executes a block a second after the last one.
func (w *world) stage(txs ...*types.Tx) *store.Staged {
	w.t.Helper()
	staged, err := w.store.Stage(w.execute(txs...))
	if err != nil {
		w.t.Fatal(err)
	}
	return staged
}

func (w *world) execute(txs ...*types.Tx) store.Executed {
	w.t.Helper()
	w.time = w.time.Add(second)
	state := ledger.New(w.store.StateReader(), w.params)
	state.Begin(w.store.Height()+1, w.time)
	var executed store.Executed
	for _, tx := range txs {
		result := state.Execute(tx, true)
		executed.Txs = append(executed.Txs, store.TxResult{ID: tx.ID(), Code: result.Code, Detail: result.Detail})
	}
	executed.Diff = state.Finish()
	return executed
}

// block commits a block and returns its record.
func (w *world) block(txs ...*types.Tx) *store.Block {
	w.t.Helper()
	staged := w.stage(txs...)
	if err := staged.Commit(); err != nil {
		w.t.Fatal(err)
	}
	return staged.Block()
}

// must commits a block and wants every transaction accepted.
func (w *world) must(txs ...*types.Tx) *store.Block {
	w.t.Helper()
	block := w.block(txs...)
	for i, tx := range block.Txs {
		if tx.Code != types.CodeOK {
			w.t.Fatalf("transaction %d: %s", i, tx.Detail)
		}
	}
	return block
}

func (w *world) check() store.Report {
	w.t.Helper()
	report, err := w.store.Check()
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// read gives a snapshot to a function.
func (w *world) read(look func(*store.IndexedSnapshot)) {
	w.t.Helper()
	snapshot, err := w.store.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	look(snapshot)
	if err := snapshot.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: w.params.ChainID, ValidUntil: w.time.Add(w.params.MaxValidity / 2), Actions: actions}
}

// sign names the signers; the rules are told that signatures are good, so none is made.
func sign(body types.Body, names ...string) *types.Tx {
	tx := types.NewTx(body)
	for _, name := range names {
		tx = tx.WithSignature(types.Signature{Key: party.Key(name)})
	}
	return tx
}

// mint gives each named party one output of the amount.
func (w *world) mint(amount types.Amount, names ...string) *types.Tx {
	body := w.body(&types.Issue{Asset: party.Euro(), Amount: amount * types.Amount(len(names))})
	for _, name := range names {
		body.Outputs = append(body.Outputs, party.Output(name, amount))
	}
	return sign(body, "issuer")
}

// pay moves an output of one party, whole, to another.
func (w *world) pay(from types.Outpoint, amount types.Amount, by, to string) *types.Tx {
	body := w.body()
	body.Inputs, body.Outputs = []types.Outpoint{from}, []types.Output{party.Output(to, amount)}
	return sign(body, by)
}

// agreement is a sale by peter to clara for 100 with a deposit of 10.
func (w *world) agreement(nonce uint64) types.Agreement {
	asset := party.Euro()
	return types.Agreement{
		ChainID: w.params.ChainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
		Asset: asset.ID(), Price: 100, Deposit: 10, Instalments: 1, Nonce: nonce, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: w.time.Add(60 * second), DeliverBy: w.time.Add(120 * second),
			ReadingBy: w.time.Add(180 * second), ConfirmBy: w.time.Add(240 * second),
		},
	}
}

// place is a bid of a party for the quarter-hour after the next gate, with a stake that the issuer issues for it.
func (w *world) place(name string) *types.Tx {
	asset, slot := party.Euro(), types.Time(w.params.Slot)
	from := w.time.Add(w.params.Market.Gate)/slot*slot + 2*slot
	order := party.Order(&w.params, name, types.Order{
		Side: types.Bid, Quantity: 100, Limit: 3,
		Product: types.Product{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "town", From: from, Until: from + slot, Asset: asset.ID(),
		},
	})
	return sign(w.body(party.Place(order)...), "issuer", name)
}

// mandated enters the parties of an agreement as signers; the ledger checks no more here.
func (w *world) mandated(a *types.Agreement) types.Mandates {
	return types.Mandates{
		ValidUntil: w.body().ValidUntil, Producer: types.Signature{Key: a.Producer}, Consumer: types.Signature{Key: a.Consumer},
	}
}

func (w *world) agree(agreement types.Agreement) *types.Tx {
	return sign(w.body(&types.Agree{Agreement: agreement, Mandates: w.mandated(&agreement), Submitter: agreement.Producer}), "peter")
}

// paid begins a trade and pays it; purse is an output of clara worth 110.
func (w *world) paid(nonce uint64, purse types.Outpoint) types.Agreement {
	w.t.Helper()
	agreement := w.agreement(nonce)
	w.must(w.agree(agreement))
	body := w.body(&types.Pay{Trade: agreement.ID(), Digest: party.Secret("clara").Digest(1)})
	body.Inputs = []types.Outpoint{purse}
	w.must(sign(body, "clara"))
	return agreement
}

// trade takes a trade all the way and returns its ID; purse is an output of clara worth 110.
func (w *world) trade(nonce uint64, purse types.Outpoint) types.TradeID {
	w.t.Helper()
	agreement := w.paid(nonce, purse)
	id := agreement.ID()
	w.must(sign(w.body(&types.Deliver{Trade: id}), "peter"))
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: party.Secret("clara")}))
	return id
}

// collect spends both parts that a released trade still holds, which ends it.
func (w *world) collect(id types.TradeID) {
	w.t.Helper()
	w.read(func(s *store.IndexedSnapshot) {
		record, err := s.Trade(id)
		if err != nil {
			w.t.Fatal(err)
		}
		body := w.body()
		var signers []string
		for _, locked := range record.Trade.Locked {
			owner, name := party.Key("peter"), "peter"
			if locked.Part == types.PartReturn {
				owner, name = party.Key("clara"), "clara"
			}
			body.Inputs = append(body.Inputs, id.Outpoint(locked.Part))
			body.Outputs = append(body.Outputs, types.Output{Asset: record.Trade.Agreement.Asset, Amount: locked.Amount, Lock: types.ToKey(owner)})
			signers = append(signers, name)
		}
		w.must(sign(body, signers...))
	})
}

func mustFail(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
