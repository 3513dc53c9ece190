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
	removed bool   // from the pool
}

// size is the most bytes that it takes up in a block.
func (e *entry) size() int { return len(e.tx.Bytes()) + txOverhead }

func newEntry(tx *types.Tx) *entry {
	return &entry{tx: tx, work: ledger.Work(tx), running: onRunningTrade(tx)}
}

// waiting are the entries of a pool, in order of arrival and by all that they are looked up by.
type queue struct {
	entries  []*entry // never changed in place: a proposer reads it without the pool's lock
	ids      map[types.TxID]*entry
	hashes   map[types.Hash]*entry
	spends   map[types.Outpoint]types.TxID // inputs of what waits: by which
	releases map[types.TradeID]struct{}    // trades with an unsigned transaction waiting
	bytes    int
	work     uint64   // to execute them all
	fresh    []*entry // own, not yet handed out to peers
}

func newQueue() queue {
	return queue{ids: map[types.TxID]*entry{}, hashes: map[types.Hash]*entry{}, spends: map[types.Outpoint]types.TxID{}, releases: map[types.TradeID]struct{}{}}
}

func (q *queue) add(e *entry, from origin) {
	q.entries = append(q.entries, e)
	q.ids[e.tx.ID()], q.hashes[e.tx.Hash()] = e, e
	q.bytes, q.work = q.bytes+len(e.tx.Bytes()), q.work+e.work
	for _, input := range e.tx.Body.Inputs {
		q.spends[input] = e.tx.ID()
	}
	if trade, ok := unsignedTrade(e.tx); ok {
		q.releases[trade] = struct{}{}
	}
	if from == own {
		q.fresh = append(q.fresh, e)
	}
}

// remove takes out the transactions of these IDs that are waiting.
func (q *queue) remove(ids []types.TxID) {
	for _, id := range ids {
		e := q.ids[id]
		if e == nil {
			continue
		}
		e.removed = true
		delete(q.ids, id)
		delete(q.hashes, e.tx.Hash())
		q.bytes, q.work = q.bytes-len(e.tx.Bytes()), q.work-e.work
		for _, input := range e.tx.Body.Inputs {
			if q.spends[input] == id {
				delete(q.spends, input)
			}
		}
		if trade, ok := unsignedTrade(e.tx); ok {
			delete(q.releases, trade)
		}
	}
	rest := make([]*entry, 0, len(q.ids))
	for _, e := range q.entries {
		if !e.removed {
			rest = append(rest, e)
		}
	}
	q.entries = rest
}

// take hands out fresh transactions, up to a number of bytes if that is not zero.
func (q *queue) take(maxBytes int) [][]byte {
	var txs [][]byte
	total := 0
	for i, e := range q.fresh {
		if e.removed {
			continue
		}
		if total += len(e.tx.Bytes()); maxBytes > 0 && total > maxBytes {
			q.fresh = q.fresh[i:]
			return txs
		}
		txs = append(txs, e.tx.Bytes())
	}
	q.fresh = nil
	return txs
}
