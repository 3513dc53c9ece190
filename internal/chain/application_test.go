package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// driven is the application of a chain whose engine does not run: the test calls it instead.
type driven struct {
	*application
	begin time.Time
}

func (w *world) application() driven { return driven{w.driven, time.Now()} }

func (a driven) time(height int64) time.Time { return a.begin.Add(time.Duration(height) * time.Second) }

// block finalizes and commits a block of transactions and returns its commitment.
func (a driven) block(t testing.TB, height int64, txs ...*types.Tx) []byte {
	t.Helper()
	raw := make([][]byte, len(txs))
	for i, tx := range txs {
		raw[i] = tx.Bytes()
	}
	return a.finalize(t, height, raw)
}

func (a driven) finalize(t testing.TB, height int64, raw [][]byte) []byte {
	t.Helper()
	response, err := a.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Height: height, Time: a.time(height), Txs: raw})
	if err != nil {
		t.Fatal(err)
	}
	if len(response.TxResults) != len(raw) {
		t.Fatalf("%d results for %d transactions", len(response.TxResults), len(raw))
	}
	if _, err := a.Commit(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	return response.AppHash
}

func (a driven) propose(t testing.TB, height int64) [][]byte {
	t.Helper()
	request := &abci.RequestPrepareProposal{Height: height, Time: a.time(height), MaxTxBytes: 1 << 20}
	response, err := a.PrepareProposal(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	return response.Txs
}

func (a driven) accepts(t testing.TB, height int64, raw ...[]byte) bool {
	t.Helper()
	response, err := a.ProcessProposal(context.Background(), &abci.RequestProcessProposal{Height: height, Time: a.time(height), Txs: raw})
	if err != nil {
		t.Fatal(err)
	}
	return response.Status == abci.ResponseProcessProposal_ACCEPT
}

func TestRejectedProposals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(1000, "peter")
	forged := types.NewTx(mint.Body, types.Signature{Key: party.Key("issuer"), Bytes: [64]byte{1}})
	for _, proposal := range []struct {
		name string
		good bool
		txs  [][]byte
	}{
		{"empty", true, nil},
		{"one", true, [][]byte{mint.Bytes()}},
		{"two", true, [][]byte{mint.Bytes(), w.mint(1, "peter").Bytes()}},
		{"rubbish", false, [][]byte{mint.Bytes(), []byte("rubbish")}},
		{"an empty one", false, [][]byte{{}}},
		{"twice the same", false, [][]byte{mint.Bytes(), mint.Bytes()}},
		{"a forgery", false, [][]byte{forged.Bytes()}},
		{"one with and one without its signature", false, [][]byte{mint.Bytes(), types.NewTx(mint.Body).Bytes()}},
	} {
		if a.accepts(t, 1, proposal.txs...) != proposal.good {
			t.Errorf("%s: accepted is not %t", proposal.name, proposal.good)
		}
	}
}

// TestBlockWorkLimit: a proposer stops at the work limit of a block, running trades included, and validators reject a block beyond it.
func TestBlockWorkLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(110, "clara")
	_, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	a.block(t, 1, mint, agree, pay)
	dear := func(i int) *types.Tx { // about half of what a transaction may be
		body := w.body()
		for range 1000 {
			body.Actions = append(body.Actions, &types.Issue{Asset: party.Euro(), Amount: 1})
		}
		body.Outputs = []types.Output{party.Output("mallory", 1000)}
		body.Memo = fmt.Sprint("flood ", i)
		return party.Sign(body, "issuer")
	}
	var raw [][]byte
	fits := int((ledger.MaxBlockWork - ledger.Work(deliver)) / ledger.Work(dear(0)))
	for i := range fits + 1 {
		tx := dear(i)
		w.submit(tx)
		raw = append(raw, tx.Bytes())
	}
	w.submit(deliver)
	x := newBlockExecution(w.store.StateReader(), w.params, ledger.Facts{}, 2, types.TimeOf(a.time(2)), 1)
	if late := w.pool.propose(x, blockBytes, time.Time{}); len(late) != 1 || late[0].hash != deliver.Hash() {
		t.Errorf("behind the moment: %d transactions, want the delivery alone", len(late))
	}
	x = newBlockExecution(w.store.StateReader(), w.params, ledger.Facts{}, 2, types.TimeOf(a.time(2)), 1)
	txs := rawOf(w.pool.propose(x, blockBytes, time.Now().Add(time.Minute)))
	if len(txs) != fits+1 || string(txs[0]) != string(deliver.Bytes()) {
		t.Errorf("a block of %d transactions, want the delivery and %d of the flood", len(txs), fits)
	}
	if !a.accepts(t, 2, raw[:fits]...) || a.accepts(t, 2, raw...) {
		t.Errorf("a block with all the work that is allowed was refused, or one with more accepted")
	}
}

