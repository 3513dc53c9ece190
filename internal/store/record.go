package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/types/canon"
)

// Executed is a block as the rules have executed it: what [Store.Stage] takes.
type Executed struct {
	Diff ledger.Diff
	Txs  []TxResult
}

// Block is what is kept of a block. Its stored form is in block.go.
type Block struct {
	Height     uint64
	BlockTime  types.Time
	Clock      types.Time
	Commitment types.Hash
	Txs        []TxResult
	Events     []types.Event
}

// TxResult is what became of a transaction in a block. Detail is for people and not part of consensus.
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

// Receipt is where a transaction stands and what became of it. A transaction that was refused in one block and accepted
// in a later one has the receipt of the latter.
type Receipt struct {
	Height uint64
	Index  uint32
	Code   types.Code
	Detail string
}

// Fields is the stored form, see [canon.Value].
func (r *Receipt) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "height", &r.Height)
	canon.Number(c, "index", &r.Index)
	canon.Number(c, "code", &r.Code)
	canon.Text(c, "detail", &r.Detail)
}

// receipt is that of the transaction at a place in the block.
func (b *Block) receipt(index int) *Receipt {
	tx := &b.Txs[index]
	return &Receipt{Height: b.Height, Index: uint32(index), Code: tx.Code, Detail: tx.Detail}
}

// headRecord is where the store stands, as written.
type headRecord struct {
	Height      uint64
	Accumulator []byte
}

// Fields is the stored form, see [canon.Value].
func (h *headRecord) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "height", &h.Height)
	canon.Blob(c, "accumulator", &h.Accumulator)
}

// head is where the store stands. The zero head is that of a ledger without blocks.
type head struct {
	height      uint64
	accumulator ledger.Accumulator
}

func (h *head) encode() []byte {
	return types.Encode(&headRecord{Height: h.height, Accumulator: h.accumulator.Bytes()})
}

func readHead(reader pebble.Reader) (h head, err error) {
	encoded, err := get(reader, headKey())
	if encoded == nil || err != nil {
		return h, err
	}
	var stored headRecord
	if err := types.Decode(encoded, &stored); err != nil {
		return h, err
	}
	h.height = stored.Height
	h.accumulator, err = ledger.LoadAccumulator(stored.Accumulator)
	return h, err
}

// Block returns the record of a block, or nil when there is none of that height yet. It is not to be changed.
func (s *Store) Block(height uint64) (*Block, error) {
	for _, stretch := range s.stretches() {
		if block := stretch.block(height); block != nil {
			return block, nil
		}
	}
	return readBlock(s.db, height)
}

// Receipt returns what became of a transaction, or nil when no block holds it yet.
func (s *Store) Receipt(id types.TxID) (*Receipt, error) {
	stretches := s.stretches()
	for _, stretch := range stretches {
		if receipt := stretch.receipt(id); receipt != nil {
			return receipt, nil
		}
	}
	return readReceipt(s.db, stretches[0].epochs, id)
}

// stretches are what is not on the disk, newest first; there is always one.
func (s *Store) stretches() []*stretch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.unwritten()
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

func readReceipt(reader pebble.Reader, epochs epochs, id types.TxID) (*Receipt, error) {
	encoded, err := epochs.find(reader, func(epoch uint16) []byte { return txKey(epoch, id) })
	if encoded == nil && err == nil {
		encoded, err = get(reader, refusedKey(id))
	}
	return asReceipt(id, encoded, err)
}

// asReceipt decodes what was read, if anything.
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
