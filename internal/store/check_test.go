package store_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/store"
	"lockstep/types"
)

// TestCheckOfDamagedStores changes one entry of each keyspace behind the store's back.
func TestCheckOfDamagedStores(t *testing.T) {
	t.Parallel()
	for _, damage := range []struct {
		name, finding, prefix string
		change                func(batch *pebble.Batch, key, value []byte) error
	}{
		{"an output of another amount", "audit", "so", changeAmount},
		{"a lost output", "audit", "so", remove},
		{"a forgotten transaction", "not the one that the blocks", "sr", remove},
		{"a lost coin", "not found by its owner", "c", remove},
		{"a coin too many", "outputs by owner are listed", "c", duplicate},
		{"a coin with a value", "with another value", "c", setValue},
		{"a lost balance", "not the sum of its coins", "l", remove},
		{"a balance of another sum", "not the sum of its coins", "l", changeBalance},
		{"a balance too many", "balances are listed", "l", duplicate},
		{"an asset that is not found by its code", "is not found by its code", "n", remove},
		{"a code of an asset that is not there", "assets by code are listed", "n", duplicate},
		{"an order that is not found by its owner", "is not found by its owner", "d", remove},
		{"an order of an owner that is not there", "orders by owner are listed", "d", duplicate},
		{"a trade missing from its party's list", "is not indexed", "p", remove},
		{"a trade missing from its party's open list", "is not indexed", "o", remove},
		{"a trade too many in a list", "trades by party are listed, there are 4", "p", duplicate},
		{"a trade that is over and can't be found", "not listed by its ID", "e", remove},
		{"a trade that is over, with another leaf", "or with another leaf", "e", setValue},
		{"a trade that is said to be over", "2 trades that are over are listed, there are 1", "e", duplicate},
		{"a lost block", "is missing", "b", remove},
		{"a block with other changes", "does not follow from that of block 0", "b", changeBlock},
		{"lost IDs of events", "it names the ID", "i", remove},
		{"damaged IDs of events", "it names the ID", "i", setValue},
		{"IDs of events too many", "are damaged, or of no block", "i", duplicate},
		{"a lost checkpoint", "another checkpoint than the ledger", "mh", changeLast},
		{"a lost receipt", "has no receipt", "x", remove},
		{"a receipt too many", "receipts are listed", "x", duplicate},
		{"a lost receipt of what was refused", "has no receipt", "y", remove},
		{"a receipt too many of what was refused", "receipts of refusals are listed", "y", duplicate},
	} {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mint := w.mint(110, "clara", "clara")
			w.must(mint)
			w.collect(w.trade(1, types.Outpoint{Tx: mint.ID()}))
			w.trade(2, types.Outpoint{Tx: mint.ID(), Index: 1})
			w.must(w.mint(7, "mallory"))
			w.must(w.place("mallory"))
			w.block(w.pay(types.Outpoint{Tx: types.TxID{1}}, 1, "mallory", "peter"))
			w.must() // where the last checkpoint enters
			w.check()
			w.tamper(func(db *pebble.DB) error { return changeOne(db, []byte(damage.prefix), damage.change) })
			w.open()
			_, err := w.store.Check()
			if err == nil {
				t.Fatal("the store is said to be in order")
			}
			if !strings.Contains(err.Error(), damage.finding) {
				t.Errorf("found %q, want %q", err, damage.finding)
			}
		})
	}
}

// changeOne applies a change to the first entry whose key begins with prefix.
func changeOne(db *pebble.DB, prefix []byte, change func(*pebble.Batch, []byte, []byte) error) error {
	iterator, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix})
	if err != nil {
		return err
	}
	defer iterator.Close()
	iterator.First()
	batch := db.NewBatch()
	if err := change(batch, append([]byte{}, iterator.Key()...), append([]byte{}, iterator.Value()...)); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

func remove(batch *pebble.Batch, key, _ []byte) error { return batch.Delete(key, nil) }

func duplicate(batch *pebble.Batch, key, value []byte) error {
	key[len(key)-1] ^= 1
	return batch.Set(key, value, nil)
}

func setValue(batch *pebble.Batch, key, _ []byte) error { return batch.Set(key, []byte{0}, nil) }

// changeLast changes the last byte of a value: of the hash of the last checkpoint in the head.
func changeLast(batch *pebble.Batch, key, value []byte) error {
	value[len(value)-1] ^= 1
	return batch.Set(key, value, nil)
}

// changeBlock changes a byte of the hash of a block's changes.
func changeBlock(batch *pebble.Batch, key, value []byte) error {
	const at = 1 + 1 + 9 + 9 + 34 + 2 // behind the head of the list, the height, the two times and the state hash
	value[at] ^= 1
	return batch.Set(key, value, nil)
}

func changeBalance(batch *pebble.Batch, key, value []byte) error {
	var balance store.Balance
	if err := types.Decode(value, &balance); err != nil {
		return err
	}
	balance.Locked++
	return batch.Set(key, types.Encode(&balance), nil)
}

func changeAmount(batch *pebble.Batch, key, value []byte) error {
	var output types.Output
	if err := types.Decode(value, &output); err != nil {
		return err
	}
	output.Amount++
	return batch.Set(key, types.Encode(&output), nil)
}
