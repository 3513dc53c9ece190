package goods

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lockstep/types"
)

// MaxSize bounds a file that is sold or opened.
const MaxSize = 16 << 30

// maxFileName bounds the name of a file in bytes; with the note's other parts it fits a note.
const maxFileName = 128

// Note names a file in the note of goods: "sha256 HEX", or "sha256 HEX, N bytes, NAME". The sum is the agreement, the rest is a help.
type Note struct {
	Sum  [sha256.Size]byte
	Size uint64 // 0: not stated
	Name string // "": not stated, or not a name to write to
}

const sumPrefix = "sha256 "

// ParseNote reads a note. It returns false for goods that are not a file: only a person can judge those.
func ParseNote(text string) (n Note, ok bool) {
	rest, ok := strings.CutPrefix(text, sumPrefix)
	if !ok {
		return n, false
	}
	sum, rest, more := strings.Cut(rest, ",")
	decoded, err := hex.DecodeString(strings.TrimSpace(sum))
	if err != nil || len(decoded) != len(n.Sum) {
		return n, false
	}
	n.Sum = [sha256.Size]byte(decoded)
	if !more {
		return n, true
	}
	size, name, _ := strings.Cut(rest, ",")
	digits, isSize := strings.CutSuffix(strings.TrimSpace(size), " bytes")
	if isSize {
		if n.Size, err = strconv.ParseUint(digits, 10, 64); err != nil || n.Size > MaxSize {
			return Note{}, false
		}
	} else {
		name = rest
	}
	if name = strings.TrimSpace(name); CheckName(name) == nil {
		n.Name = name
	}
	return n, true
}

func (n Note) String() string {
	text := sumPrefix + hex.EncodeToString(n.Sum[:])
	if n.Size > 0 {
		text += fmt.Sprintf(", %d bytes", n.Size)
	}
	if n.Name != "" {
		text += ", " + n.Name
	}
	return text
}

// CheckName refuses a name under which no file is written: one that leads into another folder, hides the file, or means a device.
func CheckName(name string) error {
	bad := func(why string) error {
		return types.Refuse(types.CodeText, "%.150q is not the name of a file: %s", name, why)
	}
	switch {
	case name == "" || len(name) > maxFileName:
		return bad(fmt.Sprintf("a name has 1 to %d bytes", maxFileName))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return bad("it has characters that don't print")
	case strings.ContainsAny(name, `/\:*?"<>|`):
		return bad(`it has one of / \ : * ? " < > |`)
	case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "~"):
		return bad("it begins with a dot, a dash or a tilde")
	case strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name:
		return bad("it begins or ends with a space, or ends with a dot")
	case !filepath.IsLocal(name):
		return bad("it means a device or another folder")
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	for _, device := range []string{"CON", "PRN", "AUX", "NUL"} {
		if base == device {
			return bad("it means a device on some systems")
		}
	}
	if len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9' {
		return bad("it means a device on some systems")
	}
	return nil
}

// FileName is the name to write the goods of a trade to.
func (n Note) FileName(trade types.TradeID) string {
	if n.Name != "" {
		return n.Name
	}
	return "goods-" + trade.String()[:12]
}

// NoteOf reads a file and returns its note.
func NoteOf(path string) (Note, error) {
	file, info, err := openRegular(path)
	if err != nil {
		return Note{}, err
	}
	defer file.Close()
	tooLarge := types.Refuse(types.CodeTooLarge, "%s has more than %d GiB", path, MaxSize>>30)
	switch {
	case info.Size() == 0:
		return Note{}, types.Refuse(types.CodeGoods, "%s is empty: there is nothing to sell", path)
	case info.Size() > MaxSize:
		return Note{}, tooLarge
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(file, MaxSize+1))
	switch {
	case err != nil:
		return Note{}, err
	case size > MaxSize:
		return Note{}, tooLarge
	}
	n := Note{Sum: [sha256.Size]byte(hash.Sum(nil)), Size: uint64(size)} //nolint:gosec // a size is not negative
	if name := filepath.Base(path); CheckName(name) == nil {
		n.Name = name
	}
	return n, nil
}

// openRegular opens a file for reading, and nothing that could block or have no end.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, types.Refuse(types.CodeGoods, "%s is not a regular file", path)
	}
	file, err := os.Open(path)
	return file, info, err
}