// rawOf returns the transactions of a proposal as the block has them.
func rawOf(txs []blockTx) (raw [][]byte) {
	for i := range txs {
		raw = append(raw, txs[i].raw)
	}
	return raw
}

// TestCloseDuringOptimisticExecution closes a chain while a block that was only proposed is still executed.
func TestCloseDuringOptimisticExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	goOn, closed := make(chan struct{}), make(chan struct{})
	b := &optimisticBlock{height: 1, time: types.TimeOf(a.time(1))}
	a.finish(b, func() *blockExecution {
		<-goOn
		return newBlockExecution(a.store.StateReader(), a.params, ledger.Facts{}, b.height, b.time, 0)
	})
	go func() {
		w.close()
		close(closed)
	}()
	select {
	case <-closed:
		t.Error("the chain closed during the execution")
	case <-time.After(200 * time.Millisecond):
	}
	close(goOn)
	<-closed
	if b.err != nil || b.staged == nil {
		t.Errorf("the execution failed: %v", b.err)
	}
}

// TestSlotWorkInProposal: the slot entries that a delivery changes are work that its encoding doesn't show.
func TestSlotWorkInProposal(t *testing.T) {
	t.Parallel()
	const places = 6 // that cost a unit
	operator, params := party.Key("operator"), types.DefaultParams("test")
	params.Operators = []types.PublicKey{operator}
	w := newWorldOf(t, params)
	a := w.application()
	meter := types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key("gateway")), Export: []string{"01-00:02.08.00*FF"}}
	mint := w.mint(110, slices.Repeat([]string{"clara"}, places+1)...)
	a.block(t, 1, mint, party.Sign(w.body(
		&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("peter"), Name: "Peter"}},
		&types.Enrol{Operator: operator, Owner: party.Key("peter"), Meter: meter},
	), "operator"))
	slot := types.Time(params.Slot)
	var begun, deliveries []*types.Tx
	for i := range places + 1 {
		agreement := w.agreement()
		from := agreement.Deadlines.DeliverBy/slot*slot + slot
		agreement.Nonce, agreement.Fallback = uint64(i), &types.Meter{}
		agreement.Goods = types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1000, Zone: "town", From: from, Until: from + slot,
			Flow: types.Flow{Point: meter.ID(), Direction: types.DirectionExport},
		}
		agreement.Deadlines.ReadingBy = agreement.Goods.Until.Add(params.MinWindow)
		agreement.Deadlines.ConfirmBy = agreement.Goods.Until.Add(2 * params.MinWindow)
		pay := w.body(&types.Pay{Trade: agreement.ID(), Digest: party.Secret("clara").Digest(2)})
		pay.Inputs = []types.Outpoint{{Tx: mint.ID(), Index: uint32(i)}}
		begun = append(begun, w.agree(agreement), party.Sign(pay, "clara"))
		deliveries = append(deliveries, party.Sign(w.body(&types.Deliver{Trade: agreement.ID()}), "peter"))
	}
	a.block(t, 2, begun...)
	a.block(t, 3, deliveries[:places]...)
	x := newBlockExecution(w.store.StateReader(), params, ledger.Facts{}, 4, types.TimeOf(a.time(4)), 1)
	before, last := x.room, deliveries[places]
	if chosen := x.choose(last); !chosen || before-x.room != ledger.Work(last)+1 {
		t.Errorf("chosen: %t; a delivery of %d units took %d", chosen, ledger.Work(last), before-x.room)
	}
}

// bothAfter are two nodes of one chain, after a first block of one transaction.
func bothAfter(t testing.TB, one, other *world, first *types.Tx) (a, b driven) {
	t.Helper()
	a, b = one.application(), other.application()
	b.begin = a.begin
	b.began = a.began // the validators of one genesis file
	a.block(t, 1, first)
	b.block(t, 1, first)
	return a, b
}

// TestProposerAndFollowerCommitment: the proposer commits the execution that chose the transactions, some of which failed on the way. A
// follower that executes the block anew reaches the same state.
func TestProposerAndFollowerCommitment(t *testing.T) {
	t.Parallel()
	proposer, follower := newWorld(t), newWorld(t)
	mint := proposer.mint(110, "clara", "peter")
	a, b := bothAfter(t, proposer, follower, mint)
	id, agree, pay, deliver := proposer.upToDelivery(types.Outpoint{Tx: mint.ID()})
	proposer.submit(agree, pay, deliver, proposer.release(id, 1))
	raw := a.propose(t, 2)
	if len(raw) != 4 || string(raw[0]) != string(agree.Bytes()) {
		t.Fatalf("a block of %d transactions", len(raw))
	}
	if !a.accepts(t, 2, raw...) || !b.accepts(t, 2, raw...) {
		t.Fatal("the proposal is not good")
	}
	mine, theirs := a.optimistic, b.optimistic
	if !mine.ours || theirs.ours {
		t.Error("the proposer of the block is wrong")
	}
	if here, there := a.finalize(t, 2, raw), b.finalize(t, 2, raw); string(here) != string(there) {
		t.Error("proposer and follower come to different states")
	}
	for w, ahead := range map[*world]*optimisticBlock{proposer: mine, follower: theirs} {
		if block, err := w.store.Block(2); err != nil || block != ahead.staged.Block() {
			t.Errorf("the optimistic execution was not used (%v)", err)
		}
	}
	proposer.check()
	follower.check()
}

