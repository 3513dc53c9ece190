package light_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"golang.org/x/mod/sumdb/tlog"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/light"
	"lockstep/internal/receipt"
	"lockstep/types"
)

// TestOldReceipt: a receipt from before the first header that a client knows holds by a later proof of its leaf, and no other does.
func TestOldReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.released()
	for _, side := range []*client.Account{w.producer, w.consumer} {
		if _, err := side.Collect(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	proof, err := w.node.TradeProof(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	old := func() *receipt.Receipt { return receipt.Of(id, &proof) }
	pinned := func() light.Pin {
		newest := must(w.checks().Newest(t.Context()))
		return newest.Pin()
	}
	pin := pinned()
	w.paid() // blocks that come after the receipt
	later := pinned()
	if later.Height <= proof.Signed.Height {
		t.Fatalf("no block came after the receipt: %d", later.Height)
	}
	verify := func(r *receipt.Receipt, edit ...func(*light.Config)) *receipt.Verified {
		return r.Verify(w.checks(edit...).Headers(t.Context()))
	}
	trusting := func(pin light.Pin) func(*light.Config) { return func(c *light.Config) { c.Pin = pin } }
	for name, v := range map[string]*receipt.Verified{
		"from the genesis": verify(old()), "from an earlier header": verify(old(), trusting(pin)), "from a later header": verify(old(), trusting(later)),
	} {
		if !v.OK() || v.Header.Height < proof.Signed.Height {
			t.Errorf("%s: %+v", name, v.Verdicts)
		}
	}
	if v := verify(old(), trusting(later)); v.Header.Height < later.Height {
		t.Errorf("the header of the receipt itself counts: block %d", v.Header.Height)
	}

	changed := old()
	changed.State[0] ^= 1
	if v := verify(changed, trusting(later)); v.OK() {
		t.Errorf("another state: %+v", v.Verdicts)
	}
	refused := func(name, says string) {
		t.Helper()
		v := verify(old(), trusting(later))
		if !slices.ContainsFunc(v.Verdicts, func(v receipt.Verdict) bool { return !v.OK && strings.Contains(v.Text, says) }) {
			t.Errorf("%s: %+v", name, v.Verdicts)
		}
		w.lies.stop()
	}
	leaves := func(lie func(answer map[string]any)) { w.lies.tell(in("/v1/log/leaves/", lie)) }
	leaves(func(answer map[string]any) { flip(answer, "state") })
	refused("a later state that was changed", "not that of the log and the state")
	leaves(func(answer map[string]any) { flip(part(answer, "log"), "root") })
	refused("another log", "the log has another leaf there")
	leaves(func(answer map[string]any) { // the receipt itself, again
		clear(answer)
		if err := json.Unmarshal(must(json.Marshal(proof)), &answer); err != nil {
			panic(err)
		}
	})
	refused("the same proof", "comes before the trusted block")
	w.lies.withhold(func(path string) bool { return strings.HasPrefix(path, "/v1/log/leaves/") })
	refused("no later proof", "a later header does not prove its leaf")

	w.lies.stop()
	accepted := old()
	accepted.Records = w.records(accepted)
	order := w.invent(&proof)
	invented := old()
	invented.Records = []receipt.Record{order}
	for name, r := range map[string]*receipt.Receipt{"of the ledger": accepted, "of an invented log": invented} {
		v := r.Verify(w.checks(trusting(later)).Headers(t.Context()))
		if v.OK() != (r == accepted) || len(v.Records) != 1 {
			t.Errorf("a record %s: %+v", name, v.Verdicts)
		}
	}
}

// TestReceiptOfAPrunedLeaf: a receipt of a leaf that the node has pruned holds by the first validators, for a client that began with them. Otherwise it is not
// checked: nothing speaks against it.
func TestReceiptOfAPrunedLeaf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.released()
	proof := must(w.node.TradeProof(t.Context(), id))
	w.paid() // blocks that come after the receipt
	pin := must(w.checks().Newest(t.Context()))
	fromGenesis, pinned := w.checks(), w.checks(func(c *light.Config) { c.Pin = pin.Pin() })
	for _, checks := range []*light.Client{fromGenesis, pinned} {
		if _, err := checks.Newest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.lies.refuseWith(http.StatusGone, types.CodePruned, func(path string) bool { return strings.HasPrefix(path, "/v1/log/leaves/") })
	if v := receipt.Of(id, &proof).Verify(fromGenesis.Headers(t.Context())); !v.OK() || v.Unchecked != nil || v.Header.Height != proof.Signed.Height {
		t.Errorf("from the genesis: %+v", v)
	}
	if v := receipt.Of(id, &proof).Verify(pinned.Headers(t.Context())); v.OK() || types.CodeOf(v.Unchecked) != types.CodePruned || !strings.Contains(v.Unchecked.Error(), "--genesis") {
		t.Errorf("from a later header: %+v", v)
	}
	for name, change := range map[string]func(p *wire.Proof){
		"a changed signature": func(p *wire.Proof) { p.Signed.Commit[len(p.Signed.Commit)-1] ^= 1 },
		"another state":       func(p *wire.Proof) { p.State[0] ^= 1 },
	} {
		bad := proof
		bad.Signed.Commit = slices.Clone(proof.Signed.Commit)
		change(&bad)
		if v := receipt.Of(id, &bad).Verify(fromGenesis.Headers(t.Context())); v.OK() || v.Unchecked != nil {
			t.Errorf("%s, from the genesis: %+v", name, v.Verdicts)
		}
	}
	w.lies.refuseWith(http.StatusServiceUnavailable, types.CodeUnavailable, func(path string) bool { return strings.HasPrefix(path, headers) })
	if v := receipt.Of(id, &proof).Verify(w.checks().Headers(t.Context())); v.OK() || types.CodeOf(v.Unchecked) != types.CodeUnavailable {
		t.Errorf("a node that does not answer: %+v", v)
	}
	w.lies.stop()
	for name, away := range map[string]time.Duration{"an old trusted header": light.Period + time.Hour, "a clock that is behind": -time.Hour} {
		checks := w.checks(func(c *light.Config) {
			c.Now = func() time.Time { return time.Now().Add(away) }
			if c.Pin = pin.Pin(); away < 0 {
				c.Pin = light.Pin{}
			}
		})
		if v := receipt.Of(id, &proof).Verify(checks.Headers(t.Context())); v.OK() || v.Unchecked == nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
	proof.Leaf[0] ^= 1
	if v := receipt.Of(id, &proof).Verify(w.checks().Headers(t.Context())); v.OK() || v.Unchecked != nil {
		t.Errorf("a changed leaf, and a node that does not answer: %+v", v)
	}
}

// TestCommitOfReceipt: a client that knows the header by itself takes no signatures of a receipt that are not good.
func TestCommitOfReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.released()
	proof := must(w.node.TradeProof(t.Context(), id))
	checks := w.checks()
	if v := receipt.Of(id, &proof).Verify(checks.Headers(t.Context())); !v.OK() {
		t.Fatalf("%+v", v.Verdicts)
	}
	proof.Signed.Commit[len(proof.Signed.Commit)-1] ^= 1 // in the signature of the one validator
	v := receipt.Of(id, &proof).Verify(checks.Headers(t.Context()))
	if !slices.ContainsFunc(v.Verdicts, func(v receipt.Verdict) bool { return !v.OK && v.Part == receipt.PartCommit }) {
		t.Errorf("a changed signature: %+v", v.Verdicts)
	}
}

// records attaches the step that ended a trade, by the header of its receipt.
func (w *world) records(r *receipt.Receipt) []receipt.Record {
	w.t.Helper()
	header := must(chain.ReadHeader(r.Header, r.Commit))
	ended := r.Verify(nil).Outcome
	proof := must(w.node.TxProofBy(w.t.Context(), ended.Tx, header.Height))
	for tx, err := range w.node.AllBlockTxs(w.t.Context(), ended.Height) {
		if err == nil && tx.ID == ended.Tx {
			err = r.Attach(&proof, tx.Tx)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return r.Records
}

// invent makes the proof of a leaf one of an invented log, with an order beside it that the ledger has never seen.
func (w *world) invent(proof *wire.Proof) receipt.Record {
	w.t.Helper()
	outcome := new(types.Outcome)
	if err := types.Decode(proof.Leaf, outcome); err != nil {
		w.t.Fatal(err)
	}
	story := outcome.Effects[slices.IndexFunc(outcome.Effects, func(e types.Effect) bool { _, ended := e.(*types.Ended); return ended })].(*types.Ended).Trade
	goods := &story.Agreement.Goods
	order := types.Order{
		ChainID: "town", Owner: story.Agreement.Producer, Quantity: 7, Side: types.Sell, Fallback: &types.Hold{},
		Product: types.Product{Commodity: goods.Commodity, Unit: goods.Unit, Asset: story.Agreement.Asset, Zone: goods.Zone, From: goods.From, Until: goods.Until},
	}
	tx := party.Sign(types.Body{ChainID: "town", Actions: []types.Action{&types.Place{Order: order}}}, "mallory")
	record := receipt.Record{Index: proof.Index ^ 1, Leaf: types.Encode(&types.Outcome{Height: outcome.Height, Tx: tx.ID()}), Tx: tx.Bytes()}
	hashes := map[uint64]tlog.Hash{proof.Index: tlog.RecordHash(proof.Leaf), record.Index: tlog.RecordHash(record.Leaf)}
	proof.Path, record.Path = []types.Hash{types.Hash(hashes[record.Index])}, []types.Hash{types.Hash(hashes[proof.Index])}
	proof.Log.Size = 2
	at, root := proof.Index/2, tlog.NodeHash(hashes[proof.Index&^1], hashes[proof.Index|1])
	for ; at > 0; at /= 2 {
		side := tlog.Hash{byte(at)}
		proof.Path, record.Path = append(proof.Path, types.Hash(side)), append(record.Path, types.Hash(side))
		if at&1 == 1 {
			root = tlog.NodeHash(side, root)
		} else {
			root = tlog.NodeHash(root, side)
		}
		proof.Log.Size *= 2
	}
	proof.Log.Root = types.Hash(root)
	var header cmtproto.Header
	var commit cmtproto.Commit
	app := types.AppHash(proof.State, proof.Log)
	if err := errors.Join(header.Unmarshal(proof.Signed.Header), commit.Unmarshal(proof.Signed.Commit)); err != nil {
		w.t.Fatal(err)
	}
	header.AppHash = app[:]
	changed := must(cmttypes.HeaderFromProto(&header))
	commit.BlockID.Hash = changed.Hash()
	proof.Signed.Header, proof.Signed.Commit = must(header.Marshal()), must(commit.Marshal())
	return record
}

var _ receipt.Later = light.Headers{}
