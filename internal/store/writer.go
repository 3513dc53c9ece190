package store

import (
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// writer writes the changes of blocks to one batch: the state and the derived keyspaces.
type writer struct {
	sortedBatch
	partitions partitions
	kept       uint64 // append-only entries
	balances   balances
	known      *knownBalances
}

// holding identifies a balance: an owner and an asset.
type holding struct {
	owner types.PublicKey
	asset types.AssetID
}

// keep writes an append-only entry of a partition.
func (w *writer) keep(key, value []byte) {
	w.kept++
	w.set(key, value)
}

// change writes the new value of a key and updates the keyspaces derived from it.
func (w *writer) change(change *ledger.Change) {
	w.deriveStakes(change)
	w.setState(change)
	w.deriveCoins(change)
	w.deriveTrades(change)
	w.deriveAssets(change)
	w.deriveOrders(change)
}

func (w *writer) setState(change *ledger.Change) {
	if change.New == nil {
		w.remove(stateKey(change.Key))
	} else {
		w.set(stateKey(change.Key), change.New)
	}
}

// deriveCoins updates the coins by owner after a change of an output, a purse or a trade.
func (w *writer) deriveCoins(change *ledger.Change) {
	before, after := coinsOf(change.Key, change.Before), coinsOf(change.Key, change.After)
	for i := range before {
		if !slices.Contains(after, before[i]) {
			w.balances.count(&before[i], false)
			if before[i].listed() {
				w.remove(coinKey(before[i].owner, &before[i].coin))
			}
		}
	}
	for i := range after {
		if !slices.Contains(before, after[i]) {
			w.balances.count(&after[i], true)
			if after[i].listed() {
				w.set(coinKey(after[i].owner, &after[i].coin), nil)
			}
		}
	}
}

// deriveStakes updates the balances after a change of an order, an offer or a page of an auction: those of the owners, and the total of
// the asset.
func (w *writer) deriveStakes(change *ledger.Change) {
	for stake := range ledger.Stakes(change.Before) {
		w.balances.stake(stake, -stake.Amount)
	}
	for stake := range ledger.Stakes(change.After) {
		w.balances.stake(stake, stake.Amount)
	}
}

// writeBalances adds the counted coins and stakes to the balances on the disk.
func (w *writer) writeBalances(db *pebble.DB) error {
	for at, change := range w.balances { // any order: balances are independent
		key := balanceKey(at.owner, at.asset)
		sum, err := w.known.get(db, at)
		if err != nil {
			return err
		}
		sum.add(change)
		w.known.put(at, sum)
		if sum == (Balance{}) {
			w.remove(key)
		} else {
			w.set(key, types.Encode(&sum))
		}
	}
	return nil
}

// add adds the counts and sums of a change, whose parts may be below zero.
func (b *Balance) add(change *Balance) {
	b.Coins, b.Spendable, b.Locked, b.InOrders = b.Coins+change.Coins, b.Spendable+change.Spendable, b.Locked+change.Locked, b.InOrders+change.InOrders
}

// deriveAssets updates the assets by code.
func (w *writer) deriveAssets(change *ledger.Change) {
	before, was := change.Before.(*types.AssetState)
	after, is := change.After.(*types.AssetState)
	switch {
	case is && !was:
		w.set(codeKey(&after.Asset), nil)
	case was && !is:
		w.remove(codeKey(&before.Asset))
	}
}

// deriveOrders updates the open orders by owner.
func (w *writer) deriveOrders(change *ledger.Change) {
	before, was := change.Before.(*types.PlacedOrder)
	after, is := change.After.(*types.PlacedOrder)
	switch {
	case is && !was:
		w.set(ordersKey(&after.Order), nil)
	case was && !is:
		w.remove(ordersKey(&before.Order))
	}
}

// deriveTrades updates the trades by party when a trade enters or leaves the state.
func (w *writer) deriveTrades(change *ledger.Change) {
	before, was := change.Before.(*types.Trade)
	after, is := change.After.(*types.Trade)
	switch {
	case is && !was:
		id := tradeOf(change.Key)
		for _, party := range parties(after) {
			w.set(listed(openPrefix(party), after.Height, id), nil)
		}
		w.indexParties(id, after)
	case was && !is:
		id := tradeOf(change.Key)
		for _, party := range parties(before) {
			w.remove(listed(openPrefix(party), before.Height, id))
		}
	}
}

func parties(trade *types.Trade) [2]types.PublicKey {
	return [2]types.PublicKey{trade.Agreement.Producer, trade.Agreement.Consumer}
}

// indexParties lists a trade under its parties, in the partition of its height. For the last trades of a large auction that may be the partition before
// the last one: they have the height of the auction, and are made in later blocks.
func (w *writer) indexParties(id types.TradeID, trade *types.Trade) {
	for _, party := range parties(trade) {
		w.keep(listed(partyPrefix(w.partitions.of(trade.Height), party), trade.Height, id), nil)
	}
}

// end lists a trade that left the state. A new one, which began within the memtable, never was in the state on the disk, so end lists
// it under its parties too.
func (w *writer) end(id types.TradeID, ended closing, isNew bool) {
	w.keep(endedKey(w.partitions.last(), id), leafBytes(ended.leaf))
	if isNew {
		w.indexParties(id, ended.Trade)
	}
}

// receipt writes the result of a transaction. A transaction is accepted at most once, but may have been refused in an earlier partition.
// Refusals have a keyspace of their own, so that no partition must be searched for them.
func (w *writer) receipt(id types.TxID, receipt *Receipt) {
	if receipt.Code != types.CodeOK {
		w.set(refusedKey(id), types.Encode(receipt))
	} else {
		w.keep(txKey(w.partitions.last(), id), types.Encode(receipt))
	}
}

// writeBlocks writes the records of consecutive blocks.
func (w *writer) writeBlocks(blocks []*Block) error {
	shared := newSharedIDs()
	for _, block := range blocks {
		encoded, err := encodeBlock(block, shared)
		if err != nil {
			return err
		}
		w.set(blockKey(block.Height), encoded)
	}
	if len(shared.ids) > 0 {
		first := binary.BigEndian.AppendUint64(nil, blocks[0].Height)
		w.set(idsKey(blocks[len(blocks)-1].Height), append(first, shared.ids...))
	}
	return nil
}
