package types

import "lockstep/types/canon"

// The tags of locks and fallback terms. A tag names one variant permanently: numbers are never reused.
const (
	tagKeyLock = 0x4c01
	// 0x4c02 was a lock to a trade, which every rule refused in a transaction. It is not used again.

	tagHold    = 0x4c11
	tagMeter   = 0x4c12
	tagArbiter = 0x4c13
)

// Encode writes a domain type in its only canonical form. It writes a missing variant of a sum, such as nil fallback terms, as null,
// which [Decode] refuses.
func Encode(v canon.Value) []byte { return canon.Encode(v) }

// Decode reads into v an encoding that [Encode] has written and refuses all other bytes with [CodeMalformed]. Accepted bytes
// encode to themselves again.
func Decode(encoded []byte, v canon.Value) error {
	if err := canon.Decode(encoded, v); err != nil {
		return Refuse(CodeMalformed, "can't decode: %v", err)
	}
	return nil
}
