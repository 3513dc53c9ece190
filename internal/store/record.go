package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
	"lockstep/types/canon"
)

// Executed is a block executed by the rules, the input of [Store.Stage].
type Executed struct {
	Diff ledger.Diff
	Txs  []TxResult
}

// Block is the record of a block. Its stored form is in block.go.
type Block struct {
	Height     uint64
	BlockTime  types.Time
	Clock      types.Time
	Commitment types.Hash    // the app hash, of the two below
	State      types.Hash    // the commitment to the state
	Log        types.LogHead // of the log of outcomes
	Txs        []TxResult
	Events     []types.Event
}

// TxResult is the result of a transaction in a block. Detail is for people and not part of consensus.
type TxResult struct {
	ID     types.TxID
	Code   types.Code
	Detail string
}

// Fields is the stored form, see [canon.Value].
func (r *TxResult) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("transaction", r.ID[:])
	canon.Number(c, "code", &r.Code)
	canon.Text(c, "detail", &r.Detail)
}

// Receipt is the place and the result of a transaction. A transaction that was refused in one block and accepted in a later one has the
// receipt of the latter.
type Receipt struct {
	Height uint64
	Index  uint32
	Code   types.Code
	Detail string
	Leaf   uint64 // of an accepted one: its first in the log of outcomes
}

// Fields is the stored form, see [canon.Value].
func (r *Receipt) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Number(c, "height", &r.Height)
	canon.Number(c, "index", &r.Index)
	canon.Number(c, "code", &r.Code)
	canon.Text(c, "detail", &r.Detail)
	canon.Number(c, "leaf", &r.Leaf)
}

// receipt returns the receipt of the transaction at an index.
func (b *Block) receipt(index int) *Receipt {
	tx := &b.Txs[index]
	return &Receipt{Height: b.Height, Index: uint32(index), Code: tx.Code, Detail: tx.Detail}
}

// positionRecord is the stored form of [position].
type positionRecord struct {
	Height      uint64
	Accumulator []byte
	Log         outcomes.Mark
}

// Fields is the stored form, see [canon.Value].
func (h *positionRecord) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "height", &h.Height)
	canon.Blob(c, "accumulator", &h.Accumulator)
	canon.Part(c, "log", &h.Log, (*outcomes.Mark).Fields)
}

// head is where the store stands. The zero position is that of a ledger without blocks.
type position struct {
	height      uint64
	accumulator ledger.Accumulator
	log         outcomes.Mark
}

// commitment returns the app hash, and its parts.
func (h *position) commitment(params *types.Params) (app, state types.Hash, log types.LogHead) {
	state, log = h.accumulator.StateHash(h.height, params), h.log.Head()
	return types.AppHash(state, log), state, log
}

func (h *position) encode() []byte {
	return types.Encode(&positionRecord{Height: h.height, Accumulator: h.accumulator.Bytes(), Log: h.log})
}

func readPosition(reader pebble.Reader) (h position, err error) {
	encoded, err := get(reader, positionKey())
	if encoded == nil || err != nil {
		return h, err
	}
	var stored positionRecord
	if err := types.Decode(encoded, &stored); err != nil {
		return h, err
	}
	if !stored.Log.Valid() {
		return h, errors.New("the end of its log of outcomes contradicts itself")
	}
	h.height, h.log = stored.Height, stored.Log
	h.accumulator, err = ledger.LoadAccumulator(stored.Accumulator)
	return h, err
}

// Block returns the record of the block at a height, or nil. Don't change it.
func (s *Store) Block(height uint64) (*Block, error) {
	memtables, leave, err := s.lookUp()
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, memtable := range memtables {
		if block := memtable.block(height); block != nil {
			return block, nil
		}
	}
	return readBlock(s.db, height)
}

// Receipt returns the receipt of a transaction, or nil when no block holds it.
func (s *Store) Receipt(id types.TxID) (*Receipt, error) {
	memtables, leave, err := s.lookUp()
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, memtable := range memtables {
		if receipt := memtable.receipt(id); receipt != nil {
			return receipt, nil
		}
	}
	return readReceipt(s.db, memtables[0].partitions, id)
}

// lookUp admits a look-up like [Store.enter]. It returns the memtables that are not on the disk, newest first; there is always one.
func (s *Store) lookUp() (memtables []*memtable, leave func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	leave, err = s.enter()
	return s.unwritten(), leave, err
}

func readBlock(reader pebble.Reader, height uint64) (*Block, error) {
	encoded, err := get(reader, blockKey(height))
	if err != nil {
		return nil, fmt.Errorf("read block %d: %w", height, err)
	}
	if encoded == nil {
		return nil, nil
	}
	return decodeBlock(encoded)
}

func readReceipt(reader pebble.Reader, partitions partitions, id types.TxID) (*Receipt, error) {
	encoded, err := partitions.find(reader, func(partition uint16) []byte { return txKey(partition, id) })
	if encoded == nil && err == nil {
		encoded, err = get(reader, refusedKey(id))
	}
	return asReceipt(id, encoded, err)
}

// asReceipt decodes a receipt, if there is one.
func asReceipt(id types.TxID, encoded []byte, err error) (*Receipt, error) {
	if err != nil {
		return nil, fmt.Errorf("read the receipt of %s: %w", id, err)
	}
	if encoded == nil {
		return nil, nil
	}
	found := new(Receipt)
	return found, types.Decode(encoded, found)
}
