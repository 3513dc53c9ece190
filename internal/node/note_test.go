package node

import (
	"path/filepath"
	"testing"
)

// TestNoteKeyOfAnyLedger: each name that a ledger may have gives its log a name by which checkpoints can be signed, and no two give the same.
func TestNoteKeyOfAnyLedger(t *testing.T) {
	t.Parallel()
	const genesis = "0123456789abcdef0123456789abcdef"
	seen := map[string]string{}
	for _, chainID := range []string{"town", "two  towns", "a+b", "a%2Bb", "a%20b", "a b", "a/b", "a\u00a0b", "屋顶", "%"} {
		dir, origin := t.TempDir(), logOrigin(chainID, genesis)
		if err := makeNoteKey(dir, origin); err != nil {
			t.Fatal(err)
		}
		signer, _, err := loadNoteKey(dir)
		if err != nil || signer.Name() != origin {
			t.Errorf("%q: %v", chainID, err)
		}
		if other, taken := seen[origin]; taken {
			t.Errorf("%q and %q have the log %q", chainID, other, origin)
		}
		seen[origin] = chainID
	}
	if got := logOrigin("town", genesis); got != "lockstep/town/0123456789abcdef" {
		t.Error(got)
	}
	if _, _, err := loadNoteKey(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no key is one")
	}
}
