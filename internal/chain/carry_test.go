package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
	"lockstep/types/strict"
)

// TestLedgerContinues: a ledger begins with the state of another. All money is there, asset by asset; a trade that was running on the one goes on
// on the other, by the secret of its agreement; an offer has ended and its stake is its owner's.
func TestLedgerContinues(t *testing.T) {
	t.Parallel()
	old := newWorldOf(t, councilParams()).run()
	mint := old.mint(110, "clara", "peter", "dora")
	old.must(mint)
	id, agree, pay, deliver := old.upToDelivery(types.Outpoint{Tx: mint.ID()})
	old.must(agree, pay, deliver, old.release(id, 1))
	old.must(old.decision(1, &types.Admit{Member: types.Member{Key: party.Key("peter"), Name: "Peter"}}))
	offer := types.Offer{
		ChainID: old.params.ChainID, Producer: party.Key("peter"), Goods: old.agreement().Goods, Asset: old.agreement().Asset,
		Price: types.Rate{Mantissa: 100}, Deposit: types.Rate{Mantissa: 10}, Bond: types.Rate{Mantissa: 20}, MinFill: 1, Instalments: 1,
		Deadlines: old.agreement().Deadlines, Fallback: &types.Hold{}, Nonce: 1,
	}
	post := old.body(&types.Post{Offer: offer, Stake: 20})
	post.Inputs, post.Outputs = []types.Outpoint{{Tx: mint.ID(), Index: 1}}, []types.Output{party.Output("peter", 90)}
	old.must(party.Sign(post, "peter"))
	if _, err := ExportGenesis(old.config.Dir, old.store, "test", nil); err == nil || !strings.Contains(err.Error(), "another name") {
		t.Errorf("the same name: %v", err)
	}
	old.closeChain()
	before, _, err := ledger.Audit(old.store.StateReader())
	if err != nil {
		t.Fatal(err)
	}
	genesis, err := ExportGenesis(old.config.Dir, old.store, "test-2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ExportGenesis(old.config.Dir, old.store, "test-2", nil); err != nil || !bytes.Equal(again, genesis) {
		t.Errorf("a second export differs: %v", err)
	}
	height := old.store.Height()
	sums, err := Carried(genesis)
	if err != nil {
		t.Fatal(err)
	}
	for asset, was := range before {
		is := sums[asset]
		if is.Issued != was.Issued || is.Fees != was.Fees || is.Locked != was.Locked || is.InOrders != 0 || is.Spendable != was.Spendable+was.InOrders {
			t.Errorf("carried is %+v, it was %+v", is, was)
		}
	}

	w := newWorldOf(t, councilParams())
	w.empty()
	if err := Continue(w.config.Dir, old.config.Dir, genesis); err != nil {
		t.Fatal(err)
	}
	if _, w.params, err = ReadGenesis(genesis); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.run()
	w.awaitHeight(height + 2)
	if first, err := w.store.Block(height + 1); err != nil || first == nil {
		t.Fatalf("block %d: %v, %v", height+1, first, err)
	}
	head := w.head()
	trade, known := head.Reader.Trade(id)
	if !known || trade.Released != 1 || trade.Agreement.ID() != id {
		t.Fatalf("the trade is %+v", trade)
	}
	if head.Reader.Decisions() != 1 {
		t.Error("the decisions of the operators are not carried")
	}
	for range head.Reader.Offers() {
		t.Error("the offer stands")
	}
	if err := head.Close(); err != nil {
		t.Fatal(err)
	}
	w.must(w.release(id, 2)) // the secret opens the lock here
	w.must(w.pay(types.Outpoint{Tx: mint.ID(), Index: 2}, 110, "dora", "clara"))
	w.must(w.decision(2, &types.Dismiss{Member: party.Key("peter")}))
	w.check()
	last := w.store.Height()
	w.close()
	w.open() // and again, from what is on the disk
	w.run()
	w.awaitHeight(last + 1)
	dir := w.config.Dir
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Chain = nil
	if checked, err := Check(dir, w.store); err != nil || checked.Blocks == 0 {
		t.Errorf("%+v, %v", checked, err)
	}
	if err := w.store.Close(); err != nil {
		t.Error(err)
	}
}

