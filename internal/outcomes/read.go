package outcomes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// Leaf returns a leaf by its index.
func (l *Log) Leaf(index uint64) ([]byte, error) {
	leaves, err := l.leaves(index, index+1)
	if err != nil {
		return nil, err
	}
	return leaves[0], nil
}

// Outcome returns a leaf by its index, decoded.
func (l *Log) Outcome(index uint64) (*types.Outcome, error) {
	leaf, err := l.Leaf(index)
	if err != nil {
		return nil, err
	}
	outcome := new(types.Outcome)
	if err := types.Decode(leaf, outcome); err != nil {
		return nil, fmt.Errorf("leaf %d of the log of outcomes: %w", index, err)
	}
	return outcome, nil
}

// Walk calls visit for the leaves in [from, to) in order, up to its first error.
func (l *Log) Walk(from, to uint64, visit func(index uint64, leaf []byte) error) error {
	for from < to {
		next := min(to, (from/Width+1)*Width)
		leaves, err := l.leaves(from, next)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if err := visit(from+uint64(i), leaf); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

// leaves reads the leaves in [from, to), which lie within one bundle.
func (l *Log) leaves(from, to uint64) ([][]byte, error) {
	content, first, err := l.content(from, to)
	if err != nil {
		return nil, err
	}
	leaves, _, err := split(content, from-first, to-first)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", segmentFile(from>>segmentHeight), err)
	}
	return leaves, nil
}

// content reads the part of a segment from the group of one leaf on up to the end of the group of the last one, or the log's end. Both lie within
// one bundle. first is the leaf with which it begins.
func (l *Log) content(from, to uint64) (content []byte, first uint64, err error) {
	start, end := l.bounds()
	if from >= to || to > end.Size {
		return nil, 0, fmt.Errorf("leaves %d to %d are asked of a log of %d", from, to, end.Size)
	}
	if from < start.First {
		return nil, 0, start.pruned(from)
	}
	segment := from >> segmentHeight
	group, last := from/stride, (to-1)/stride
	first = group * stride
	begin, finish := uint64(0), end.Bytes
	switch {
	case start.Joined.Size > 0 && first <= start.Joined.Size: // where the group before ends is not known
		first, begin = start.Joined.Size, start.Joined.Bytes
	case group%(segmentLeaves/stride) > 0:
		if begin, err = l.offset(group - 1); err != nil {
			return nil, 0, err
		}
	}
	if last < end.Size/stride {
		if finish, err = l.offset(last); err != nil {
			return nil, 0, err
		}
	}
	if finish < begin || finish-begin > Width*(2+types.MaxOutcome) {
		return nil, 0, damaged(offsetsFile(segment), "it says that leaves %d to %d stand from byte %d to %d", from, to, begin, finish)
	}
	content = make([]byte, finish-begin)
	return content, first, l.readSegment(segment, begin, content)
}

// offset returns where a group of leaves ends in its segment.
func (l *Log) offset(group uint64) (uint64, error) {
	const perSegment = segmentLeaves / stride
	var number [8]byte
	err := l.read(offsetsFile(group/perSegment), 8*(group%perSegment), number[:])
	return binary.BigEndian.Uint64(number[:]), err
}

func (l *Log) read(name string, at uint64, into []byte) (err error) {
	file, err := l.files.Open(name)
	if err != nil {
		return fmt.Errorf("read the log of outcomes: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if n, err := file.ReadAt(into, int64(at)); n < len(into) {
		if errors.Is(err, io.EOF) {
			return damaged(name, "it ends at byte %d, and %d are needed", at+uint64(n), at+uint64(len(into)))
		}
		return fmt.Errorf("read the log of outcomes: %w", err)
	}
	return nil
}

// split returns the leaves in [from, to) of content that begins with leaf 0, and how many bytes those up to the last one take.
func split(content []byte, from, to uint64) (leaves [][]byte, length int, err error) {
	rest := content
	for i := range to {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, 0, fmt.Errorf("%w: leaf %d of %d is cut off", ErrDamaged, i, to)
		}
		next := 2 + int(binary.BigEndian.Uint16(rest))
		if i >= from {
			leaves = append(leaves, rest[2:next])
		}
		rest = rest[next:]
	}
	return leaves, len(content) - len(rest), nil
}

// Bundle returns the leaves of a bundle as C2SP tlog-tiles encodes them, up to a width.
func (l *Log) Bundle(number, width uint64) ([]byte, error) {
	content, _, err := l.content(number*Width, number*Width+width)
	if err != nil {
		return nil, err
	}
	_, length, err := split(content, width, width)
	return content[:length], err
}

// Tile returns the hashes of a tile of a level (C2SP tlog-tiles), up to a width.
func (l *Log) Tile(level int, number, width uint64) ([]byte, error) {
	hashes, err := l.hashes(level, number*Width, width)
	data := make([]byte, 0, hashLength*len(hashes))
	for _, hash := range hashes {
		data = append(data, hash[:]...)
	}
	return data, err
}

// hashes returns consecutive hashes of a level of tiles, within one tile.
func (l *Log) hashes(level int, from, count uint64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, count)
	if level == 0 {
		leaves, err := l.leaves(from, from+count)
		for i, leaf := range leaves {
			hashes[i] = tlog.RecordHash(leaf)
		}
		return hashes, err
	}
	if size := l.end().Size >> (level * tileHeight); level >= levels || from+count > size {
		return nil, fmt.Errorf("hashes %d to %d of level %d are asked of a log of %d leaves", from, from+count, level, l.end().Size)
	}
	if start, _ := l.bounds(); (from+1)<<(level*tileHeight) <= start.Joined.Size {
		return nil, types.Refuse(types.CodePruned, "this node joined by a snapshot behind outcome %d and does not have the hashes before it, which files of the log need: "+
			"ask a node that keeps all (\"keep\": \"all\")", start.Joined.Size)
	}
	data := make([]byte, hashLength*count)
	err := l.read(hashesFile(level), hashLength*from, data)
	for i := range hashes {
		hashes[i] = tlog.Hash(data[hashLength*i:])
	}
	return hashes, err
}

