package chain

import (
	"bytes"
	"errors"
	"fmt"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/klauspost/compress/zstd"
)

// partPrefix begins the keys of the parts of blocks, as package store of the engine has them. The parts are nearly all bytes of the engine's blocks.
const partPrefix = "P:"

// frameMagic begins each frame of zstd. No stored part begins so: its first field has the tag 0x08 or 0x12.
const frameMagic = "\x28\xb5\x2f\xfd"

const (
	partWindow = 64 << 10 // the engine cuts a block into parts of so many bytes
	mostPart   = 1 << 20  // bytes of a part once it is unpacked
)

// errPart is damage that the database itself does not see.
var errPart = errors.New("a part of a block can't be unpacked")

// blockParts compresses the parts of blocks in the engine's database: the transactions of a part repeat keys and IDs of each other. A part that was stored
// without compression is read as it is. Iterators give the values as they are stored, so a backup copies them in that form.
type blockParts struct {
	dbm.DB
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

func newBlockParts(db dbm.DB) (*blockParts, error) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(partWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostPart))
	if err != nil {
		return nil, err
	}
	return &blockParts{db, pack, unpack}, nil
}

// stored returns the form in which a value is stored.
func (p *blockParts) stored(key, value []byte) []byte {
	if !bytes.HasPrefix(key, []byte(partPrefix)) {
		return value
	}
	if packed := p.pack.EncodeAll(value, make([]byte, 0, len(value))); len(packed) < len(value) {
		return packed
	}
	return value
}

// value returns a value from its stored form.
func (p *blockParts) value(key, stored []byte) ([]byte, error) {
	if !bytes.HasPrefix(key, []byte(partPrefix)) || !bytes.HasPrefix(stored, []byte(frameMagic)) {
		return stored, nil
	}
	value, err := p.unpack.DecodeAll(stored, nil)
	if err != nil {
		return nil, fmt.Errorf("%w, %s: %w", errPart, key, err)
	}
	return value, nil
}

// check reports a value that can't be read, in its stored form. The engine ends the program on one.
func (p *blockParts) check(key, stored []byte) error {
	_, err := p.value(key, stored)
	return err
}

// Get reads a value.
func (p *blockParts) Get(key []byte) ([]byte, error) {
	stored, err := p.DB.Get(key)
	if err != nil {
		return nil, err
	}
	return p.value(key, stored)
}

// Set, SetSync and the batch write values.
func (p *blockParts) Set(key, value []byte) error { return p.DB.Set(key, p.stored(key, value)) }

// SetSync is described at [blockParts.Set].
func (p *blockParts) SetSync(key, value []byte) error { return p.DB.SetSync(key, p.stored(key, value)) }

// NewBatch is described at [blockParts.Set].
func (p *blockParts) NewBatch() dbm.Batch { return partsBatch{p.DB.NewBatch(), p} }

type partsBatch struct {
	dbm.Batch
	of *blockParts
}

func (b partsBatch) Set(key, value []byte) error { return b.Batch.Set(key, b.of.stored(key, value)) }
