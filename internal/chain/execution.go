package chain

import (
	"strings"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// blockExecution executes a block by the rules. A proposer uses one to choose transactions; when its block is decided, the same execution is
// committed, so that its transactions are executed once.
type blockExecution struct {
	state  *ledger.State
	height uint64
	time   types.Time
	signed []address    // validators that signed the block before
	hashes []types.Hash // of the transactions, signatures included
	txs    []store.TxResult
	quiet  bool   // the beginning of the block had no effects
	room   uint64 // work left for further transactions
}

// newBlockExecution begins a block with about so many transactions.
func newBlockExecution(view ledger.View, params types.Params, facts ledger.Facts, height uint64, time types.Time, txs int) *blockExecution {
	x := &blockExecution{state: ledger.New(view, params), height: height, time: time, signed: facts.Signers}
	x.state.Learn(facts)
	x.state.Reserve(txs)
	x.hashes, x.txs = make([]types.Hash, 0, txs), make([]store.TxResult, 0, txs)
	x.quiet = len(x.state.Begin(height, time)) == 0
	x.room = x.state.WorkLeft()
	return x
}

// choose executes a transaction for a proposal and includes it if the rules accept it; otherwise it leaves no trace.
func (x *blockExecution) choose(tx *types.Tx) bool {
	slots := x.state.SlotWork()
	result := x.state.Execute(tx, true)
	x.room -= min(x.room, x.state.SlotWork()-slots) // also of a failed one, which read the slot
	if result.Code != types.CodeOK {
		return false
	}
	x.room -= min(x.room, ledger.Work(tx))
	x.note(tx.ID(), tx.Hash(), result)
	return true
}

// do executes a transaction of a decided block. A refused transaction keeps its place.
func (x *blockExecution) do(tx *blockTx) {
	if tx.tx == nil {
		x.note(types.TxID(tx.hash), tx.hash, ledger.Result{Code: types.CodeOf(tx.err), Detail: tx.err.Error()})
		return
	}
	x.note(tx.tx.ID(), tx.hash, x.state.Execute(tx.tx, tx.signaturesValid))
}

func (x *blockExecution) note(id types.TxID, hash types.Hash, result ledger.Result) {
	detail := strings.ToValidUTF8(result.Detail, "?")
	x.hashes = append(x.hashes, hash)
	x.txs = append(x.txs, store.TxResult{ID: id, Code: result.Code, Detail: detail})
}

func (x *blockExecution) finish() store.Executed {
	return store.Executed{Diff: x.state.Finish(), Txs: x.txs}
}
