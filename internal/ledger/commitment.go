package ledger

import (
	"crypto/sha256"
	"encoding/binary"

	"lockstep/types"
	"lukechampine.com/blake3"
)

// Accumulator is the LtHash16 of a set of (key, value): the sum, lane by lane and modulo 2^16, of an expanded hash of each.
// Adding and removing cost the same however large the set is, and the order doesn't matter, so a state that was
// reached by any path, or restored from a snapshot, has the one sum.
//
// Source: Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (1997); Lewi et al., "Securing Update
// Propagation with Homomorphic Hashing" (2019), whose parameters (1,024 lanes of 16 bits, more than 200 bits of
// security) these are. Every key stands in the set at most once.
type Accumulator struct {
	words [lanes / 4]uint64 // four lanes each, the first one lowest
}

const lanes = 1024

// AccumulatorBytes is the size of an accumulator as stored.
const AccumulatorBytes = 2 * lanes

const (
	domainElement    = "lockstep/element/v1\x00"
	domainCommitment = "lockstep/commitment/v1\x00"
)

// topBits are the highest bits of the four lanes of a word. With them out of the way no lane carries into the next, so one
// addition does four lanes.
const topBits = 0x8000_8000_8000_8000

func addLanes(a, b uint64) uint64 { return ((a &^ topBits) + (b &^ topBits)) ^ ((a ^ b) & topBits) }
func subLanes(a, b uint64) uint64 { return ((a | topBits) - (b &^ topBits)) ^ ((a ^ ^b) & topBits) }

// expander hashes elements one after the other in the same memory.
type expander struct {
	hasher   *blake3.Hasher
	head     []byte // what is hashed before a value
	expanded [AccumulatorBytes]byte
}

func newExpander() *expander { return &expander{hasher: blake3.New(32, nil)} }

// expandStep is the most that the library expands without starting goroutines.
const expandStep = 1024

func (e *expander) element(key string, value []byte) *[AccumulatorBytes]byte {
	e.hasher.Reset()
	e.head = binary.BigEndian.AppendUint32(append(e.head[:0], domainElement...), uint32(len(key)))
	e.head = append(e.head, key...)
	e.hasher.Write(e.head)
	e.hasher.Write(value)
	output := e.hasher.XOF()
	for at := 0; at < AccumulatorBytes; at += expandStep {
		if _, err := output.Read(e.expanded[at : at+expandStep]); err != nil {
			panic("ledger: blake3 expands to any length: " + err.Error())
		}
	}
	return &e.expanded
}

// Add puts (key, value) into the set.
func (a *Accumulator) Add(key string, value []byte) { a.add(newExpander().element(key, value)) }

// Remove takes (key, value) out of the set.
func (a *Accumulator) Remove(key string, value []byte) { a.remove(newExpander().element(key, value)) }

func (a *Accumulator) add(element *[AccumulatorBytes]byte) {
	for i := range a.words {
		a.words[i] = addLanes(a.words[i], binary.LittleEndian.Uint64(element[8*i:]))
	}
}

func (a *Accumulator) remove(element *[AccumulatorBytes]byte) {
	for i := range a.words {
		a.words[i] = subLanes(a.words[i], binary.LittleEndian.Uint64(element[8*i:]))
	}
}

// Apply follows the changes of a block. Parts of them can be applied to empty accumulators, at the same time, and put together
// by [Accumulator.Merge].
func (a *Accumulator) Apply(changes []Change) {
	e := newExpander()
	for _, change := range changes {
		if change.Old != nil {
			a.remove(e.element(change.Key, change.Old))
		}
		if change.New != nil {
			a.add(e.element(change.Key, change.New))
		}
	}
}

// Merge adds the sum of another accumulator.
func (a *Accumulator) Merge(other *Accumulator) {
	for i := range a.words {
		a.words[i] = addLanes(a.words[i], other.words[i])
	}
}

// Bytes is the accumulator as stored.
func (a *Accumulator) Bytes() []byte {
	out := make([]byte, 0, AccumulatorBytes)
	for _, word := range a.words {
		out = binary.LittleEndian.AppendUint64(out, word)
	}
	return out
}

// LoadAccumulator reads the bytes of [Accumulator.Bytes].
func LoadAccumulator(stored []byte) (Accumulator, error) {
	var a Accumulator
	if len(stored) != AccumulatorBytes {
		return a, types.Refuse(types.CodeMalformed, "an accumulator has %d bytes, not %d", AccumulatorBytes, len(stored))
	}
	for i := range a.words {
		a.words[i] = binary.LittleEndian.Uint64(stored[8*i:])
	}
	return a, nil
}

// StateHash is the commitment to the whole state at a checkpoint: a hash of the set, the height and the parameters. It enters a [Link].
func (a *Accumulator) StateHash(height uint64, params *types.Params) types.Hash {
	h := sha256.New()
	h.Write([]byte(domainCommitment))
	h.Write(a.Bytes())
	h.Write(binary.BigEndian.AppendUint64(nil, height))
	paramsHash := params.Hash()
	h.Write(paramsHash[:])
	return types.Hash(h.Sum(nil))
}
