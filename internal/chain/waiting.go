package chain

import (
	"lockstep/internal/ledger"
	"lockstep/types"
)

// entry is a transaction in the pool: decoded, its signatures verified.
type entry struct {
	tx      *types.Tx
	work    uint64 // to execute it, see [ledger.Work]
	running bool   // acts on a running trade: has a deadline to keep, or money to free
	left    bool   // the pool
}

// size is the most bytes that it takes up in a block.
func (e *entry) size() int { return len(e.tx.Bytes()) + txOverhead }

func newEntry(tx *types.Tx) *entry {
	return &entry{tx: tx, work: ledger.Work(tx), running: onRunningTrade(tx)}
}

// waiting are the entries of a pool, in order of arrival and by all that they are looked up by.
type waiting struct {
	entries  []*entry // never changed in place: a proposer reads it without the pool's lock
	ids      map[types.TxID]*entry
	hashes   map[types.Hash]*entry
	spends   map[types.Outpoint]types.TxID // inputs of what waits: by which
	releases map[types.TradeID]struct{}    // trades with an unsigned transaction waiting
	bytes    int
	work     uint64   // to execute them all
	fresh    []*entry // own, not yet handed out to peers
}

func newWaiting() waiting {
	return waiting{ids: map[types.TxID]*entry{}, hashes: map[types.Hash]*entry{}, spends: map[types.Outpoint]types.TxID{}, releases: map[types.TradeID]struct{}{}}
}

func (w *waiting) add(e *entry, from origin) {
	w.entries = append(w.entries, e)
	w.ids[e.tx.ID()], w.hashes[e.tx.Hash()] = e, e
	w.bytes, w.work = w.bytes+len(e.tx.Bytes()), w.work+e.work
	for _, input := range e.tx.Body.Inputs {
		w.spends[input] = e.tx.ID()
	}
	if trade, ok := unsignedTrade(e.tx); ok {
		w.releases[trade] = struct{}{}
	}
	if from == own {
		w.fresh = append(w.fresh, e)
	}
}

// remove takes out the transactions of these IDs that are waiting.
func (w *waiting) remove(ids []types.TxID) {
	for _, id := range ids {
		e := w.ids[id]
		if e == nil {
			continue
		}
		e.left = true
		delete(w.ids, id)
		delete(w.hashes, e.tx.Hash())
		w.bytes, w.work = w.bytes-len(e.tx.Bytes()), w.work-e.work
		for _, input := range e.tx.Body.Inputs {
			if w.spends[input] == id {
				delete(w.spends, input)
			}
		}
		if trade, ok := unsignedTrade(e.tx); ok {
			delete(w.releases, trade)
		}
	}
	rest := make([]*entry, 0, len(w.ids))
	for _, e := range w.entries {
		if !e.left {
			rest = append(rest, e)
		}
	}
	w.entries = rest
}

// take hands out fresh transactions, up to a number of bytes if that is not zero.
func (w *waiting) take(maxBytes int) [][]byte {
	var txs [][]byte
	total := 0
	for i, e := range w.fresh {
		if e.left {
			continue
		}
		if total += len(e.tx.Bytes()); maxBytes > 0 && total > maxBytes {
			w.fresh = w.fresh[i:]
			return txs
		}
		txs = append(txs, e.tx.Bytes())
	}
	w.fresh = nil
	return txs
}
