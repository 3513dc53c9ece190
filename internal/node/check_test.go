package node

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/types"
)

// harmless are the files in which a flipped bit does no harm: the ledger does not depend on them, or the next start restores their content.
// docs/how-to/run-a-node.md lists them.
var harmless = []string{
	"node.json", "api.token", "engine/data/clock.json", "engine/data/home.json", "engine/config/addrbook.json", "engine/data/cs.wal/",
	"/LOCK", "/LOG", "/LOG.old", "/CURRENT.bak", "ledger/MANIFEST-000001", "ledger/OPTIONS-", "index.db-wal", "index.db-shm", "ledger/marker.",
}

func isHarmless(name string) bool {
	return slices.ContainsFunc(harmless, func(part string) bool { return strings.Contains("/"+name, part) }) ||
		strings.HasPrefix(name, "ledger/") && strings.HasSuffix(name, ".log") // its blocks are replayed
}

// TestCheckAfterBitFlips flips bits of every file of a node in turn. The check finds each flip, or the file is harmless and the check
// recomputes the same results as before.
func TestCheckAfterBitFlips(t *testing.T) {
	t.Parallel()
	dir := initNode(t, types.DefaultParams("test"))
	n, stop := start(t, dir)
	for i := range 5 {
		must(t, n.Ledger(), mint(n.Params(), types.Amount(10+i), "peter", "clara"))
	}
	awaitIndex(t, n)
	stop()
	quiet := slog.New(slog.DiscardHandler)
	want, err := Check(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if want.Engine.Blocks != want.Height || want.Index == (types.Hash{}) {
		t.Errorf("checked %+v", want)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(content) == 0 {
				return
			}
			for _, at := range []int{len(content) / 7, len(content) / 2, len(content) * 6 / 7} {
				checkFlipped(t, dir, name, content, at, want)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFlipped(t *testing.T, dir, name string, content []byte, at int, want CheckReport) {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(content)
	flipped[at] ^= 1
	if err := os.WriteFile(filepath.Join(copied, name), flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Check(copied, slog.New(slog.DiscardHandler))
	switch {
	case err != nil:
	case !isHarmless(name) && name != indexFile: // a database uses only a part of a page
		t.Errorf("byte %d of %d: not found", at, len(content))
	case !reflect.DeepEqual(got, want) && got.Height == want.Height:
		t.Errorf("byte %d: nothing is found, yet it checked %+v, before %+v", at, got, want)
	}
}

// awaitIndex waits until the index has reached the last block.
func awaitIndex(t *testing.T, n *Node) {
	t.Helper()
	for height := n.store.Height(); ; time.Sleep(time.Millisecond) {
		at, err := n.index.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if at.Height >= height {
			return
		}
	}
}
