package store

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/ledger"
	"lockstep/types"
)

// writer puts what blocks have done into one batch: the state, and what follows from it.
type writer struct{ batch *pebble.Batch }

// change writes the new value of a key and keeps in step what is found by it.
func (w writer) change(change ledger.Change) error {
	if bytes.Equal(change.Old, change.New) { // it came and went
		return nil
	}
	return errors.Join(w.setState(change), w.deriveCoins(change), w.deriveTrades(change))
}

func (w writer) setState(change ledger.Change) error {
	if change.New == nil {
		return w.batch.Delete(stateKey(change.Key), nil)
	}
	return w.batch.Set(stateKey(change.Key), change.New, nil)
}

// deriveCoins keeps the outputs of a key in step with the outputs of the state.
func (w writer) deriveCoins(change ledger.Change) error {
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
func (w writer) deriveTrades(change ledger.Change) error {
	before, was := change.Before.(*types.Trade)
	after, is := change.After.(*types.Trade)
	switch {
	case is && !was:
		id := tradeOf(change.Key)
		return errors.Join(w.indexParties(prefixParty, id, after), w.indexParties(prefixOpen, id, after))
	case was && !is:
		id := tradeOf(change.Key)
		return errors.Join(
			w.batch.Delete(partyKey(prefixOpen, before.Agreement.Producer, before.Height, id), nil),
			w.batch.Delete(partyKey(prefixOpen, before.Agreement.Consumer, before.Height, id), nil),
		)
	}
	return nil
}

func (w writer) indexParties(keyspace byte, id types.TradeID, trade *types.Trade) error {
	return errors.Join(
		w.batch.Set(partyKey(keyspace, trade.Agreement.Producer, trade.Height, id), nil, nil),
		w.batch.Set(partyKey(keyspace, trade.Agreement.Consumer, trade.Height, id), nil, nil),
	)
}

// archive keeps a trade that leaves the state. One that began after the height that is on the disk was never in the state
// there, so it is put under its parties here.
func (w writer) archive(id types.TradeID, ended closing, written uint64) error {
	at := binary.BigEndian.AppendUint64(nil, ended.height)
	err := errors.Join(w.batch.Set(endedKey(id), at, nil), w.batch.Set(archivePlace(id, at), types.Encode(ended.Trade), nil))
	if err != nil || ended.Height <= written {
		return err
	}
	return w.indexParties(prefixParty, id, ended.Trade)
}

func (w writer) block(block *Block) error {
	encoded, err := encodeBlock(block)
	if err != nil {
		return err
	}
	return w.batch.Set(blockKey(block.Height), encoded, nil)
}
