// Package archive keeps files in one archive, with the hash of each, and reads it back whole or not at all.
//
// An archive is a tar file. Its last entry lists all others with their lengths and SHA-256, below a line with the SHA-256 of the list. So an
// archive that is cut off has no list, a changed one contradicts it, and the hash of the list is that of the whole.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"

	"lockstep/types"
	"lockstep/types/strict"
)

// listName is the entry with the list, and format its first field.
const (
	listName = "LIST"
	format   = "lockstep-archive-1"
	maxList  = 64 << 20
)

// ErrDamaged is in the errors about an archive that is cut off or changed.
var ErrDamaged = errors.New("the archive is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// list is the last entry.
type list struct {
	Format string          `json:"format"`
	About  json.RawMessage `json:"about"`
	Files  []file          `json:"files"`
}

type file struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Writer writes an archive.
type Writer struct {
	tar   *tar.Writer
	files []file
	names map[string]bool
}

// NewWriter returns a writer. [Writer.Close] completes the archive.
func NewWriter(to io.Writer) *Writer {
	return &Writer{tar: tar.NewWriter(to), names: map[string]bool{}}
}

// Add writes a file with exactly so many bytes of the content.
func (w *Writer) Add(name string, size int64, content io.Reader) error {
	if !proper(name) || name == listName || w.names[name] {
		return fmt.Errorf("archive: %q can't be the name of a file", name)
	}
	w.names[name] = true
	if err := w.header(name, size); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w.tar, sum), content, size); err != nil {
		return fmt.Errorf("archive: %s has fewer than %d bytes: %w", name, size, err)
	}
	w.files = append(w.files, file{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (w *Writer) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX})
}

// Close writes the list, with a description of the whole in JSON. It returns the hash of the list.
func (w *Writer) Close(about any) (types.Hash, error) {
	said, err := json.Marshal(about)
	if err != nil {
		return types.Hash{}, err
	}
	text, err := json.Marshal(list{format, said, w.files})
	if err != nil {
		return types.Hash{}, err
	}
	sum := types.Hash(sha256.Sum256(text))
	text = append([]byte(sum.String()+"\n"), text...)
	if err := w.header(listName, int64(len(text))); err != nil {
		return types.Hash{}, err
	}
	if _, err := w.tar.Write(text); err != nil {
		return types.Hash{}, err
	}
	return sum, w.tar.Close()
}

// proper reports whether a name is a relative path below the archive's folder.
func proper(name string) bool {
	return fs.ValidPath(name) && name != "." && len(name) <= 1<<10 && !strings.ContainsAny(name, "\\:\x00")
}

// Read reads an archive. It gives each file to take, which may leave the content unread, and at the end checks all of them by the list, from
// which it decodes about. It returns the hash of the list. After an error nothing that take got may be used.
func Read(from io.Reader, about any, take func(name string, size int64, content io.Reader) error) (types.Hash, error) {
	var read []file
	entries := tar.NewReader(from)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return types.Hash{}, damaged("it ends without its list: it was cut off after %d files", len(read))
		}
		if err != nil && len(read) == 0 {
			return types.Hash{}, damaged("it begins as no archive does, so it may be another kind of file: %w", err)
		}
		if err != nil {
			return types.Hash{}, damaged("after %d files it goes on as no archive does: %w", len(read), err)
		}
		if header.Typeflag != tar.TypeReg || !proper(header.Name) || header.Size < 0 {
			return types.Hash{}, damaged("%.200q is no file that belongs there", header.Name)
		}
		if header.Name == listName {
			return finish(from, entries, header.Size, about, read)
		}
		sum := sha256.New()
		content := &counted{from: io.TeeReader(entries, sum)}
		if err := take(header.Name, header.Size, content); err != nil {
			if content.err != nil {
				return types.Hash{}, damaged("%s is cut off: %w", header.Name, content.err)
			}
			return types.Hash{}, err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return types.Hash{}, damaged("%s is cut off: %w", header.Name, err)
		}
		read = append(read, file{header.Name, header.Size, sumOf(sum)})
	}
}

func sumOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// counted keeps the error of reading an entry, apart from one of writing it.
type counted struct {
	from io.Reader
	err  error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// finish compares the files with the list.
func finish(from io.Reader, entries *tar.Reader, size int64, about any, read []file) (sum types.Hash, err error) {
	if size > maxList {
		return sum, damaged("its list has %d bytes, at most %d are possible", size, maxList)
	}
	text, err := io.ReadAll(entries)
	if err != nil {
		return sum, damaged("its list is cut off: %w", err)
	}
	said, text, _ := bytes.Cut(text, []byte("\n"))
	if sum = sha256.Sum256(text); sum.String() != string(said) {
		return sum, damaged("its list is changed")
	}
	var listed list
	if err := strict.Unmarshal(text, &listed); err != nil {
		return sum, damaged("its list can't be read: %w", err)
	}
	if listed.Format != format {
		return sum, damaged("it is of the format %.40q, this program reads %q", listed.Format, format)
	}
	for i, want := range listed.Files {
		switch {
		case i >= len(read):
			return sum, damaged("%s is missing", want.Name)
		case read[i].Name != want.Name:
			return sum, damaged("%s is in the place of %s", read[i].Name, want.Name)
		case read[i] != want:
			return sum, damaged("%s is changed: it has %d bytes of the hash %s, the list says %d of %s", want.Name, read[i].Size, read[i].SHA256, want.Size, want.SHA256)
		}
	}
	if len(read) > len(listed.Files) {
		return sum, damaged("%s is not in the list", read[len(listed.Files)].Name)
	}
	if _, err := entries.Next(); !errors.Is(err, io.EOF) {
		return sum, damaged("there is something after the list")
	}
	if rest, err := io.ReadAll(io.LimitReader(from, 1<<20)); err != nil || len(bytes.Trim(rest, "\x00")) > 0 {
		return sum, damaged("there is something after its end")
	}
	if err := strict.Unmarshal(listed.About, about); err != nil {
		return sum, damaged("its list can't be read: %w", err)
	}
	return sum, nil
}
