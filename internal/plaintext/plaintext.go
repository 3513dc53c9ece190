// Package plaintext reads the texts that people and other programs hand in: records, words, passphrases, settings, tables. One
// reader for all of them, so that a file is read in one place if and only if it is read in every other.
package plaintext

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"lockstep/types"
)

const mark = "\ufeff" // the byte order mark, which editors on Windows put in front of UTF-8

// ReadFile is [Read] of a file.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(file, path, most)
}

// Read reads a text of at most so many bytes and takes a byte order mark off its front. It refuses a longer text
// ([types.CodeTooLarge]), one in UTF-16 or UTF-32, and one with a NUL ([types.CodeMalformed]); the errors mention name.
// Line ends stay as they are, since some texts are signed with them: callers take \n and \r\n alike.
func Read(from io.Reader, name string, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, types.Refuse(types.CodeTooLarge, "%s has more than %s: nothing of it was used", name, size(most))
	}
	if wide := wideEncoding(text); wide != "" {
		return nil, types.Refuse(types.CodeMalformed, "%s is text in %s, as some editors and PowerShell write it: save it as UTF-8", name, wide)
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, types.Refuse(types.CodeMalformed, "%s is not a text: byte %d is NUL", name, at+1)
	}
	return bytes.TrimPrefix(text, []byte(mark)), nil
}

// wideEncoding names an encoding in which a character has more than one byte always: by its mark, or by the zeros that each
// character of a text in Latin letters has then.
func wideEncoding(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe\x00\x00")) || bytes.HasPrefix(text, []byte("\x00\x00\xfe\xff")):
		return "UTF-32"
	case bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")):
		return "UTF-16"
	case len(text) < 4:
		return ""
	}
	switch zero := [4]bool{text[0] == 0, text[1] == 0, text[2] == 0, text[3] == 0}; zero {
	case [4]bool{false, true, false, true}, [4]bool{true, false, true, false}:
		return "UTF-16"
	case [4]bool{false, true, true, true}, [4]bool{true, true, true, false}:
		return "UTF-32"
	}
	return ""
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
