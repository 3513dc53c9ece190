package outcomes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Export writes the files of a log at a head into a folder, which may hold an earlier export: files never change. It fetches bundles alone, computes
// the tiles from their leaves, and compares the root, and that of the export before, so a log that was rewritten is found. It returns how many files are new.
func Export(folder string, before, head types.LogHead, fetch func(path string) ([]byte, error)) (fresh int, err error) {
	if head.Size < before.Size {
		return 0, rewritten(folder, before, fmt.Errorf("the log has %d leaves now", head.Size))
	}
	var tiler Tiler
	keep := func(path string, content []byte) error {
		isNew, err := keepFile(filepath.Join(folder, filepath.FromSlash(path)), content)
		if isNew {
			fresh++
		}
		return err
	}
	for path := range Bundles(head.Size) {
		bundle, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
		if errors.Is(err, fs.ErrNotExist) {
			bundle, err = fetch(path)
		}
		if err != nil {
			return fresh, err
		}
		leaves, err := ReadBundle(bundle)
		if want := min(Width, head.Size-tiler.at.Size); err == nil && uint64(len(leaves)) != want {
			err = fmt.Errorf("it has %d leaves, not %d", len(leaves), want)
		}
		if err == nil {
			err = tiler.agrees(folder, before, leaves)
		}
		if err == nil {
			err = tiler.Add(leaves, keep)
		}
		if err == nil {
			err = keep(path, bundle)
		}
		if err != nil {
			return fresh, fmt.Errorf("%s: %w", path, err)
		}
	}
	got, err := tiler.Finish(keep)
	if err == nil && got != head {
		err = fmt.Errorf("the %d leaves in %s have the root %s, and the checkpoint says %d and %s: remove the folder and export again; if that does not help, don't trust the node",
			got.Size, folder, got.Root, head.Size, head.Root)
	}
	return fresh, err
}

// agrees reports whether the log is that of an earlier head, once the leaves up to that are there.
func (t *Tiler) agrees(folder string, before types.LogHead, leaves [][]byte) error {
	if before.Size <= t.at.Size || before.Size > t.at.Size+uint64(len(leaves)) {
		return nil
	}
	batch, err := t.at.Extend(leaves[:before.Size-t.at.Size])
	if got := batch.To.Head(); err == nil && got != before {
		err = rewritten(folder, before, fmt.Errorf("the first %d have the root %s now", got.Size, got.Root))
	}
	return err
}

func rewritten(folder string, before types.LogHead, err error) error {
	return fmt.Errorf("%s holds an export of %d leaves with the root %s: %w; a log only grows, so the node has rewritten it or is of another ledger. Keep the folder as the proof, and don't trust the node",
		folder, before.Size, before.Root, err)
}

// Kept returns the origin and the head of the checkpoint that the last export left in a folder; nothing when there was none.
func Kept(folder string) (origin string, head types.LogHead, err error) {
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", head, nil
	}
	if err == nil {
		origin, head, err = parseCheckpoint(string(text))
	}
	return origin, head, err
}

// keepFile writes a file that never changes, unless it is there.
func keepFile(file string, content []byte) (isNew bool, err error) {
	kept, err := os.ReadFile(file)
	switch {
	case err == nil && !bytes.Equal(kept, content):
		return false, fmt.Errorf("%s is not as the leaves say: remove it, and export again", file)
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return false, err
	}
	return true, atomicfile.Create(file, content)
}
