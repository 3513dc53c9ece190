package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/fxamacker/cbor/v2"

	"lockstep/ledger"
	"lockstep/types"
)

// Executed is a block as the rules have executed it: what [Store.Stage] takes.
type Executed struct {
	Diff   ledger.Diff
	Txs    []TxResult
	Events []types.Event
}

// Block is what is kept of a block.
type Block struct {
	_          struct{} `cbor:",toarray"`
	Height     uint64
	BlockTime  types.Time
	Clock      types.Time
	Commitment types.Hash
	Txs        []TxResult
	Events     []types.Event
}

// TxResult is what became of a transaction in a block. Detail is for people and not part of consensus.
type TxResult struct {
	_      struct{} `cbor:",toarray"`
	ID     types.TxID
	Code   types.Code
	Detail string
}

// Receipt is where a transaction stands and what became of it. A transaction that was refused in one block and accepted
// in a later one has the receipt of the latter.
type Receipt struct {
	_      struct{} `cbor:",toarray"`
	Height uint64
	Index  uint32
	Code   types.Code
	Detail string
}

// headRecord is where the store stands, as written.
type headRecord struct {
	_           struct{} `cbor:",toarray"`
	Height      uint64
	Accumulator []byte
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

// maxBlockItems bounds the transactions and the events of one block as decoded: far above what a block can hold.
const maxBlockItems = 1 << 24

// blockCodec is the canonical encoding with room for blocks, which hold more than a decoder of transactions admits.
type blockCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newBlockCodec() (blockCodec, error) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty
	enc, err := options.EncMode()
	if err != nil {
		return blockCodec{}, fmt.Errorf("block encoding: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxArrayElements:  maxBlockItems,
	}.DecMode()
	if err != nil {
		return blockCodec{}, fmt.Errorf("block encoding: %w", err)
	}
	return blockCodec{enc, dec}, nil
}

func (c blockCodec) encode(block *Block) ([]byte, error) { return c.enc.Marshal(block) }

func (c blockCodec) decode(encoded []byte) (*Block, error) {
	block := new(Block)
	if err := c.dec.Unmarshal(encoded, block); err != nil {
		return nil, fmt.Errorf("the record of a block is damaged: %w", err)
	}
	return block, nil
}
