package snapshot

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Folder holds snapshots, each in a folder of its own that is named by the height of its last block.
type Folder string

const (
	headFile   = "head"
	unfinished = "unfinished"
)

func chunkFile(index int) string { return fmt.Sprintf("chunk-%06d", index) }

func (f Folder) path(height uint64) string {
	return filepath.Join(string(f), strconv.FormatUint(height, 10))
}

// Heights returns the last heights of the finished snapshots, the newest first.
func (f Folder) Heights() (heights []uint64, err error) {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	for _, entry := range entries {
		if height, err := strconv.ParseUint(entry.Name(), 10, 64); err == nil && entry.IsDir() && entry.Name() == strconv.FormatUint(height, 10) {
			heights = append(heights, height)
		}
	}
	slices.Sort(heights)
	slices.Reverse(heights)
	return heights, nil
}

// Head reads the head of a snapshot.
func (f Folder) Head(height uint64) (*Head, error) {
	content, err := os.ReadFile(filepath.Join(f.path(height), headFile))
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of block %d: %w", height, err)
	}
	encoded, sum := content[:max(len(content)-sha256.Size, 0)], content[max(len(content)-sha256.Size, 0):]
	if want := sha256.Sum256(encoded); string(sum) != string(want[:]) {
		return nil, fmt.Errorf("the snapshot of block %d is damaged: %s has another hash at its end than that of its content", height, headFile)
	}
	head := new(Head)
	if err := types.Decode(encoded, head); err != nil {
		return nil, fmt.Errorf("the snapshot of block %d is damaged: %s: %w", height, headFile, err)
	}
	if head.Last() != height {
		return nil, fmt.Errorf("the snapshot of block %d is damaged: its head is of block %d", height, head.Last())
	}
	return head, nil
}

// Chunk reads a chunk of a snapshot. A chunk that was altered on the disk is refused: a peer would blame this node for it.
func (f Folder) Chunk(height uint64, index uint32) ([]byte, error) {
	head, err := f.Head(height)
	if err != nil {
		return nil, err
	}
	if uint64(index) >= uint64(len(head.Chunks)) {
		return nil, fmt.Errorf("the snapshot of block %d has %d chunks, not %d", height, len(head.Chunks), uint64(index)+1)
	}
	chunk, err := os.ReadFile(filepath.Join(f.path(height), chunkFile(int(index))))
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of block %d: %w", height, err)
	}
	if sha256.Sum256(chunk) != head.Chunks[index] {
		return nil, fmt.Errorf("the snapshot of block %d is damaged: %s has another hash", height, chunkFile(int(index)))
	}
	return chunk, nil
}

// Damaged is a snapshot that can't be given to a peer.
type Damaged struct {
	Name string // of its folder
	Why  error
}

// damaged reads all snapshots, and returns those that are damaged, the newest first.
func (f Folder) damaged() (found []Damaged, err error) {
	heights, err := f.Heights()
	for _, height := range heights {
		head, err := f.Head(height)
		for i := 0; err == nil && i < len(head.Chunks); i++ {
			_, err = f.Chunk(height, uint32(i))
		}
		if at := (*fs.PathError)(nil); errors.As(err, &at) && !errors.Is(err, fs.ErrNotExist) { // it can't be read now
			return found, err
		}
		if err != nil {
			found = append(found, Damaged{strconv.FormatUint(height, 10), err})
		}
	}
	return found, err
}

// Check reads all snapshots, and names the first file that is damaged.
func (f Folder) Check() error {
	found, err := f.damaged()
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%w; remove the folder %s: the node makes another", found[0].Why, filepath.Join(string(f), found[0].Name))
	}
	return err
}

// RemoveDamaged removes the snapshots that are damaged, and returns them.
func (f Folder) RemoveDamaged() (removed []Damaged, err error) {
	found, err := f.damaged()
	for _, one := range found {
		if err == nil {
			err = f.remove(one.Name)
		}
		if err == nil {
			removed = append(removed, one)
		}
	}
	return removed, err
}

// remove removes a snapshot. It is renamed first: no half of one is listed.
func (f Folder) remove(name string) error {
	gone := filepath.Join(string(f), unfinished+"-"+name)
	return errors.Join(os.RemoveAll(gone), os.Rename(filepath.Join(string(f), name), gone), os.RemoveAll(gone))
}

// Trim removes all finished snapshots but the newest.
func (f Folder) Trim(keep int) error {
	heights, err := f.Heights()
	if err != nil {
		return err
	}
	for _, height := range heights[min(keep, len(heights)):] {
		err = errors.Join(err, f.remove(strconv.FormatUint(height, 10)))
	}
	return err
}

// Writer writes a snapshot. Its methods are called in the order of the stream: entries, the end of the state, changes of blocks.
type Writer struct {
	folder Folder
	dir    string
	chunk  bytes.Buffer
	head   Head
}

// Create begins a snapshot in a folder, and removes the rest of an earlier one that a crash ended.
func Create(folder Folder) (*Writer, error) {
	w := &Writer{folder: folder, dir: filepath.Join(string(folder), unfinished)}
	leftovers, err := filepath.Glob(w.dir + "*")
	for _, leftover := range leftovers {
		err = errors.Join(err, os.RemoveAll(leftover))
	}
	if err = errors.Join(err, os.MkdirAll(w.dir, 0o700)); err != nil {
		return nil, fmt.Errorf("make a snapshot: %w", err)
	}
	return w, nil
}

// Write adds a piece of the stream.
func (w *Writer) Write(piece []byte) (int, error) {
	length := len(piece)
	for w.chunk.Len()+len(piece) >= ChunkBytes {
		part := ChunkBytes - w.chunk.Len()
		w.chunk.Write(piece[:part])
		piece = piece[part:]
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	w.chunk.Write(piece)
	return length, nil
}

// flush writes a chunk to the disk.
func (w *Writer) flush() error {
	file, err := os.OpenFile(filepath.Join(w.dir, chunkFile(len(w.head.Chunks))), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make a snapshot: %w", err)
	}
	_, err = file.Write(w.chunk.Bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("make a snapshot: %w", err)
	}
	w.head.Chunks, w.head.Bytes = append(w.head.Chunks, sha256.Sum256(w.chunk.Bytes())), w.head.Bytes+uint64(w.chunk.Len())
	w.chunk.Reset()
	return nil
}

// Finish completes the snapshot. The head has everything but the chunks.
func (w *Writer) Finish(head Head) error {
	if w.chunk.Len() > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	head.Chunks, head.Bytes = w.head.Chunks, w.head.Bytes
	hash := head.Hash()
	err := atomicfile.Create(filepath.Join(w.dir, headFile), append(types.Encode(&head), hash[:]...))
	if err == nil {
		err = os.RemoveAll(w.folder.path(head.Last())) // of an earlier ledger in this folder
	}
	if err == nil {
		err = os.Rename(w.dir, w.folder.path(head.Last()))
	}
	if err != nil {
		return fmt.Errorf("make a snapshot: %w", err)
	}
	return nil
}

// Abort removes an unfinished snapshot.
func (w *Writer) Abort() error { return os.RemoveAll(w.dir) }
