package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func only(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(names) {
		t.Fatalf("%s holds %v, %v", folder, entries, err)
	}
	for i, entry := range entries {
		if entry.Name() != names[i] {
			t.Errorf("%s holds %s", folder, entry.Name())
		}
	}
}

// TestNoFolder: the error names the file that the caller wanted, not the one beside it.
func TestNoFolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none", "a")
	for _, err := range []error{Create(path, nil), Replace(path, nil)} {
		if fault := new(fs.PathError); !errors.As(err, &fault) || fault.Path != path || !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if err := os.Symlink("nowhere", filepath.Join(folder, "b")); err != nil {
		t.Fatal(err)
	}
	if err := Create(filepath.Join(folder, "b"), []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a link: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || read(t, path) != "one" {
		t.Errorf("%v, %v, %q", info.Mode(), err, read(t, path))
	}
	only(t, folder, "a", "b")
}

func TestReplaceThroughLink(t *testing.T) {
	t.Parallel()
	near, far := t.TempDir(), t.TempDir()
	file, link, second := filepath.Join(far, "wallet"), filepath.Join(near, "link"), filepath.Join(near, "second")
	if err := Replace(file, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(file, link), os.Symlink("link", second)); err != nil {
		t.Fatal(err)
	}
	if err := Replace(second, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if read(t, file) != "two" {
		t.Error("the file that the link leads to is stale")
	}
	for _, path := range []string{link, second} {
		if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s became a file: %v", path, err)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	only(t, far, "wallet")
	only(t, near, "link", "second")
}

func TestReplaceOfDanglingLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	if err := os.Symlink(filepath.Join(folder, "unmounted", "wallet"), link); err != nil {
		t.Fatal(err)
	}
	if err := Replace(link, []byte("one")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	only(t, folder, "link")
}

func TestReplaceFailure(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(folder, "sub"), []byte("one")); err == nil {
		t.Error("a folder was replaced")
	}
	only(t, folder, "sub")
}
