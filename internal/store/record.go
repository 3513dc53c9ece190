package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

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
	Commitment types.Hash // the app hash, of the two below
	State      types.Hash // the commitment to the state, the hash of a [ledger.Link] with the two below
	Changes    types.Hash
	Checkpoint types.Hash
	Log        types.LogHead // of the log of outcomes
	First      uint64        // number of leaves before those of the block
	Txs        []TxResult
	Events     []types.Event

	outcomes []types.Outcome // nil when the block was read from the disk
}

// Cleared returns the products whose auctions are done with the block: all their matches are trades.
func (b *Block) Cleared() (products []types.ProductID) {
	for i := range b.Events {
		if b.Events[i].Kind == types.EventCleared {
			products = append(products, b.Events[i].Product)
		}
	}
	return products
}

// Stored reports whether the block was read from the disk: its outcomes are in the log then.
func (b *Block) Stored() bool { return b.outcomes == nil }

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

// position is where a block leaves the ledger.
type position struct {
	height uint64
	state  types.Hash // the commitment to the state
	log    outcomes.Mark
}

// begin is the position of a ledger without blocks.
func begin(params *types.Params) position {
	return position{height: params.Base(), state: ledger.BeginHash(params)}
}

// commitment returns the app hash.
func (p *position) commitment() types.Hash { return types.AppHash(p.state, p.log.Head()) }

// sums are computed when a memtable is flushed.
type sums struct {
	state      ledger.Accumulator // of the flushed state
	checkpoint checkpoint         // the last one
}

// checkpoint is a block whose whole state is summed, see [ledger.Checkpoints]. Its height is zero before the first one.
type checkpoint struct {
	height uint64
	hash   types.Hash // see [ledger.Accumulator.StateHash]
}

// flushed is the stored form of the last flushed position, with its sums.
type flushed struct {
	position
	sums
}

// flushedRecord is the canonical form of [flushed].
type flushedRecord struct {
	flushed
	accumulator []byte
}

// Fields is the stored form, see [canon.Value].
func (r *flushedRecord) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Number(c, "height", &r.height)
	c.Bytes("commitment to the state", r.position.state[:])
	canon.Part(c, "log", &r.log, (*outcomes.Mark).Fields)
	canon.Blob(c, "accumulator", &r.accumulator)
	canon.Number(c, "height of the checkpoint", &r.checkpoint.height)
	c.Bytes("checkpoint", r.checkpoint.hash[:])
}

func (f *flushed) encode() []byte {
	return types.Encode(&flushedRecord{*f, f.sums.state.Bytes()})
}

func readFlushed(reader pebble.Reader, params *types.Params) (flushed, error) {
	encoded, err := get(reader, positionKey())
	if encoded == nil || err != nil {
		return flushed{position: begin(params)}, err
	}
	var stored flushedRecord
	if err := types.Decode(encoded, &stored); err != nil {
		return stored.flushed, err
	}
	if !stored.log.Valid() {
		return stored.flushed, errors.New("the end of its log of outcomes contradicts itself")
	}
	stored.sums.state, err = ledger.LoadAccumulator(stored.accumulator)
	return stored.flushed, err
}

// Block returns the record of the block at a height, nil before it, and a refusal when it is pruned. Don't change it.
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
	db := s.db.NewSnapshot() // the record, its IDs and the begin of the history are entries of their own, and pruning may come in between
	block, err := readKept(db, height, &s.params)
	return block, errors.Join(err, db.Close())
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

// readKept reads the record of a block, and refuses when the same entries say that it is pruned.
func readKept(reader pebble.Reader, height uint64, params *types.Params) (*Block, error) {
	block, err := readBlock(reader, height)
	if block != nil || err != nil {
		return block, err
	}
	history, err := readHistory(reader, params)
	if err != nil {
		return nil, fmt.Errorf("read the begin of the history: %w", err)
	}
	if height <= history.base && history.base > 0 {
		return nil, pruned(height, history.base, params)
	}
	return nil, nil
}

func readBlock(reader pebble.Reader, height uint64) (*Block, error) {
	encoded, err := get(reader, blockKey(height))
	if err != nil {
		return nil, fmt.Errorf("read block %d: %w", height, err)
	}
	if encoded == nil {
		return nil, nil
	}
	return decodeBlock(encoded, func(use idsUser) error { return withIDs(reader, height, use) })
}

// idsUser uses shared IDs, which may change once it returns.
type idsUser func(ids []byte) error

// withIDs calls use with the shared IDs of the block at a height; none when its flush has none. They may be megabytes, and are of a thousand blocks, each of which is read with them: so
// they are used where the database has them.
func withIDs(reader pebble.Reader, height uint64, use idsUser) error {
	found, failure := false, error(nil)
	err := scan(reader, idsKey(height), []byte{prefixIDs + 1}, func(_, value []byte) bool {
		if first, ids := splitIDs(value); first <= height {
			found, failure = true, use(ids)
		}
		return false
	})
	if err != nil {
		return errors.Join(failure, fmt.Errorf("read the IDs of block %d: %w", height, err))
	}
	if !found {
		return use(nil)
	}
	return failure
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

// splitIDs returns the first block of an entry of shared IDs, and the IDs; a damaged entry is of no block.
func splitIDs(value []byte) (first uint64, ids []byte) {
	if len(value) < 8 || len(value)%idLength != 8 {
		return math.MaxUint64, nil
	}
	return binary.BigEndian.Uint64(value), value[8:]
}
