package ledger_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"lukechampine.com/blake3"
	"pgregory.net/rapid"

	"lockstep/internal/ledger"
)

// laneByLane is the definition of the accumulator, as slow as it reads.
func laneByLane(changes []ledger.Change) []byte {
	var lanes [ledger.AccumulatorBytes / 2]uint16
	count := func(key string, value []byte, sign uint16) {
		if value == nil {
			return
		}
		message := append([]byte("lockstep/element/v1\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(key)))...)
		h := blake3.New(len(lanes)*2, nil)
		h.Write(append(append(message, key...), value...))
		for i, expanded := 0, h.Sum(nil); i < len(lanes); i++ {
			lanes[i] += sign * binary.LittleEndian.Uint16(expanded[2*i:])
		}
	}
	for _, change := range changes {
		count(change.Key, change.Old, 0xffff)
		count(change.Key, change.New, 1)
	}
	var stored []byte
	for _, lane := range lanes {
		stored = binary.LittleEndian.AppendUint16(stored, lane)
	}
	return stored
}

// TestCommitmentIsLaneByLane, in one go or in parts.
func TestCommitmentIsLaneByLane(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOfN(rapid.Byte(), 1, 3000))
	change := rapid.Custom(func(rt *rapid.T) ledger.Change {
		return ledger.Change{Key: rapid.StringN(1, 40, 200).Draw(rt, "key"), Old: value.Draw(rt, "old"), New: value.Draw(rt, "new")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		changes := rapid.SliceOfN(change, 1, 6).Draw(rt, "changes")
		cut := rapid.IntRange(0, len(changes)).Draw(rt, "cut")
		var whole, part, rest ledger.Accumulator
		whole.Apply(changes)
		part.Apply(changes[:cut])
		rest.Apply(changes[cut:])
		part.Merge(&rest)
		if want := laneByLane(changes); !bytes.Equal(whole.Bytes(), want) || part != whole {
			rt.Fatal("the lanes differ")
		}
	})
}

func BenchmarkAccumulator(b *testing.B) {
	changes := make([]ledger.Change, 1000)
	for i := range changes {
		changes[i] = ledger.Change{Key: string(binary.BigEndian.AppendUint64(make([]byte, 29), uint64(i))), New: make([]byte, 120)}
	}
	var sum ledger.Accumulator
	b.ReportAllocs()
	for b.Loop() {
		sum.Apply(changes)
	}
}
