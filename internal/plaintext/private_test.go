package plaintext

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lockstep/types"
)

func TestReadPrivate(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "secret")
	if err := os.WriteFile(path, []byte(" hush \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := ReadPrivate(path, 100); err != nil || text != "hush" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := ReadPrivate(path, 3); types.CodeOf(err) != types.CodeTooLarge {
		t.Error(err)
	}
	if _, err := ReadPrivate(filepath.Join(folder, "none"), 100); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPrivate(path, 100); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%o: %v", mode, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", folder+"/")
	if text, err := ReadPrivate(path, 100); err != nil || text != "hush" {
		t.Errorf("a credential: %q %v", text, err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(folder))
	if _, err := ReadPrivate(path, 100); err == nil {
		t.Error("a file below another folder of credentials is read")
	}
}