// ReadHashes implements [tlog.HashReader].
func (l *Log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		height, n := tlog.SplitStoredHashIndex(index)
		hash, err := l.node(height, uint64(n))
		if err != nil {
			return nil, err
		}
		found[i] = hash
	}
	return found, nil
}

// node returns the root of a complete subtree: the one of a height, by its number.
func (l *Log) node(height int, n uint64) (tlog.Hash, error) {
	start, _ := l.bounds()
	switch {
	case (n+1)<<height <= start.Joined.Size:
		return start.peak(height, n)
	case n<<height < start.Joined.Size && height%tileHeight > 0: // a part of it is known by its root only
		return l.join(height, n)
	}
	above := height % tileHeight
	hashes, err := l.hashes(height/tileHeight, n<<above, 1<<above)
	if err != nil {
		return tlog.Hash{}, err
	}
	for len(hashes) > 1 {
		for j := range len(hashes) / 2 {
			hashes[j] = tlog.NodeHash(hashes[2*j], hashes[2*j+1])
		}
		hashes = hashes[:len(hashes)/2]
	}
	return hashes[0], nil
}

// join computes the root of a subtree from those of its halves.
func (l *Log) join(height int, n uint64) (tlog.Hash, error) {
	left, err := l.node(height-1, 2*n)
	if err != nil {
		return left, err
	}
	right, err := l.node(height-1, 2*n+1)
	return tlog.NodeHash(left, right), err
}

// Root returns the root of the tree of the first leaves.
func (l *Log) Root(size uint64) (types.Hash, error) {
	if end := l.end().Size; size > end {
		return types.Hash{}, fmt.Errorf("the root of %d leaves is asked of a log of %d", size, end)
	}
	root, err := tlog.TreeHash(int64(size), l)
	return types.Hash(root), err
}

// Prove returns the hashes that prove a leaf to the root of the tree of the first leaves, from the bottom up (RFC 6962, 2.1.1).
func (l *Log) Prove(index, size uint64) ([]types.Hash, error) {
	if end := l.end().Size; index >= size || size > end {
		return nil, fmt.Errorf("leaf %d of %d is asked of a log of %d", index, size, end)
	}
	proof, err := tlog.ProveRecord(int64(size), int64(index), l)
	path := make([]types.Hash, len(proof))
	for i := range proof {
		path[i] = types.Hash(proof[i])
	}
	return path, err
}

// Proves reports whether a path proves a leaf to the root of a tree.
func Proves(leaf []byte, index uint64, path []types.Hash, tree types.LogHead) bool {
	if index >= tree.Size || tree.Size > 1<<62 {
		return false
	}
	proof := make(tlog.RecordProof, len(path))
	for i := range path {
		proof[i] = tlog.Hash(path[i])
	}
	return tlog.CheckRecord(proof, int64(tree.Size), tlog.Hash(tree.Root), int64(index), tlog.RecordHash(leaf)) == nil
}