// TestDecidedBlockDiffersFromProposal decides other blocks than the proposed ones: their optimistic execution leaves no trace.
func TestDecidedBlockDiffersFromProposal(t *testing.T) {
	t.Parallel()
	torn, follower := newWorld(t), newWorld(t)
	mint := torn.mint(110, "clara", "peter")
	a, b := bothAfter(t, torn, follower, mint)
	_, agree, pay, _ := torn.upToDelivery(types.Outpoint{Tx: mint.ID()})
	elsewhere := torn.pay(types.Outpoint{Tx: mint.ID()}, 110, "clara", "mallory")
	torn.submit(agree, pay)
	for height := int64(2); height < 5; height++ {
		if mine := a.propose(t, height); len(mine) != int(4-height) {
			t.Fatalf("%d transactions proposed", len(mine))
		}
		if !a.accepts(t, height, elsewhere.Bytes()) {
			t.Fatal("the proposal is not good")
		}
		decided := [][]byte{agree.Bytes(), pay.Bytes(), elsewhere.Bytes()}[height-2]
		if here, there := a.finalize(t, height, [][]byte{decided}), b.finalize(t, height, [][]byte{decided}); string(here) != string(there) {
			t.Errorf("block %d is another one after the optimistic execution of others", height)
		}
	}
	torn.wantOutcomes(types.CodeOK, agree, pay)
	torn.wantOutcomes(types.CodeInputMissing, elsewhere)
	torn.check()
	follower.check()
}

// TestDecidedTimeDiffersFromProposal decides the transactions of an accepted proposal at another time, as a later round does: the
// block has the decided time, and every node commits to the same state.
func TestDecidedTimeDiffersFromProposal(t *testing.T) {
	t.Parallel()
	for name, shift := range map[string]time.Duration{"one millisecond later": time.Millisecond, "one millisecond earlier": -time.Millisecond} {
		proposer, validator, late := newWorld(t), newWorld(t), newWorld(t)
		mint := proposer.mint(110, "clara", "peter")
		a, b := bothAfter(t, proposer, validator, mint)
		c := late.application()
		c.begin, c.began = a.begin, a.began
		c.block(t, 1, mint)
		proposer.submit(proposer.pay(types.Outpoint{Tx: mint.ID()}, 110, "clara", "mallory"))
		raw := a.propose(t, 2)
		if !a.accepts(t, 2, raw...) || !b.accepts(t, 2, raw...) {
			t.Fatal("an honest proposal is rejected")
		}
		for _, node := range []*driven{&a, &b, &c} {
			node.begin = node.begin.Add(shift)
		}
		executedNow := c.finalize(t, 2, raw)
		for world, node := range map[*world]driven{proposer: a, validator: b} {
			if early := node.finalize(t, 2, raw); string(early) != string(executedNow) {
				t.Errorf("%s: a node that executed the proposal commits to another state", name)
			}
			block, err := world.store.Block(2)
			if err != nil {
				t.Fatal(err)
			}
			if want := types.TimeOf(a.time(2)); block.BlockTime != want {
				t.Errorf("%s: block 2 is of %s, want the decided %s", name, block.BlockTime, want)
			}
			world.check()
		}
	}
}

// TestDecidedBlockWithInvalidTransactions: the results of a block are consensus, so every node must compute the same.
func TestDecidedBlockWithInvalidTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(1000, "peter")
	forged := types.NewTx(w.mint(5, "peter").Body, types.Signature{Key: party.Key("issuer"), Bytes: [64]byte{1}})
	a.finalize(t, 1, [][]byte{[]byte("rubbish"), forged.Bytes(), mint.Bytes(), mint.Bytes()})
	block, err := w.store.Block(1)
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range []types.Code{types.CodeMalformed, types.CodeSignature, types.CodeOK, types.CodeReplay} {
		if block.Txs[i].Code != code {
			t.Errorf("transaction %d: %s, want %s", i, block.Txs[i].Code, code)
		}
	}
	w.check()
}

func TestFinalizeTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	request := &abci.RequestFinalizeBlock{Height: 1, Time: a.time(1), Txs: [][]byte{w.mint(1, "peter").Bytes()}}
	if _, err := a.FinalizeBlock(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	mint := w.mint(2, "peter")
	a.block(t, 1, mint)
	if outcome, known, err := w.Outcome(mint.ID()); err != nil || !known || outcome.Code != types.CodeOK {
		t.Errorf("%+v, %v", outcome, err)
	}
	w.check()
	if _, err := a.Commit(t.Context(), nil); err == nil {
		t.Error("a block was committed that was not executed")
	}
}

func TestInitChainParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := func(genesis string) error {
		_, err := w.application().InitChain(t.Context(), &abci.RequestInitChain{ChainId: "test", AppStateBytes: []byte(genesis)})
		return err
	}
	longer, renamed := w.params, w.params
	longer.Horizon++
	renamed.ChainID = "another"
	if err := begin(jsonOf(t, w.params)); err != nil {
		t.Error(err)
	}
	for _, genesis := range []string{"", "{}", jsonOf(t, longer), jsonOf(t, renamed)} {
		if begin(genesis) == nil {
			t.Errorf("a chain begins with %q", genesis)
		}
	}
	for format, says := range map[string]string{
		`"format":0,`: "has no format number, and", "": "has no format number, and",
		fmt.Sprintf(`"format":%d,`, types.Format-1):         fmt.Sprintf("has format %d, and", types.Format-1),
		fmt.Sprintf(`"format":%d,"new":1,`, types.Format+1): fmt.Sprintf("has format %d, and", types.Format+1),
	} {
		other := strings.Replace(jsonOf(t, w.params), fmt.Sprintf(`"format":%d,`, types.Format), format, 1)
		if err := begin(other); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a chain begins with %q: %v", format, err)
		}
	}
}

func jsonOf(t *testing.T, params types.Params) string {
	t.Helper()
	text, err := json.Marshal(beginning{Format: types.Format, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzInsertTx: every input of a peer is queued or refused with a code, and the pool accepts only transactions that a block may hold.
func FuzzInsertTx(f *testing.F) {
	w := newWorld(f)
	a := w.application()
	mint := w.mint(1000, "peter")
	f.Add(mint.Bytes())
	f.Add(w.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara").Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		response, err := a.InsertTx(context.Background(), &abci.RequestInsertTx{Tx: raw})
		if err != nil {
			t.Fatal(err)
		}
		if code := types.Code(response.Code); code == types.CodeInternal {
			t.Errorf("refused with %s", code)
		}
		checked, err := a.CheckTx(context.Background(), &abci.RequestCheckTx{Tx: raw})
		if err != nil {
			t.Fatal(err)
		}
		if !a.accepts(t, 1, raw) && checked.Code == 0 {
			t.Error("the pool took what no block may hold")
		}
	})
}

// TestNoIdleWaitWithDueAuctions: of two products whose gates have closed, a block holds one auction. The next block holds the other at once,
// though an idle proposer waits an hour.
func TestNoIdleWaitWithDueAuctions(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	params.Market.MaxOrders, params.Market.Grids = 2, party.HoldGrids()
	w := newWorldOf(t, params)
	asset, slot := party.Euro(), types.Time(params.Slot)
	from := types.TimeOf(time.Now()).Add(params.Market.Gate)/slot*slot + slot
	orders := []*types.Tx{w.mint(1, "peter")}
	var gate types.Time
	for _, zone := range []string{"north", "south"} {
		product := types.Product{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: zone, From: from, Until: from + slot, Asset: asset.ID(),
		}
		gate = product.Gate(&params)
		for i, name := range []string{"peter", "clara"} {
			order := party.Order(&params, name, types.Order{
				Product: product, Side: []types.Side{types.Sell, types.Bid}[i], Quantity: 1000, Limit: 2,
			})
			orders = append(orders, party.Sign(w.body(party.Place(order)...), "issuer", name))
		}
	}
	a := w.application()
	a.idle, a.begin = time.Hour, gate.Std().Add(-2*time.Second)
	a.block(t, 1, orders...)
	a.block(t, 2) // of the gate itself
	a.block(t, 3)
	if !a.due || w.auctions(3) != 1 {
		t.Fatalf("block 3 holds %d auctions, more are due: %t", w.auctions(3), a.due)
	}
	a.finalize(t, 4, a.propose(t, 4))
	if a.due || w.auctions(4) != 1 {
		t.Errorf("block 4 holds %d auctions, more are due: %t", w.auctions(4), a.due)
	}
}

// auctions counts the auctions that a block held.
func (w *world) auctions(height uint64) (held int) {
	w.t.Helper()
	block, err := w.store.Block(height)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, event := range block.Events {
		if event.Kind == types.EventCleared {
			held++
		}
	}
	return held
}
