package chain

import (
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestPoolRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter", "clara")
	coin := types.Outpoint{Tx: mint.ID()}
	w.submit(mint)
	refuse := func(tx *types.Tx, code types.Code) {
		t.Helper()
		wantCode(t, w.Submit(t.Context(), tx), code)
	}
	refuse(mint, types.CodePending)
	refuse(w.pay(coin, 1000, "mallory", "mallory"), types.CodeSignatureKeys)
	refuse(w.pay(coin, 999, "peter", "clara"), types.CodeUnbalanced)
	refuse(w.pay(types.Outpoint{Tx: types.TxID{1}}, 1, "peter", "clara"), types.CodeInputMissing)
	good := w.pay(coin, 1000, "peter", "clara")
	forged := types.NewTx(good.Body, types.Signature{Key: party.Key("peter"), Bytes: [64]byte{1}})
	refuse(forged, types.CodeSignature)
	w.submit(good) // a forgery does not keep the true one out
	refuse(forged, types.CodePending)
	refuse(w.pay(coin, 1000, "peter", "mallory"), types.CodeInputMissing)
	w.run()
	w.must(w.mint(3, "peter"))
	refuse(mint, types.CodeReplay)
	refuse(good, types.CodeReplay)
}

func TestOneUnsignedTransactionPerTrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara")
	id, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	w.submit(mint, agree, pay, deliver, w.release(id, 1))
	wantCode(t, w.Submit(t.Context(), w.release(id, 2)), types.CodePending)
	wrong := types.NewRelease(w.params.ChainID, types.Release{Trade: types.TradeID{9}, Instalment: 1})
	wantCode(t, w.Submit(t.Context(), wrong), types.CodeTradeUnknown)
}

// TestReservedShareOfFullPool: others may fill it up to three quarters.
func TestReservedShareOfFullPool(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.PoolTxs = 8 })
	mint := w.mint(110, "clara")
	_, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	w.submit(mint, agree, pay)
	for i := range 3 {
		w.submit(w.mint(types.Amount(1+i), "mallory"))
	}
	wantCode(t, w.Submit(t.Context(), w.mint(99, "mallory")), types.CodePoolFull)
	w.submit(deliver)
	if waiting := w.Status().Waiting; waiting != 7 {
		t.Errorf("%d are waiting", waiting)
	}
}

func TestPoolByteLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.PoolBytes = 1000 })
	w.submit(w.mint(1, "peter"))
	var err error
	for i := 0; err == nil && i < 10; i++ {
		err = w.Submit(t.Context(), w.mint(types.Amount(2+i), "peter"))
	}
	wantCode(t, err, types.CodePoolFull)
}

// TestDeliveryDuringFlood: a quarter of a block is for running trades, however late they came.
func TestDeliveryDuringFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara")
	_, agree, pay, deliver := w.upToDelivery(types.Outpoint{Tx: mint.ID()})
	w.application().block(t, 1, mint, agree, pay)
	flood := 0
	for i := range 40 {
		tx := w.mint(types.Amount(1+i), "mallory")
		flood += len(tx.Bytes())
		w.submit(tx)
	}
	w.submit(deliver)
	x := newBlockExecution(w.store.StateReader(), w.params, ledger.Facts{}, w.store.Height()+1, types.TimeOf(time.Now()), 1)
	limit := flood / 2
	txs := rawOf(w.pool.propose(x, limit, time.Now().Add(time.Minute)))
	size, found := 0, false
	for _, raw := range txs {
		size += len(raw) + txOverhead
		found = found || string(raw) == string(deliver.Bytes())
	}
	if !found || size > limit || len(txs) < 10 {
		t.Errorf("a block of %d transactions with %d bytes, delivery in it: %t", len(txs), size, found)
	}
}

// TestEvictionByBlock: transactions that a block invalidates are evicted, and their callers are notified.
func TestEvictionByBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(1000, "peter")
	a.block(t, 1, mint)
	coin := types.Outpoint{Tx: mint.ID()}
	loser, winner := w.pay(coin, 1000, "peter", "clara"), w.pay(coin, 1000, "peter", "mallory")
	follower := w.pay(types.Outpoint{Tx: loser.ID()}, 1000, "clara", "peter")
	w.submit(loser, follower)
	a.block(t, 2, winner)
	for _, tx := range []*types.Tx{loser, follower} {
		outcome, err := w.Await(t.Context(), tx.ID())
		if err != nil || outcome.Code != types.CodeInputMissing || outcome.Height != 0 {
			t.Errorf("%+v, %v", outcome, err)
		}
	}
	if waiting := w.Status().Waiting; waiting != 0 {
		t.Errorf("%d are waiting", waiting)
	}
}

