package store_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/outcomes"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestFlushesAndCrashes executes random blocks on a store and on a state in memory, with random flushes and crashes after which the lost
// blocks are committed again. Both have the same commitment, heads keep showing their height, and the store passes its check.
func TestFlushesAndCrashes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.close()
		twin := &twin{world: w, rt: rt, memory: ledger.NewMemory()}
		defer twin.lookBack()
		for range rapid.IntRange(1, 30).Draw(rt, "blocks") {
			twin.block()
			switch rapid.IntRange(0, 6).Draw(rt, "then") {
			case 0:
				if err := w.store.Flush(); err != nil {
					rt.Fatal(err)
				}
			case 1:
				head := w.head()
				twin.heads = append(twin.heads, past{head, twin.memory.Clone(), twin.tradesOf(head)})
			case 2:
				if _, err := w.store.Check(); err != nil {
					rt.Fatal(err)
				}
			case 3:
				twin.lookBack()
				twin.crash()
			}
		}
		twin.compareReceipts()
		if _, err := w.store.Check(); err != nil {
			rt.Fatal(err)
		}
		twin.compareReceipts()
	})
}

// twin is a store and, beside it, the same state in memory.
type twin struct {
	*world
	rt     *rapid.T
	memory *ledger.Memory
	sum    ledger.Accumulator
	sums   []types.Hash // of the whole state after each block
	before types.Hash   // the commitment of the last block
	log    outcomes.Mark
	blocks []done
	coins  []coin
	heads  []past
}

// done is a block, to be done again.
type done struct {
	txs        []*types.Tx
	time       types.Time
	commitment types.Hash
	events     []types.Event
}

type coin struct {
	at    types.Outpoint
	owner string
}

// past is a head with its expected entries.
type past struct {
	head   *store.Head
	memory *ledger.Memory
	trades []*store.TradeRecord
}

