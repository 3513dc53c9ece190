package outcomes

import (
	"encoding/base64"
	"fmt"
	"iter"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// Tiles of C2SP tlog-tiles have the paths tile/LEVEL/NUMBER and tile/entries/NUMBER, with .p/WIDTH for a part. Package tlog writes the same
// numbers behind other prefixes.
const (
	tilePrefix    = "tile/"
	entriesPrefix = "tile/entries/"
	tlogPrefix    = "tile/8/"
	tlogEntries   = "tile/8/data/"
	entriesLevel  = -1
)

func tilePath(tile tlog.Tile) string {
	if tile.L == entriesLevel {
		return entriesPrefix + strings.TrimPrefix(tile.Path(), tlogEntries)
	}
	return tilePrefix + strings.TrimPrefix(tile.Path(), tlogPrefix)
}

func parseTilePath(path string) (tlog.Tile, error) {
	other := ""
	if number, entries := strings.CutPrefix(path, entriesPrefix); entries {
		other = tlogEntries + number
	} else if rest, ok := strings.CutPrefix(path, tilePrefix); ok {
		other = tlogPrefix + rest
	}
	tile, err := tlog.ParseTilePath(other)
	if err != nil || tile.H != tileHeight || tilePath(tile) != path {
		return tile, types.Refuse(types.CodeNotFound, "%.80q is not the path of a tile: it is like tile/0/x001/234 or tile/entries/000.p/7", path)
	}
	return tile, nil
}

// File returns the tile or bundle at a path of C2SP tlog-tiles, of the tree of the first leaves.
func (l *Log) File(path string, size uint64) ([]byte, error) {
	tile, err := parseTilePath(path)
	if err != nil {
		return nil, err
	}
	level, number, width := max(tile.L, 0), uint64(tile.N), uint64(tile.W)
	if level >= levels || number >= 1<<(64-2*tileHeight) || number*Width+width > size>>(level*tileHeight) {
		return nil, types.Refuse(types.CodeNotFound, "the log of %d outcomes has no %.80q", size, path)
	}
	if tile.L == entriesLevel {
		return l.Bundle(number, width)
	}
	return l.Tile(level, number, width)
}

// Bundles returns the paths of all bundles of a tree, in order.
func Bundles(size uint64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for number := uint64(0); number*Width < size; number++ {
			if !yield(tilePath(tlog.Tile{H: tileHeight, L: entriesLevel, N: int64(number), W: int(min(Width, size-number*Width))})) {
				return
			}
		}
	}
}

// Tiler computes the tiles of a log from its leaves.
type Tiler struct {
	at   Mark
	rows [levels][]byte // hashes of the unfinished tile of each level
	full [levels]int64  // tiles before it
}

// Add takes the next leaves, and calls done for each tile that is full.
func (t *Tiler) Add(leaves [][]byte, done func(path string, tile []byte) error) error {
	batch, err := t.at.Extend(leaves)
	if err != nil {
		return err
	}
	t.at = batch.To
	for _, leaf := range leaves {
		hash := tlog.RecordHash(leaf)
		t.rows[0] = append(t.rows[0], hash[:]...)
	}
	for level := range t.rows {
		t.rows[level] = append(t.rows[level], batch.hashes[level]...)
		for len(t.rows[level]) >= Width*hashLength {
			path := tilePath(tlog.Tile{H: tileHeight, L: level, N: t.full[level], W: Width})
			if err := done(path, t.rows[level][:Width*hashLength]); err != nil {
				return err
			}
			t.rows[level] = t.rows[level][Width*hashLength:]
			t.full[level]++
		}
	}
	return nil
}

// Finish calls done for the parts of tiles, and returns the head of the log.
func (t *Tiler) Finish(done func(path string, tile []byte) error) (types.LogHead, error) {
	for level, row := range t.rows {
		if len(row) == 0 {
			continue
		}
		path := tilePath(tlog.Tile{H: tileHeight, L: level, N: t.full[level], W: len(row) / hashLength})
		if err := done(path, row); err != nil {
			return types.LogHead{}, err
		}
	}
	return t.at.Head(), nil
}

// Checkpoint returns a signed checkpoint (C2SP tlog-checkpoint): origin, size and root of a log. The name of the signer's key is the origin.
func Checkpoint(head types.LogHead, signer note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), head.Size, base64.StdEncoding.EncodeToString(head.Root[:]))
	return note.Sign(&note.Note{Text: text}, signer)
}

// ReadCheckpoint verifies a checkpoint of [Checkpoint] by the verifier's key of its signer.
func ReadCheckpoint(signed []byte, verifierKey string) (head types.LogHead, err error) {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return head, fmt.Errorf("the key of the log: %w", err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return head, fmt.Errorf("the checkpoint of the log: %w", err)
	}
	origin, head, err := parseCheckpoint(opened.Text)
	if err == nil && origin != verifier.Name() {
		err = fmt.Errorf("the checkpoint is of the log %.80q, its key of %.80q", origin, verifier.Name())
	}
	return head, err
}

// parseCheckpoint reads the text of a checkpoint, with or without its signatures.
func parseCheckpoint(text string) (origin string, head types.LogHead, err error) {
	origin, rest, _ := strings.Cut(text, "\n")
	var root string
	if _, err := fmt.Sscanf(rest, "%d\n%s\n", &head.Size, &root); err != nil {
		return "", head, fmt.Errorf("the checkpoint of the log is %.80q", text)
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(root)
	if err != nil || len(hash) != hashLength {
		return "", head, fmt.Errorf("the checkpoint of the log has the root %.80q", root)
	}
	head.Root = types.Hash(hash)
	return origin, head, nil
}

// ReadBundle returns the leaves of a bundle. It refuses bytes that are not whole leaves.
func ReadBundle(bundle []byte) (leaves [][]byte, err error) {
	for len(bundle) > 0 {
		some, length, err := split(bundle, 0, 1)
		if err != nil {
			return nil, err
		}
		leaves, bundle = append(leaves, some...), bundle[length:]
	}
	return leaves, nil
}
