package chain

import (
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// overload fills the queue until the pool is overloaded, and returns the queued transactions.
func (w *world) overload() []*types.Tx {
	w.t.Helper()
	var txs []*types.Tx
	for work := uint64(0); work < maxCheckWork; work += ledger.Work(txs[0]) {
		txs = append(txs, w.mint(types.Amount(1+len(txs)), "peter"))
	}
	txs = append(txs, w.mint(types.Amount(1+len(txs)), "peter")) // the first to arrive at a queue with that much work
	w.submit(txs...)
	if !w.pool.overloaded {
		w.t.Fatalf("%d are queued, and the pool is not overloaded", w.Status().Waiting)
	}
	return txs
}

// wantOutcomes waits for transactions and wants the code for each.
func (w *world) wantOutcomes(code types.Code, txs ...*types.Tx) {
	w.t.Helper()
	for _, tx := range txs {
		if outcome, err := w.Await(w.t.Context(), tx.ID()); err != nil || outcome.Code != code {
			w.t.Fatalf("%+v, %v, want %s", outcome, err, code)
		}
	}
}

// TestOverloadedPoolOutcomes: executable transactions are executed in order, and callers get the refusals of all others.
func TestOverloadedPoolOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter", "clara")
	coin := types.Outpoint{Tx: mint.ID()}
	w.submit(mint)
	waiting := w.overload()
	first := w.pay(coin, 1000, "peter", "clara")
	second := w.pay(types.Outpoint{Tx: first.ID()}, 1000, "clara", "peter")
	w.submit(first, second)
	var bad []*types.Tx
	for _, name := range []string{"mallory", "issuer"} { // a rival, and one that is not his
		bad = append(bad, w.pay(coin, 1000, "peter", name), w.pay(types.Outpoint{Tx: mint.ID(), Index: 1}, 1000, name, name))
	}
	w.submit(bad...)
	w.run()
	w.wantOutcomes(types.CodeOK, append(waiting, mint, first, second)...)
	w.wantOutcomes(types.CodeInputMissing, bad[0], bad[2])
	w.wantOutcomes(types.CodeSignatureKeys, bad[1], bad[3])
	w.must(w.mint(5, "clara"), w.mint(6, "clara")) // small blocks: the pool has time again
	wantCode(t, w.Submit(t.Context(), bad[0]), types.CodeInputMissing)
	wantCode(t, w.Submit(t.Context(), first), types.CodeReplay)
	w.check()
}

// TestOverloadedPoolRefusals refuses expired, executed and double-spending transactions at once.
func TestOverloadedPoolRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter")
	coin := types.Outpoint{Tx: mint.ID()}
	paid := w.pay(coin, 1000, "peter", "clara")
	w.application().block(t, 1, mint, paid)
	w.overload()
	refuse := func(tx *types.Tx, code types.Code) {
		t.Helper()
		wantCode(t, w.Submit(t.Context(), tx), code)
	}
	refuse(paid, types.CodeReplay)
	refuse(w.pay(coin, 1000, "peter", "mallory"), types.CodeInputMissing)
	late, foreign := w.body(&types.Issue{Asset: party.Euro(), Amount: 1}), w.body(&types.Issue{Asset: party.Euro(), Amount: 1})
	late.ValidUntil, foreign.ChainID = types.TimeOf(time.Now().Add(-time.Hour)), "another"
	refuse(party.Sign(late, "issuer"), types.CodeExpired)
	refuse(party.Sign(foreign, "issuer"), types.CodeChain)
	refuse(types.NewTx(w.body()), types.CodeEmpty)
	refuse(types.NewTx(w.body(&types.Deliver{})), types.CodeUnsignedForm)
}

