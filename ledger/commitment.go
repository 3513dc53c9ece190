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
	lanes [lanes]uint16
}

const lanes = 1024

// AccumulatorBytes is the size of an accumulator as stored.
const AccumulatorBytes = 2 * lanes

const (
	domainElement    = "lockstep/element/v1\x00"
	domainCommitment = "lockstep/commitment/v1\x00"
)

func element(key string, value []byte) (expanded [AccumulatorBytes]byte) {
	h := blake3.New(32, nil)
	h.Write([]byte(domainElement))
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(key))))
	h.Write([]byte(key))
	h.Write(value)
	if _, err := h.XOF().Read(expanded[:]); err != nil {
		panic("ledger: blake3 expands to any length: " + err.Error())
	}
	return expanded
}

// Add puts (key, value) into the set.
func (a *Accumulator) Add(key string, value []byte) {
	expanded := element(key, value)
	for i := range a.lanes {
		a.lanes[i] += binary.LittleEndian.Uint16(expanded[2*i:])
	}
}

// Remove takes (key, value) out of the set.
func (a *Accumulator) Remove(key string, value []byte) {
	expanded := element(key, value)
	for i := range a.lanes {
		a.lanes[i] -= binary.LittleEndian.Uint16(expanded[2*i:])
	}
}

// Apply follows the changes of a block.
func (a *Accumulator) Apply(changes []Change) {
	for _, change := range changes {
		if change.Old != nil {
			a.Remove(change.Key, change.Old)
		}
		if change.New != nil {
			a.Add(change.Key, change.New)
		}
	}
}

// Bytes is the accumulator as stored.
func (a *Accumulator) Bytes() []byte {
	out := make([]byte, 0, AccumulatorBytes)
	for _, lane := range a.lanes {
		out = binary.LittleEndian.AppendUint16(out, lane)
	}
	return out
}

// LoadAccumulator reads what [Accumulator.Bytes] wrote.
func LoadAccumulator(stored []byte) (Accumulator, error) {
	var a Accumulator
	if len(stored) != AccumulatorBytes {
		return a, types.Refuse(types.CodeMalformed, "an accumulator has %d bytes, not %d", AccumulatorBytes, len(stored))
	}
	for i := range a.lanes {
		a.lanes[i] = binary.LittleEndian.Uint16(stored[2*i:])
	}
	return a, nil
}

// Commitment is what a block commits to (the app hash): the set, the height and the parameters.
func (a *Accumulator) Commitment(height uint64, params *types.Params) types.Hash {
	h := sha256.New()
	h.Write([]byte(domainCommitment))
	h.Write(a.Bytes())
	h.Write(binary.BigEndian.AppendUint64(nil, height))
	paramsHash := params.Hash()
	h.Write(paramsHash[:])
	return types.Hash(h.Sum(nil))
}
