//go:build !race

// The race detector drops items of a pool at random, to find code that relies on them.

package types_test

import (
	"testing"

	"lockstep/types"
)

// Not parallel, as it counts allocations: a transaction takes one for itself, one for each list, text and variant
// in it, and one for each of the two decoders. An encoding takes one for its bytes.
func TestAllocations(t *testing.T) {
	tx := typicalTx()
	raw := tx.Bytes()
	if got := testing.AllocsPerRun(100, func() { _, _ = types.DecodeTx(raw) }); got > 12 {
		t.Errorf("a transaction takes %.0f allocations to decode", got)
	}
	if got := testing.AllocsPerRun(100, func() { types.Encode(&tx.Body) }); got > 2 {
		t.Errorf("a body takes %.0f allocations to encode", got)
	}
}