// tradesOf looks up all trades there may be.
func (w *twin) tradesOf(head *store.Head) (records []*store.TradeRecord) {
	for nonce := range uint64(nonces) {
		a := w.agreed(nonce)
		record, err := head.Trade(a.ID())
		if err != nil {
			w.rt.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

func (w *twin) block() {
	var txs []*types.Tx
	for range rapid.IntRange(0, 3).Draw(w.rt, "transactions") {
		txs = append(txs, w.transaction())
	}
	w.time = w.time.Add(rapid.SampledFrom([]types.Duration{second, 30 * second, 200 * second}).Draw(w.rt, "later"))
	w.blocks = append(w.blocks, done{txs: txs, time: w.time})
	last := &w.blocks[len(w.blocks)-1]
	diff := execute(w.memory, w.params, uint64(len(w.blocks)), last).Diff
	w.memory.Apply(diff.Changes)
	w.sum.Apply(diff.Changes)
	leaves := make([][]byte, len(diff.Leaves))
	for i := range leaves {
		leaves[i] = diff.Leaves[i].Encoded
	}
	batch, err := w.log.Extend(leaves)
	if err != nil {
		w.rt.Fatal(err)
	}
	w.log = batch.To
	height := uint64(len(w.blocks))
	w.sums = append(w.sums, w.sum.StateHash(height, &w.params))
	if height == 1 {
		w.before = w.store.Commitment()
	}
	link := ledger.Link{Height: height, Before: w.before, Changes: ledger.HashChanges(diff.Changes)}
	if height > quick.Every && height%quick.Every == quick.Delay {
		link.Checkpoint = w.sums[height-quick.Delay-1]
	}
	w.before = types.AppHash(link.Hash(), w.log.Head())
	last.commitment = w.before
	w.commit(last)
}

func execute(view ledger.View, params types.Params, height uint64, block *done) (executed store.Executed) {
	state := ledger.New(view, params)
	state.Begin(height, block.time)
	for _, tx := range block.txs {
		result := state.Execute(tx, true)
		executed.Txs = append(executed.Txs, store.TxResult{ID: tx.ID(), Code: result.Code, Detail: result.Detail})
	}
	executed.Diff = state.Finish()
	return executed
}

func (w *twin) commit(block *done) {
	executed := execute(w.store.StateReader(), w.params, w.store.Height()+1, block)
	staged, err := w.store.Stage(executed)
	if err != nil {
		w.rt.Fatal(err)
	}
	if staged.Block().Commitment != block.commitment {
		w.rt.Fatalf("block %d commits to another state than in memory", staged.Block().Height)
	}
	if err := staged.Commit(); err != nil {
		w.rt.Fatal(err)
	}
}

// nonces of agreements, no more, so that random steps meet.
const nonces = 4

func (w *twin) agreed(nonce uint64) types.Agreement {
	a := w.agreement(nonce)
	a.Deadlines = types.Deadlines{
		PayBy: start.Add(3000 * second), DeliverBy: start.Add(9000 * second), ReadingBy: start.Add(9100 * second), ConfirmBy: start.Add(9200 * second),
	}
	return a
}

// transaction makes money, moves some, takes a trade a step further, or repeats something.
func (w *twin) transaction() *types.Tx {
	agreement := func() types.Agreement { return w.agreed(rapid.Uint64Max(nonces-1).Draw(w.rt, "nonce")) }
	trade := func() types.TradeID {
		a := agreement()
		return a.ID()
	}
	spend := func(actions ...types.Action) *types.Tx {
		body := w.body(actions...)
		if len(w.coins) == 0 {
			return sign(body, "clara")
		}
		spent := rapid.SampledFrom(w.coins).Draw(w.rt, "coin")
		body.Inputs = []types.Outpoint{spent.at}
		return sign(body, spent.owner)
	}
	switch rapid.IntRange(0, 8).Draw(w.rt, "what") {
	case 0, 1:
		mint := w.mint(110, "clara", "peter", "clara")
		for i, owner := range []string{"clara", "peter", "clara"} {
			w.coins = append(w.coins, coin{types.Outpoint{Tx: mint.ID(), Index: uint32(i)}, owner})
		}
		return mint
	case 2:
		return w.agree(agreement())
	case 3:
		return spend(&types.Pay{Trade: trade(), Digest: party.Secret("clara").Digest(1)})
	case 4:
		return sign(w.body(&types.Deliver{Trade: trade()}), "peter")
	case 5:
		return types.NewRelease(w.params.ChainID, types.Release{Trade: trade(), Instalment: 1, Preimage: party.Secret("clara")})
	case 6:
		body, id := w.body(), trade()
		asset := party.Euro()
		body.Inputs = []types.Outpoint{id.Outpoint(types.PartPayment), id.Outpoint(types.PartReturn)}
		body.Outputs = []types.Output{party.Output("peter", 100), {Asset: asset.ID(), Amount: 10, Lock: types.ToKey(party.Key("clara"))}}
		return sign(body, "peter", "clara")
	case 7: // an order, or another one in its place; the balances must follow its stake until its auction
		return w.place(rapid.SampledFrom([]string{"clara", "peter"}).Draw(w.rt, "bidder"))
	default:
		if len(w.blocks) > 0 {
			if txs := rapid.SampledFrom(w.blocks).Draw(w.rt, "block").txs; len(txs) > 0 {
				return txs[0]
			}
		}
		return spend()
	}
}

// crash reopens the store without the unflushed blocks, and commits them again.
func (w *twin) crash() {
	if err := w.store.Crash(); err != nil {
		w.rt.Fatal(err)
	}
	w.open()
	if _, err := w.store.Check(); err != nil {
		w.rt.Fatalf("after a crash: %v", err)
	}
	for height := w.store.Height(); height < uint64(len(w.blocks)); height++ {
		w.commit(&w.blocks[height])
	}
}

// lookBack compares the heads with their expected entries, and closes them.
func (w *twin) lookBack() {
	for _, past := range w.heads {
		for kind := range byte(128) {
			from, to := string([]byte{kind}), string([]byte{kind + 1})
			want, got := listed(past.memory, from, to), listed(past.head, from, to)
			if !slices.EqualFunc(want, got, func(a, b entry) bool { return a.key == b.key && bytes.Equal(a.value, b.value) }) {
				w.rt.Fatalf("a head of height %d lists %d entries of kind %c, there were %d", past.head.Height(), len(got), kind, len(want))
			}
			for _, entry := range want {
				if value := past.head.Get(entry.key); !bytes.Equal(value.Encoded, entry.value) {
					w.rt.Fatalf("a head of height %d has another value under %x", past.head.Height(), entry.key)
				}
			}
		}
		if !slices.EqualFunc(past.trades, w.tradesOf(past.head), sameTrade) {
			w.rt.Fatalf("a head of height %d has other trades than at first", past.head.Height())
		}
		if err := past.head.Close(); err != nil {
			w.rt.Fatal(err)
		}
	}
	w.heads = nil
}

func sameTrade(a, b *store.TradeRecord) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Over == b.Over && bytes.Equal(types.Encode(a.Trade), types.Encode(b.Trade)))
}

type entry struct {
	key   string
	value []byte
}

func listed(view ledger.View, from, to string) (all []entry) {
	view.Ascend(from, to, func(key string, value ledger.Value) bool {
		all = append(all, entry{key, value.Encoded})
		return true
	})
	return all
}

// compareReceipts compares the receipt of each transaction with its block.
func (w *twin) compareReceipts() {
	for height := range w.blocks {
		block, err := w.store.Block(uint64(height + 1))
		if err != nil || block == nil || block.Height != uint64(height+1) || len(block.Txs) != len(w.blocks[height].txs) {
			w.rt.Fatalf("block %d: %v", height+1, err)
		}
		for _, tx := range block.Txs {
			if receipt, err := w.store.Receipt(tx.ID); err != nil || receipt == nil || tx.Code == types.CodeOK && receipt.Code != tx.Code {
				w.rt.Fatalf("transaction %s ended with %s, its receipt says %+v (%v)", tx.ID, tx.Code, receipt, err)
			}
		}
	}
}