// TestScreenedValidityBounds stops the node's clock. An overloaded pool queues a transaction up to both bounds of its validity without
// executing it, and refuses it one millisecond beyond them.
func TestScreenedValidityBounds(t *testing.T) {
	t.Parallel()
	stopped := moment{wall: time.Now(), up: time.Hour, boot: "this"}
	w := newWorld(t, func(c *Config) { c.clock = func() moment { return stopped } })
	w.overload()
	now := w.clock.next()
	if now != types.TimeOf(stopped.wall) {
		t.Fatalf("the clock tells %s, want the stopped %s", now, types.TimeOf(stopped.wall))
	}
	for i, test := range []struct {
		validUntil types.Time
		code       types.Code
	}{
		{now - 1, types.CodeExpired},
		{now, types.CodeOK},
		{now.Add(w.params.MaxValidity), types.CodeOK},
		{now.Add(w.params.MaxValidity) + 1, types.CodeValidity},
	} {
		body := w.body(&types.Deliver{Trade: types.TradeID{byte(i)}}) // no trade has this ID: executing it would tell
		body.ValidUntil = test.validUntil
		if err := w.Submit(t.Context(), party.Sign(body, "mallory")); types.CodeOf(err) != test.code {
			t.Errorf("valid until %s, and it is %s: got %v, want %s", test.validUntil, now, err, test.code)
		}
	}
}

// TestOverloadedPoolUnsignedTransactions: an unsigned transaction, which costs nothing to make, must be correct to be queued.
func TestOverloadedPoolUnsignedTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(110, "clara")
	id, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	a.block(t, 1, mint, agree, pay)
	w.overload()
	refuse := func(tx *types.Tx, code types.Code) {
		t.Helper()
		wantCode(t, w.Submit(t.Context(), tx), code)
	}
	release := types.Release{Trade: id, Instalment: 1}
	refuse(types.NewRelease(w.params.ChainID, release), types.CodePhase) // the secret is wrong, but the phase is asked first
	refuse(types.NewRelease(w.params.ChainID, types.Release{Trade: types.TradeID{9}, Instalment: 1}), types.CodePoolFull)
	refuse(types.NewSettle(w.params.ChainID, types.TradeID{9}), types.CodePoolFull)
	refuse(types.NewSettle(w.params.ChainID, id), types.CodePhase)
	dressed := w.release(id, 1)
	dressed.Body.Memo = "not the one form"
	refuse(types.NewTx(dressed.Body), types.CodeUnsignedForm)
	w.submit(deliver, w.release(id, 1)) // the trade is in a block, its delivery waits
	refuse(w.release(id, 2), types.CodePending)
	a.finalize(t, 2, a.propose(t, 2))
	refuse(w.release(id, 1), types.CodeReplay)
	refuse(types.NewRelease(w.params.ChainID, types.Release{Trade: id, Instalment: 2}), types.CodeSecret)
	w.submit(w.release(id, 2))
	a.finalize(t, 3, a.propose(t, 3))
	w.wantOutcomes(types.CodeOK, w.release(id, 2))
	w.check()
}

// TestDependentsOfDeferredTransactions: transactions that build on one without room in a block stay queued.
func TestDependentsOfDeferredTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	coinage := w.mint(110, "clara", "peter")
	a.block(t, 1, coinage)
	id, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: coinage.ID()})
	rival := w.pay(types.Outpoint{Tx: coinage.ID()}, 110, "clara", "mallory")
	waiting := w.overload()
	w.submit(agree, pay, deliver, rival)
	height := int64(2)
	for ; w.Status().Waiting > 0; height++ {
		x := newBlockExecution(w.store.StateReader(), w.params, ledger.Facts{}, uint64(height), types.TimeOf(a.time(height)), 1)
		raw := rawOf(w.pool.propose(x, 20_000, time.Now().Add(time.Minute))) // some forty of them
		if len(raw) == 0 {
			t.Fatal("the proposer is stuck")
		}
		a.finishProposal(x)
		a.finalize(t, height, raw)
	}
	if height < 4 {
		t.Errorf("all fitted into %d blocks", height-2)
	}
	w.wantOutcomes(types.CodeOK, append(waiting, agree, pay, deliver)...)
	w.wantOutcomes(types.CodeInputMissing, rival)
	if trade, ok := w.pool.head.Reader.Trade(id); !ok || trade.Phase != types.PhaseDelivered {
		t.Error("the trade is not delivered")
	}
	w.check()
}

