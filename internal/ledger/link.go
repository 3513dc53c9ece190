package ledger

import (
	"crypto/sha256"
	"encoding/binary"

	"lukechampine.com/blake3"

	"lockstep/types"
)

// Checkpoints are the blocks whose whole state is summed: those at a multiple of Every. The sum enters the commitment Delay blocks later, so
// that it can be computed in the background. Delay is less than Every.
type Checkpoints struct{ Every, Delay uint64 }

// StandardCheckpoints are those of every ledger.
func StandardCheckpoints() Checkpoints { return Checkpoints{Every: 128, Delay: 32} }

// At reports whether the block at a height is a checkpoint.
func (c Checkpoints) At(height uint64) bool { return height > 0 && height%c.Every == 0 }

// Entering returns the checkpoint whose sum enters the commitment of the block at a height, 0 when there is none.
func (c Checkpoints) Entering(height uint64) uint64 {
	if height > c.Delay && c.At(height-c.Delay) {
		return height - c.Delay
	}
	return 0
}

const (
	domainChanges = "lockstep/changes/v2\x00"
	domainState   = "lockstep/state/v1\x00"
	domainBegin   = "lockstep/begin/v1\x00"
)

// Link is a block's part of the commitment to the state: its hash, the state hash of the block, follows from the app hash before and from the
// changes of the block.
type Link struct {
	Height     uint64
	Before     types.Hash // the app hash of the block before
	Changes    types.Hash // of the block, see [HashChanges]
	Checkpoint types.Hash // of the checkpoint that enters, see [Accumulator.StateHash]; else zero
}

// Hash is the state hash of the block. See [types.AppHash].
func (l *Link) Hash() types.Hash {
	h := sha256.New()
	h.Write([]byte(domainState))
	h.Write(binary.BigEndian.AppendUint64(nil, l.Height))
	h.Write(l.Before[:])
	h.Write(l.Changes[:])
	h.Write(l.Checkpoint[:])
	return types.Hash(h.Sum(nil))
}

// BeginHash is the state hash of a ledger before its first block.
func BeginHash(params *types.Params) types.Hash {
	h := sha256.New()
	h.Write([]byte(domainBegin))
	of := params.Hash()
	h.Write(of[:])
	return types.Hash(h.Sum(nil))
}

// hashedAtOnce is how many bytes are gathered for the hash.
const hashedAtOnce = 32 << 10

// HashChanges is the BLAKE3 hash of the changes of a block in their order: of each key with its old and its new value. Blocks have megabytes of
// them, which BLAKE3 hashes several chunks at a time.
func HashChanges(changes []Change) types.Hash {
	h := blake3.New(len(types.Hash{}), nil)
	gathered := append(make([]byte, 0, hashedAtOnce+4<<10), domainChanges...)
	for i := range changes {
		change := &changes[i]
		gathered = binary.BigEndian.AppendUint32(gathered, uint32(len(change.Key)))
		gathered = append(gathered, change.Key...)
		gathered = appendValue(gathered, change.Old)
		gathered = appendValue(gathered, change.New)
		if len(gathered) >= hashedAtOnce {
			h.Write(gathered)
			gathered = gathered[:0]
		}
	}
	h.Write(gathered)
	return types.Hash(h.Sum(nil))
}

// appendValue adds a value behind its length, which is one more than that of an absent one.
func appendValue(to, value []byte) []byte {
	if value == nil {
		return binary.BigEndian.AppendUint32(to, 0)
	}
	return append(binary.BigEndian.AppendUint32(to, uint32(len(value))+1), value...)
}
