// Package atomicfile writes a small file whole or not at all, so that neither a power cut nor a full disk leaves half of it.
// Its files are readable by their owner alone.
package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Create writes a new file. It fails with [fs.ErrExist] when there is a file or a link at the path.
func Create(path string, content []byte) error {
	return CreateBy(path, func(to io.Writer) error {
		_, err := to.Write(content)
		return err
	})
}

// CreateBy is [Create] of a large file, which a function writes. There is no file at the path before the function has returned without an error.
func CreateBy(path string, content func(to io.Writer) error) error {
	return write(path, content, func(temp string) error {
		return os.Link(temp, path) // fails where a rename would overwrite
	})
}

// Replace writes a file in the place of another, or a new one. A symbolic link stays: the file that it leads to is replaced,
// in its own folder.
func Replace(path string, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, dangling := os.Lstat(path); dangling == nil {
			return err // a link to nowhere: perhaps its disk is not mounted
		}
		target, err = path, nil
	}
	if err != nil {
		return err
	}
	return write(target, func(to io.Writer) error {
		_, err := to.Write(content)
		return err
	}, func(temp string) error { return os.Rename(temp, target) })
}

// write makes a file beside the path and has it put into its place.
func write(path string, content func(to io.Writer) error, place func(temp string) error) error {
	folder := filepath.Dir(path)
	temp, err := os.CreateTemp(folder, ".lockstep-*") // made with mode 0600
	if err != nil {
		if fault := new(fs.PathError); errors.As(err, &fault) {
			fault.Path = path // the name that the caller knows
		}
		return err
	}
	defer os.Remove(temp.Name())
	err = content(temp)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := place(temp.Name()); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the name of a new file last.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // has no such call
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