// TestImpossibleTransactionsEvicted floods the pool with signed, impossible transactions: every block evicts some, on any node.
func TestImpossibleTransactionsEvicted(t *testing.T) {
	t.Parallel()
	for _, proposes := range []bool{true, false} {
		w := newWorld(t, func(c *Config) { c.PoolTxs = 1000 })
		a := w.application()
		var flood []*types.Tx
		for i := range 750 {
			flood = append(flood, party.Sign(w.body(&types.Deliver{Trade: types.TradeID{byte(i), byte(i >> 8)}}), "mallory"))
		}
		w.overload()
		for _, tx := range flood {
			if err := w.Submit(t.Context(), tx); err != nil {
				wantCode(t, err, types.CodePoolFull)
			}
		}
		valid := w.mint(7, "clara")
		wantCode(t, w.Submit(t.Context(), valid), types.CodePoolFull)
		var raw [][]byte
		if proposes {
			raw = a.propose(t, 1)
		}
		a.finalize(t, 1, raw)
		w.submit(valid)
		w.wantOutcomes(types.CodeTradeUnknown, flood[:100]...)
		a.finalize(t, 2, a.propose(t, 2))
		w.wantOutcomes(types.CodeOK, valid)
	}
}

// TestTransactionLargerThanBlock: a proposer stops at the first transaction that doesn't fit, so the pool refuses one that never fits, even
// when overloaded.
func TestTransactionLargerThanBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	w.overload()
	record := types.HexBytes("OCMF")
	body := w.body()
	for work := uint64(0); work <= ledger.MaxBlockWork; work = ledger.Work(types.NewTx(body)) {
		body.Actions = append(body.Actions, &types.Cancel{}, &types.Reading{Records: []types.HexBytes{record, record, record, record}})
	}
	bomb := party.Sign(body, "mallory")
	wantCode(t, w.Submit(t.Context(), bomb), types.CodeTooLarge)
	wantCode(t, w.pool.offer(bomb), types.CodeTooLarge) // from a peer
	behind := w.mint(7, "clara")
	w.submit(behind)
	for height := int64(1); height <= 2; height++ {
		a.finalize(t, height, a.propose(t, height))
	}
	w.wantOutcomes(types.CodeOK, behind)
}

// TestOverloadByWork: the work of the queue counts, not its length.
func TestOverloadByWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const actions = 64
	for i := 0; w.pool.work() < maxCheckWork; i++ {
		if w.pool.overloaded {
			t.Fatalf("the pool is overloaded by %d transactions of %d actions", i, actions)
		}
		body := w.body()
		for n := range actions {
			body.Actions = append(body.Actions, &types.Issue{Asset: party.Euro(), Amount: types.Amount(1 + i + n)})
			body.Outputs = append(body.Outputs, party.Output("peter", types.Amount(1+i+n)))
		}
		w.submit(party.Sign(body, "issuer"))
	}
	w.submit(w.mint(1, "peter"))
	if waiting := w.Status().Waiting; !w.pool.overloaded || waiting > 10 {
		t.Errorf("%d transactions of %d actions do not hurry the pool", waiting, actions)
	}
}

// TestOverloadEnds once little waits after a small block.
func TestOverloadEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	w.overload()
	a.finalize(t, 1, a.propose(t, 1))
	if !w.pool.overloaded {
		t.Error("the pool is not overloaded after a full block")
	}
	a.finalize(t, 2, a.propose(t, 2))
	if w.pool.overloaded {
		t.Error("the pool is overloaded after an empty block")
	}
	wantCode(t, w.Submit(t.Context(), w.pay(types.Outpoint{}, 1, "mallory", "mallory")), types.CodeInputMissing)
}
