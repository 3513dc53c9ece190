package chain

import (
	"slices"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// entry is a queued transaction: decoded, with verified signatures.
type entry struct {
	tx      *types.Tx
	work    uint64 // of its execution, see [ledger.Work]
	running bool   // acts on a running trade, which has deadlines and locked money
	removed bool   // from the pool
	from    origin // where it was submitted
}

// size is the maximum number of bytes in a block.
func (e *entry) size() int { return len(e.tx.Bytes()) + txOverhead }

func newEntry(tx *types.Tx) *entry {
	return &entry{tx: tx, work: ledger.Work(tx), running: onRunningTrade(tx)}
}

// queue holds the entries of a pool in order of arrival, with indexes for look-ups.
type queue struct {
	entries  []*entry // copied on removal: a proposer reads it without the pool's lock
	ids      map[types.TxID]*entry
	hashes   map[types.Hash]*entry
	spends   map[types.Outpoint]types.TxID // inputs of queued transactions
	releases map[types.TradeID]struct{}    // trades with a queued unsigned transaction
	bytes    int
	work     uint64   // of all entries
	fresh    []*entry // not yet sent to peers
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
	e.from = from
	q.fresh = append(q.fresh, e)
}

// remove removes the transactions with these IDs.
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
	q.fresh = slices.DeleteFunc(q.fresh, func(e *entry) bool { return e.removed }) // a node without peers never takes them
}

// take returns fresh transactions, up to a number of bytes unless that is zero: own ones, and with relay those of peers too.
func (q *queue) take(maxBytes int, relay bool) [][]byte {
	var txs [][]byte
	total := 0
	for i, e := range q.fresh {
		if e.from != own && !relay {
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
