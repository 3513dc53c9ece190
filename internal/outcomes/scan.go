package outcomes

import (
	"errors"
	"fmt"
	"iter"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// Scan yields the leaves in [from, to) of a log at a head, each checked against the root, from the files of C2SP tlog-tiles.
func Scan(head types.LogHead, from, to uint64, fetch func(path string) ([]byte, error)) iter.Seq2[*types.Outcome, error] {
	return func(yield func(*types.Outcome, error) bool) {
		s := newScanner(head, fetch)
		for from < to {
			leaves, err := s.bundle(from / Width)
			for i := from % Width; err == nil && i < uint64(len(leaves)) && from < to; i++ {
				outcome := new(types.Outcome)
				if err = types.Decode(leaves[i], outcome); err != nil {
					err = fmt.Errorf("leaf %d: %w", from, err)
					break
				}
				if !yield(outcome, nil) {
					return
				}
				from++
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// LeafSince returns the index of the first leaf at a moment of the ledger clock or later; the size of the log when there is none. Leaves that are pruned are
// not needed for a moment after them.
func LeafSince(head types.LogHead, at types.Time, fetch func(path string) ([]byte, error)) (leaf uint64, err error) {
	s := newScanner(head, fetch)
	timeOf := func(index uint64) types.Time {
		var outcome types.Outcome
		leaves, failure := s.bundle(index / Width)
		if failure == nil {
			failure = types.Decode(leaves[index%Width], &outcome)
		}
		err = errors.Join(err, failure)
		return outcome.At
	}
	bundles := int((head.Size + Width - 1) / Width)
	after := sort.Search(bundles, func(n int) bool { // begins at the moment or later
		if err != nil {
			return false
		}
		begins := timeOf(uint64(n) * Width)
		if types.CodeOf(err) == types.CodePruned { // so are all before it
			err = nil
			return false
		}
		return begins >= at
	})
	if err != nil || after == 0 {
		return 0, err
	}
	leaves, err := s.bundle(uint64(after - 1))
	if err != nil {
		return 0, err
	}
	for i := range leaves {
		var outcome types.Outcome
		if err := types.Decode(leaves[i], &outcome); err != nil {
			return 0, err
		}
		if outcome.At >= at {
			return uint64(after-1)*Width + uint64(i), nil
		}
	}
	return uint64(after-1)*Width + uint64(len(leaves)), nil
}

// scanner reads bundles and checks them.
type scanner struct {
	head  types.LogHead
	fetch func(path string) ([]byte, error)
	tiles map[string][]byte // fetched before
}

// mostTiles bounds the tiles that are kept. Each of the first level proves 256 bundles.
const mostTiles = 16

func newScanner(head types.LogHead, fetch func(path string) ([]byte, error)) *scanner {
	return &scanner{head, fetch, map[string][]byte{}}
}

// bundle returns the leaves of a bundle, which lead to the root.
func (s *scanner) bundle(number uint64) ([][]byte, error) {
	width := min(Width, s.head.Size-number*Width)
	path := tilePath(tlog.Tile{H: tileHeight, L: entriesLevel, N: int64(number), W: int(width)})
	content, err := s.fetch(path)
	if err != nil {
		return nil, err
	}
	leaves, err := ReadBundle(content)
	if err == nil && uint64(len(leaves)) != width {
		err = fmt.Errorf("it has %d leaves, not %d", len(leaves), width)
	}
	if err == nil {
		err = s.check(number, leaves)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return leaves, nil
}

// check compares the leaves of a bundle with the tree: a whole one by its one hash, the last one by the hash of each leaf.
func (s *scanner) check(number uint64, leaves [][]byte) error {
	hashes := make([]tlog.Hash, len(leaves))
	indexes := make([]int64, len(leaves))
	for i, leaf := range leaves {
		hashes[i], indexes[i] = tlog.RecordHash(leaf), tlog.StoredHashIndex(0, int64(number*Width)+int64(i))
	}
	if len(leaves) == Width {
		indexes = []int64{tlog.StoredHashIndex(tileHeight, int64(number))}
		for len(hashes) > 1 {
			for i := range len(hashes) / 2 {
				hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
			}
			hashes = hashes[:len(hashes)/2]
		}
	}
	want, err := tlog.TileHashReader(tlog.Tree{N: int64(s.head.Size), Hash: tlog.Hash(s.head.Root)}, s).ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i := range want {
		if want[i] != hashes[i] {
			return fmt.Errorf("%w: its leaves do not lead to the root %s of the checkpoint", ErrDamaged, s.head.Root)
		}
	}
	return nil
}

// Height implements [tlog.TileReader].
func (*scanner) Height() int { return tileHeight }

// ReadTiles implements [tlog.TileReader].
func (s *scanner) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		path := tilePath(tile)
		content, known := s.tiles[path]
		if !known {
			if content, err = s.fetch(path); err != nil {
				return nil, err
			}
			if len(content) != hashLength*tile.W {
				return nil, fmt.Errorf("%w: %s has %d bytes", ErrDamaged, path, len(content))
			}
			if len(s.tiles) >= mostTiles {
				clear(s.tiles)
			}
			s.tiles[path] = content
		}
		data = append(data, content)
	}
	return data, nil
}

// SaveTiles implements [tlog.TileReader].
func (*scanner) SaveTiles([]tlog.Tile, [][]byte) {}
