package index_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/types"
)

func (w *world) checkIndex(file string) (digest types.Hash, err error) {
	w.t.Helper()
	w.read(func(s *store.IndexedSnapshot) {
		digest, err = index.Check(w.t.Context(), file, w.params.Hash(), source{s}, quiet)
	})
	return digest, err
}

// TestCheckContent: an index of which one amount is another is found by its digest, though its file is whole.
func TestCheckContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.issueFirst()
	w.play(60, nil)
	file := filepath.Join(t.TempDir(), "index.db")
	if digest, err := w.checkIndex(file); err != nil || digest != (types.Hash{}) {
		t.Errorf("without a file: %s, %v", digest, err)
	}
	x := w.open(file)
	w.follow(x)
	want := digest(t, x)
	closeIndex(t, x)
	w.play(5, nil) // the check follows the rest
	got, err := w.checkIndex(file)
	if err != nil || got == want {
		t.Errorf("checked %s, %v; before the last blocks %s", got, err, want)
	}
	if _, err := os.Stat(file + ".check"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the index beside it is left: %v", err)
	}
	for _, tamper := range []string{
		"UPDATE trades SET deliver_by = deliver_by + 1 WHERE n = 1", "DELETE FROM moments WHERE agreed_at = (SELECT max(agreed_at) FROM moments)",
		"UPDATE parties SET key = zeroblob(32) WHERE n = 1", "UPDATE conduct SET sums = zeroblob(length(sums)) WHERE party = (SELECT min(party) FROM conduct)",
	} {
		w.tamper(file, tamper)
	}
}

// tamper changes an index, wants the check to find it, and builds the index anew.
func (w *world) tamper(file, statement string) {
	w.t.Helper()
	x := w.open(file)
	if err := x.Tamper(statement); err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
	closeIndex(w.t, x)
	if _, err := w.checkIndex(file); !errors.Is(err, index.ErrDamaged) {
		w.t.Errorf("after %q: %v", statement, err)
	}
	x = w.open(file)
	if err := x.Reset(); err != nil {
		w.t.Fatal(err)
	}
	w.follow(x)
	closeIndex(w.t, x)
}
