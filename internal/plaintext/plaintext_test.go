package plaintext

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"lockstep/types"
)

func TestRead(t *testing.T) {
	t.Parallel()
	const most = 16
	for text, want := range map[string]struct {
		read string
		code types.Code
		says string
	}{
		"":                       {"", 0, ""},
		"abc\n":                  {"abc\n", 0, ""},
		"a\r\nb\r\n":             {"a\r\nb\r\n", 0, ""},
		"\ufeffabc":              {"abc", 0, ""},
		"\ufeff":                 {"", 0, ""},
		"\ufeff\ufeffa":          {"\ufeffa", 0, ""}, // one mark is an editor's, a second one is somebody's text
		"\xef\xbb":               {"\xef\xbb", 0, ""},
		"gr\xfc\xdf":             {"gr\xfc\xdf", 0, ""}, // whether the text must be UTF-8, its reader says
		"0123456789abcdef":       {"0123456789abcdef", 0, ""},
		"0123456789abcdefg":      {"", types.CodeTooLarge, "the text has more than 16 bytes"},
		"\xff\xfea\x00":          {"", types.CodeMalformed, "UTF-16"},
		"\xfe\xff\x00a":          {"", types.CodeMalformed, "UTF-16"},
		"\xff\xfe":               {"", types.CodeMalformed, "UTF-16"},
		"a\x00b\x00":             {"", types.CodeMalformed, "UTF-16"},
		"\x00a\x00b":             {"", types.CodeMalformed, "UTF-16"},
		"\xff\xfe\x00\x00a\x00":  {"", types.CodeMalformed, "UTF-32"},
		"\x00\x00\xfe\xff\x00":   {"", types.CodeMalformed, "UTF-32"},
		"a\x00\x00\x00b\x00\x00": {"", types.CodeMalformed, "UTF-32"},
		"\x00\x00\x00a":          {"", types.CodeMalformed, "UTF-32"},
		"ab\x00c":                {"", types.CodeMalformed, "byte 3 is NUL"},
		"\x00":                   {"", types.CodeMalformed, "byte 1 is NUL"},
		"a\x00b":                 {"", types.CodeMalformed, "byte 2 is NUL"},
	} {
		got, err := Read(strings.NewReader(text), "the text", most)
		if string(got) != want.read || types.CodeOf(err) != want.code || err != nil && !strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: %q, %v; want %q, %q", text, got, err, want.read, want.says)
		}
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if _, err := ReadFile(file, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte("\ufeff"+strings.Repeat("a", 2<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(file, 2<<10); err == nil || !strings.Contains(err.Error(), file+" has more than 2 KiB") {
		t.Error(err)
	}
	if text, err := ReadFile(file, 3<<20); err != nil || len(text) != 2<<10 {
		t.Error(len(text), err)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{1: "1 bytes", 1 << 10: "1 KiB", 1<<10 + 1: "1025 bytes", 1 << 20: "1 MiB", 3 << 19: "1536 KiB", 64 << 20: "64 MiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s", bytes, got)
		}
	}
}

// A text that is too large is an error however it comes in, and is never cut off.
func TestReadBound(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{"": true, "1234": true, "12345": true, "123456": false, strings.Repeat("x", 5000): false} {
		for _, source := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			got, err := Read(source, "standard input", 5)
			if good && (err != nil || string(got) != text) || !good && (types.CodeOf(err) != types.CodeTooLarge || !strings.Contains(err.Error(), "standard input")) {
				t.Errorf("%.10q: %.10q, %v", text, got, err)
			}
		}
	}
}
