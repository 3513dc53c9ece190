package store

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/ledger"
	"lockstep/types"
)

// writer puts what blocks have done into one batch: the state, and what follows from it.
type writer struct {
	batch *pebble.Batch
	epoch uint16
	kept  uint64 // entries in that
}

// keep writes an entry of the epoch, which stays for good.
func (w *writer) keep(key, value []byte) error {
	w.kept++
	return w.batch.Set(key, value, nil)
}

// change writes the new value of a key and keeps in step what is found by it.
func (w *writer) change(change ledger.Change) error {
	if bytes.Equal(change.Old, change.New) { // it came and went
		return nil
	}
	return errors.Join(w.setState(change), w.deriveCoins(change), w.deriveTrades(change))
}

func (w *writer) setState(change ledger.Change) error {
	if change.New == nil {
		return w.batch.Delete(stateKey(change.Key), nil)
	}
	return w.batch.Set(stateKey(change.Key), change.New, nil)
}

// deriveCoins keeps the outputs of a key in step with the outputs of the state.
func (w *writer) deriveCoins(change ledger.Change) error {
	if owner, ok := coinOwner(change.Before); ok {
		if err := w.batch.Delete(coinKey(owner, outpointOf(change.Key)), nil); err != nil {
			return err
		}
	}
	if owner, ok := coinOwner(change.After); ok {
		return w.batch.Set(coinKey(owner, outpointOf(change.Key)), change.New, nil)
	}
	return nil
}

// coinOwner tells whose an output is when it is locked to a key.
func coinOwner(value any) (owner types.PublicKey, ok bool) {
	output, ok := value.(*types.Output)
	if !ok {
		return owner, false
	}
	lock, ok := output.Lock.(*types.KeyLock)
	if !ok {
		return owner, false
	}
	return lock.Key, true
}

// deriveTrades keeps the trades of a party in step with those that come into the state and leave it.
func (w *writer) deriveTrades(change ledger.Change) error {
	before, was := change.Before.(*types.Trade)
	after, is := change.After.(*types.Trade)
	switch {
	case is && !was:
		id := tradeOf(change.Key)
		for _, party := range parties(after) {
			if err := w.batch.Set(listed(openPrefix(party), after.Height, id), nil, nil); err != nil {
				return err
			}
		}
		return w.indexParties(id, after)
	case was && !is:
		id := tradeOf(change.Key)
		for _, party := range parties(before) {
			if err := w.batch.Delete(listed(openPrefix(party), before.Height, id), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func parties(trade *types.Trade) [2]types.PublicKey {
	return [2]types.PublicKey{trade.Agreement.Producer, trade.Agreement.Consumer}
}

func (w *writer) indexParties(id types.TradeID, trade *types.Trade) error {
	for _, party := range parties(trade) {
		if err := w.keep(listed(partyPrefix(w.epoch, party), trade.Height, id), nil); err != nil {
			return err
		}
	}
	return nil
}

// archive keeps a trade that leaves the state. One that began after the height that is on the disk was never in the state
// there, so it is put under its parties here.
func (w *writer) archive(id types.TradeID, ended closing, written uint64) error {
	err := errors.Join(
		w.keep(endedKey(w.epoch, id), heightBytes(ended.height)), w.batch.Set(archivePlace(id, ended.height), types.Encode(ended.Trade), nil),
	)
	if err != nil || ended.Height <= written {
		return err
	}
	return w.indexParties(id, ended.Trade)
}

// receipt keeps what became of a transaction. It is accepted once at most, but may be refused in one epoch and accepted in
// another; so that no epoch has to be looked into, refusals have a keyspace of their own.
func (w *writer) receipt(id types.TxID, receipt *Receipt) error {
	if receipt.Code != types.CodeOK {
		return w.batch.Set(refusedKey(id), types.Encode(receipt), nil)
	}
	return w.keep(txKey(w.epoch, id), types.Encode(receipt))
}

func (w *writer) block(block *Block) error {
	encoded, err := encodeBlock(block)
	if err != nil {
		return err
	}
	return w.batch.Set(blockKey(block.Height), encoded, nil)
}
