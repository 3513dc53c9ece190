package outcomes

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
	"lockstep/types/canon"
)

const (
	// Width is the number of leaves of a bundle, and of hashes of a tile (C2SP tlog-tiles).
	Width = 1 << tileHeight

	tileHeight    = 8
	segmentHeight = 16
	segmentLeaves = 1 << segmentHeight
	stride        = 16 // the offset of each such leaf is kept
	levels        = 8  // of tiles; the lowest is not kept
	hashLength    = 32
)

// Mark is where a log stands. Marks are values: no method changes one.
type Mark struct {
	Size  uint64       // number of leaves
	Bytes uint64       // of the last segment, if it is not full
	Peaks []types.Hash // roots of the complete subtrees, the largest first
}

// Fields is the stored form, see [canon.Value].
func (m *Mark) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "size", &m.Size)
	canon.Number(c, "bytes", &m.Bytes)
	canon.List(c, "peaks", &m.Peaks, func(h *types.Hash, c *canon.Coder) { c.Bytes("peak", h[:]) })
}

// Valid tells a mark that can be one from a damaged one.
func (m *Mark) Valid() bool {
	return len(m.Peaks) == bits.OnesCount64(m.Size) && (m.Bytes == 0) == (m.Size%segmentLeaves == 0)
}

// Head returns the size and the root of the tree.
func (m *Mark) Head() types.LogHead {
	if m.Size == 0 {
		root, _ := tlog.TreeHash(0, nil) // which reads nothing
		return types.LogHead{Root: types.Hash(root)}
	}
	root := tlog.Hash(m.Peaks[len(m.Peaks)-1])
	for _, peak := range slices.Backward(m.Peaks[:len(m.Peaks)-1]) {
		root = tlog.NodeHash(tlog.Hash(peak), root)
	}
	return types.LogHead{Size: m.Size, Root: types.Hash(root)}
}

// segment returns the number of the segment that the next leaf goes to.
func (m *Mark) segment() uint64 { return m.Size >> segmentHeight }

// segmentStart returns the mark at the begin of that segment.
func (m *Mark) segmentStart() Mark {
	full := m.segment()
	return Mark{Size: full << segmentHeight, Peaks: m.Peaks[:bits.OnesCount64(full)]}
}

func (m *Mark) equal(other *Mark) bool {
	return m.Size == other.Size && m.Bytes == other.Bytes && slices.Equal(m.Peaks, other.Peaks)
}

// Batch has the bytes that consecutive leaves add to the files of a log.
type Batch struct {
	From, To Mark

	parts   []part         // of segments, in order
	offsets []byte         // where each group of leaves ends in its segment
	hashes  [levels][]byte // for each level of tiles but the lowest
}

// part is a piece of a segment.
type part struct {
	segment, at uint64
	content     []byte
}

// Extend adds leaves to the mark, in order. It writes nothing.
func (m Mark) Extend(leaves [][]byte) (*Batch, error) {
	b := &Batch{From: m, To: m}
	to := &b.To
	to.Peaks = append(make([]types.Hash, 0, len(m.Peaks)+8), m.Peaks...)
	rest := 0 // bytes of the leaves that are not added yet
	for _, leaf := range leaves {
		rest += 2 + len(leaf)
	}
	for _, leaf := range leaves {
		if len(leaf) > types.MaxOutcome {
			return nil, fmt.Errorf("leaf %d of the log of outcomes has %d bytes, at most %d are possible", to.Size, len(leaf), types.MaxOutcome)
		}
		if len(b.parts) == 0 || to.Size%segmentLeaves == 0 {
			b.parts = append(b.parts, part{segment: to.segment(), at: to.Bytes, content: make([]byte, 0, rest)})
		}
		last := &b.parts[len(b.parts)-1]
		last.content = append(binary.BigEndian.AppendUint16(last.content, uint16(len(leaf))), leaf...)
		to.Bytes, rest = to.Bytes+2+uint64(len(leaf)), rest-2-len(leaf)
		b.grow(types.Hash(tlog.RecordHash(leaf)))
	}
	return b, nil
}

// grow adds the hash of a leaf to the tree.
func (b *Batch) grow(hash types.Hash) {
	to := &b.To
	for level := 1; to.Size>>(level-1)&1 == 1; level++ {
		last := len(to.Peaks) - 1
		hash = types.Hash(tlog.NodeHash(tlog.Hash(to.Peaks[last]), tlog.Hash(hash)))
		to.Peaks = to.Peaks[:last]
		if level%tileHeight == 0 {
			b.hashes[level/tileHeight] = append(b.hashes[level/tileHeight], hash[:]...)
		}
	}
	to.Peaks = append(to.Peaks, hash)
	to.Size++
	if to.Size%stride == 0 {
		b.offsets = binary.BigEndian.AppendUint64(b.offsets, to.Bytes)
	}
	if to.Size%segmentLeaves == 0 {
		to.Bytes = 0
	}
}