// TestAlteredGenesis: a genesis that was changed begins no ledger, and a node of the old ledger names the part that differs, even if all hashes in the file fit.
func TestAlteredGenesis(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, councilParams()).run()
	w.must(w.mint(110, "clara"))
	w.must(w.decision(1, &types.Admit{Member: types.Member{Key: party.Key("peter"), Name: "Peter"}}))
	w.closeChain()
	genesis, err := ExportGenesis(w.config.Dir, w.store, "test-2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := CompareGenesis(w.config.Dir, w.store, genesis); err != nil || !same {
		t.Fatal(same, err)
	}
	of := func(kind byte, c *ledger.Carried) int {
		return slices.IndexFunc(c.Entries, func(e ledger.CarriedEntry) bool { return e.Key[0] == kind })
	}
	for name, c := range map[string]struct {
		alter    func(b *beginning, doc *cmttypes.GenesisDoc)
		compared string // found by the old node; otherwise each reader refuses the file
		refused  string
		fits     bool // make the hash fit
	}{
		"an entry less": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.State.Entries = b.State.Entries[1:] }, refused: "one of them was changed"},
		"an entry twice": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			b.State.Entries = append(b.State.Entries[:1:1], b.State.Entries...)
		}, refused: "entry 1 of the state is out of order", fits: true},
		"an unknown entry":   {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.State.Entries[0].Key = []byte{1} }, refused: "entry 0 of the state", fits: true},
		"an entry by no key": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.State.Entries[0].Key = nil }, refused: "entry 0 of the state", fits: true},
		"an altered value": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			e := &b.State.Entries[of('o', b.State)]
			e.Value = e.Value[1:]
		}, refused: "audit", fits: true},
		"no clock": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			i := of('c', b.State)
			b.State.Entries = slices.Delete(b.State.Entries, i, i+1)
		}, refused: "block 0", fits: true},
		"an own governance": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			b.State.Entries = append(b.State.Entries, ledger.CarriedEntry{Key: []byte(ledger.GovernanceKey()), Value: types.Encode(&types.Governance{})})
			slices.SortFunc(b.State.Entries, func(x, y ledger.CarriedEntry) int { return bytes.Compare(x.Key, y.Key) })
		}, refused: "no ledger carries such a one", fits: true},
		"no origin":      {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.Continues = nil }, refused: "and only then"},
		"another height": {alter: func(_ *beginning, doc *cmttypes.GenesisDoc) { doc.InitialHeight++ }, refused: "begins with block"},
		"the old name":   {alter: func(b *beginning, doc *cmttypes.GenesisDoc) { b.ChainID, doc.ChainID = "test", "test" }, refused: "each needs a name of its own"},
		"a member more": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			i := of('m', b.State)
			b.State.Entries[i].Value = types.Encode(&types.Member{Key: party.Key("peter"), Name: "Petra"})
		}, compared: "member", fits: true},
		"a member less": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			i := of('m', b.State)
			b.State.Entries = slices.Delete(b.State.Entries, i, i+1)
		}, compared: "it lacks member", fits: true},
		"an outage more": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) {
			b.State.Entries = append(b.State.Entries, ledger.CarriedEntry{Key: append([]byte{'z'}, 0, 0, 0, 0, 0, 0, 0, 1), Value: []byte{0x80}})
			slices.SortFunc(b.State.Entries, func(x, y ledger.CarriedEntry) int { return bytes.Compare(x.Key, y.Key) })
		}, compared: "it has outage", fits: true},
		"an operator":    {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.Operators = append(b.Operators, party.Key("mallory")) }, compared: "Operators"},
		"an app hash":    {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.Continues[0].AppHash[0]++ }, compared: "two histories"},
		"another ledger": {alter: func(b *beginning, _ *cmttypes.GenesisDoc) { b.Continues[0].ChainID = "tset" }, compared: "can't be compared"},
		"a later begin":  {alter: func(_ *beginning, doc *cmttypes.GenesisDoc) { doc.GenesisTime = doc.GenesisTime.Add(1) }, compared: "numbers for the engine"},
	} {
		doc, _, err := parseGenesis(genesis)
		if err != nil {
			t.Fatal(err)
		}
		var b beginning
		if err := strict.Unmarshal(doc.AppState, &b); err != nil {
			t.Fatal(err)
		}
		c.alter(&b, doc)
		if c.fits {
			var changes []ledger.Change
			for _, e := range b.State.Entries {
				changes = append(changes, ledger.Change{Key: string(e.Key), New: e.Value})
			}
			b.Continues[0].State = ledger.HashChanges(changes)
		}
		if doc.AppState, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
		altered, err := cmtjson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = ReadGenesis(altered)
		if c.compared == "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: read with %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := CompareGenesis(w.config.Dir, w.store, altered); err == nil || !strings.Contains(err.Error(), c.compared) {
			t.Errorf("%s: compared with %v", name, err)
		}
	}
	others, err := ExportGenesis(w.config.Dir, w.store, "test-2", []types.Validator{{Key: party.Key("validator"), Power: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if same, err := CompareGenesis(w.config.Dir, w.store, others); err != nil || same {
		t.Errorf("other validators: %t, %v", same, err)
	}
	if _, err := ExportGenesis(w.config.Dir, w.store, "test-2", []types.Validator{{Key: party.Key("validator")}}); err == nil {
		t.Error("a validator without power is taken")
	}
}

// closeChain closes the chain, and leaves the store open up to the end of the test.
func (w *world) closeChain() {
	w.t.Helper()
	if err := errors.Join(w.stop(), w.Close()); err != nil {
		w.t.Fatal(err)
	}
	w.Chain = nil
	w.t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// continued runs a ledger for some blocks, and returns the world of one that continues it.
func (w *world) continued() *world {
	w.t.Helper()
	w.run()
	w.must(w.mint(110, "dora"))
	w.closeChain()
	genesis, err := ExportGenesis(w.config.Dir, w.store, "test-2", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	next := &world{t: w.t, dir: w.t.TempDir(), config: w.config, logger: w.logger}
	next.config.Dir = filepath.Join(next.dir, "engine")
	if err := Continue(next.config.Dir, w.config.Dir, genesis); err != nil {
		w.t.Fatal(err)
	}
	if _, next.params, err = ReadGenesis(genesis); err != nil {
		w.t.Fatal(err)
	}
	next.open()
	w.t.Cleanup(next.close)
	return next
}

// TestUntil: a ledger stands still at the block after which its validators take part in no other, and goes on when they do again.
func TestUntil(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Until, c.Idle = 5, 5*time.Millisecond }).run()
	w.awaitHeight(5)
	time.Sleep(100 * time.Millisecond) // some idle blocks
	if height := w.store.Height(); height != 5 {
		t.Errorf("it is at block %d", height)
	}
	w.close()
	w.config.Until = 0
	w.open()
	w.run()
	w.awaitHeight(6)
}

// TestHeadersOfContinuedLedger: its headers and receipts are verified from its genesis, and not from that of the ledger before.
func TestHeadersOfContinuedLedger(t *testing.T) {
	t.Parallel()
	old := newWorld(t)
	w := old.continued().run()
	first := w.store.First()
	w.awaitHeight(first + 2)
	for _, c := range []struct {
		file string
		good bool
	}{{filesOf(w.config.Dir).Genesis, true}, {filesOf(old.config.Dir).Genesis, false}} {
		trust, err := TrustGenesis(c.file)
		if err != nil {
			t.Fatal(err)
		}
		light, err := w.LightBlock(first)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.Check(light.Header, light.Commit); (err == nil) != c.good {
			t.Errorf("the first header: %v", err)
		}
		if err := trust.Follow(&light); (err == nil) != c.good {
			t.Errorf("the first light block: %v", err)
		}
	}
	if _, err := w.store.Block(first - 1); types.CodeOf(err) != types.CodePruned || !strings.Contains(err.Error(), `"test"`) {
		t.Errorf("a block of the old ledger: %v", err)
	}
}
