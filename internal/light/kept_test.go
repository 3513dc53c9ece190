package light_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/light"
	"lockstep/types"
)

// TestReadKept: a file of an earlier version has the pin alone; a missing file is none, and a damaged one an error.
func TestReadKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "agent.header")
	if kept, err := light.ReadKept(file); err != nil || kept.Height != 0 {
		t.Errorf("%+v, %v", kept, err)
	}
	hash := types.Hash{7}
	text := `{"genesis":"` + types.Hash{1}.String() + `","height":12,"hash":"` + hash.String() + `"}`
	for content, good := range map[string]bool{text + "\n": true, text[:40]: false, strings.Replace(text, "height", "heights", 1): false, "": false} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		kept, err := light.ReadKept(file)
		if (err == nil) != good || good && (kept.Pin() != light.Pin{Height: 12, Hash: hash} || kept.Genesis != types.Hash{1}) {
			t.Errorf("%q: %+v, %v", content, kept, err)
		}
	}
}
