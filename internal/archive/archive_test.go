package archive

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

type about struct {
	Height uint64 `json:"height"`
}

func made(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, f := range []struct{ name, content string }{{"a", ""}, {"b/c", "hello"}, {"b/d", strings.Repeat("x", 2000)}} {
		if err := w.Add(f.name, int64(len(f.content)), strings.NewReader(f.content+"more, which is not wanted")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(about{7}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(content []byte) (files map[string]string, said about, err error) {
	files = map[string]string{}
	_, err = Read(bytes.NewReader(content), &said, func(name string, _ int64, content io.Reader) error {
		text, err := io.ReadAll(content)
		files[name] = string(text)
		return err
	})
	return files, said, err
}

func TestArchive(t *testing.T) {
	t.Parallel()
	files, said, err := read(made(t))
	want := map[string]string{"a": "", "b/c": "hello", "b/d": strings.Repeat("x", 2000)}
	if err != nil || said.Height != 7 || !reflect.DeepEqual(files, want) {
		t.Errorf("%v, %+v, %v", files, said, err)
	}
	if _, err := Read(bytes.NewReader(made(t)), &said, func(string, int64, io.Reader) error { return nil }); err != nil {
		t.Errorf("unread files: %v", err)
	}
	full := errors.New("the disk is full")
	if _, err := Read(bytes.NewReader(made(t)), &said, func(string, int64, io.Reader) error { return full }); !errors.Is(err, full) || errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

// TestDamage: an archive that is cut off anywhere, or has a flipped bit where anything stands, is refused, and the error says where.
func TestDamage(t *testing.T) {
	t.Parallel()
	whole := made(t)
	end := bytes.LastIndexFunc(whole, func(r rune) bool { return r != 0 }) + 1
	for n := range end {
		if _, _, err := read(whole[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	for at := range end {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		got, said, err := read(changed)
		if err == nil && (said.Height != 7 || got["b/c"] != "hello") {
			t.Fatalf("byte %d: %v, %+v", at, got, said)
		}
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		says   string
	}{
		"a file":   {func(b []byte) []byte { return bytes.Replace(b, []byte("hello"), []byte("hallo"), 1) }, "b/c is changed"},
		"the list": {func(b []byte) []byte { return bytes.Replace(b, []byte(`"name":"b/d"`), []byte(`"name":"b/e"`), 1) }, "its list is changed"},
		"longer":   {func(b []byte) []byte { return append(b, "x"...) }, "after its end"},
	} {
		if _, _, err := read(c.change(bytes.Clone(whole))); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "/etc/passwd", "a/../../b", "a//b", "a/", `a\b`, "c:d", listName, "a\x00"} {
		if err := NewWriter(io.Discard).Add(name, 0, strings.NewReader("")); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	w := NewWriter(io.Discard)
	if err := errors.Join(w.Add("a", 1, strings.NewReader("x"))); err != nil {
		t.Fatal(err)
	}
	if err := w.Add("a", 1, strings.NewReader("x")); err == nil {
		t.Error("a name is taken twice")
	}
	if err := w.Add("b", 2, strings.NewReader("x")); err == nil {
		t.Error("a short file is taken")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made(f))
	f.Fuzz(func(_ *testing.T, content []byte) { _, _, _ = read(content) })
}
