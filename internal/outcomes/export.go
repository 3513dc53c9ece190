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
// the tiles from their leaves, and compares the root. It returns how many files are new.
func Export(folder string, head types.LogHead, fetch func(path string) ([]byte, error)) (fresh int, err error) {
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