// TestPoolAfterOwnBlocks commits some of the queued transactions; the rest stays queued, and new ones can build on both.
func TestPoolAfterOwnBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	mint := w.mint(1000, "peter")
	coin := types.Outpoint{Tx: mint.ID()}
	chain := []*types.Tx{mint}
	for range 20 {
		chain = append(chain, w.pay(coin, 1000, "peter", "peter"))
		coin = types.Outpoint{Tx: chain[len(chain)-1].ID()}
	}
	w.submit(chain...)
	a.block(t, 1, chain[:3]...)
	a.block(t, 2, chain[3:6]...)
	wantCode(t, w.Submit(t.Context(), mint), types.CodeReplay)
	wantCode(t, w.Submit(t.Context(), chain[5]), types.CodeReplay)
	wantCode(t, w.Submit(t.Context(), chain[6]), types.CodePending)
	wantCode(t, w.Submit(t.Context(), w.pay(types.Outpoint{Tx: chain[1].ID()}, 1000, "peter", "clara")), types.CodeInputMissing)
	last := w.pay(coin, 1000, "peter", "clara")
	w.submit(last)
	if raw := a.propose(t, 3); len(raw) != 16 || string(raw[0]) != string(chain[6].Bytes()) || string(raw[15]) != string(last.Bytes()) {
		t.Errorf("a block of %d transactions", len(raw))
	}
	rival := w.pay(types.Outpoint{Tx: chain[5].ID()}, 1000, "peter", "mallory")
	a.block(t, 3, rival) // what nobody here foresaw: all that waited has become impossible
	outcome, err := w.Await(t.Context(), last.ID())
	if waiting := w.Status().Waiting; err != nil || outcome.Code != types.CodeInputMissing || waiting != 0 {
		t.Errorf("%+v, %v, %d are waiting", outcome, err, waiting)
	}
	w.submit(w.pay(types.Outpoint{Tx: rival.ID()}, 1000, "mallory", "peter"))
	w.check()
}

// TestFailedInProposalReexecuted after the block: it stays for as long as it can still be done.
func TestFailedInProposalReexecuted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.application()
	body := w.body(&types.Issue{Asset: party.Euro(), Amount: 5})
	body.Outputs = []types.Output{party.Output("peter", 5)}
	body.ValidUntil = types.TimeOf(a.time(100)) // the test's blocks are ahead of the clock
	late := party.Sign(body, "issuer")
	w.submit(late)
	if raw := a.propose(t, 101); len(raw) != 0 || w.Status().Waiting != 1 {
		t.Fatalf("a block of %d transactions", len(raw))
	}
	if len(w.pool.failed) == 0 {
		t.Fatal("the failure is not noted")
	}
	a.begin = a.begin.Add(-time.Minute)
	a.finalize(t, 1, nil)
	if len(w.pool.failed) > 0 {
		t.Error("it was not executed again")
	}
	if raw := a.propose(t, 2); len(raw) != 1 {
		t.Errorf("a block of %d transactions", len(raw))
	}
}

// TestFullPoolSkipsVerification: shedding load costs next to nothing.
func TestFullPoolSkipsVerification(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.PoolTxs = 4 })
	for i := range 3 {
		w.submit(w.mint(types.Amount(1+i), "peter"))
	}
	forged := types.NewTx(w.mint(5, "peter").Body, types.Signature{Key: party.Key("issuer"), Bytes: [64]byte{1}})
	wantCode(t, w.Submit(t.Context(), forged), types.CodePoolFull)
}

func TestReapOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint, other := w.mint(1000, "peter"), w.mint(5, "clara")
	w.submit(mint)
	if err := w.pool.submit(t.Context(), foreign, other)[0]; err != nil {
		t.Fatal(err)
	}
	if told := w.pool.reap(0, false); len(told) != 1 || string(told[0]) != string(mint.Bytes()) {
		t.Errorf("peers are told of %d transactions", len(told))
	}
	if again := w.pool.reap(0, false); len(again) != 0 {
		t.Errorf("peers are told again of %d transactions", len(again))
	}
	w.submit(w.mint(6, "peter"), w.mint(7, "peter"))
	if some := w.pool.reap(400, false); len(some) != 1 {
		t.Errorf("peers are told of %d transactions at once", len(some))
	}
	if rest := w.pool.reap(0, false); len(rest) != 1 {
		t.Errorf("%d transactions were left", len(rest))
	}
	if err := w.pool.submit(t.Context(), foreign, w.mint(8, "clara"))[0]; err != nil {
		t.Fatal(err)
	}
	if relayed := w.pool.reap(0, true); len(relayed) != 1 {
		t.Errorf("%d transactions of a peer are relayed", len(relayed))
	}
}

// TestReapAfterBlock: a node without peers keeps nothing of a transaction that is on the ledger.
func TestReapAfterBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t).run()
	w.must(w.mint(1000, "peter"))
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	if left := len(w.pool.queue.fresh); left != 0 {
		t.Errorf("%d transactions wait for peers for ever", left)
	}
}
