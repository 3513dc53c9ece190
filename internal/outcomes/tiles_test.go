package outcomes_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

// TestOtherImplementation lets another implementation of tlog-tiles, filippo.io/torchwood, follow the files of a log as it grows: checkpoints, all
// entries, and proofs of single ones. It finds a changed leaf.
func TestOtherImplementation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	key, verifierKey, err := note.GenerateKey(rand.Reader, "lockstep/town/0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		content, err := w.log.File(strings.TrimPrefix(r.URL.Path, "/"), w.at.Size)
		if err != nil {
			http.NotFound(out, r)
			return
		}
		_, _ = out.Write(content)
	}))
	t.Cleanup(server.Close)
	seen := 0
	for _, count := range []int{1, 254, 1, 1, 700, segment} {
		w.grow(count)
		signed, err := outcomes.Checkpoint(w.at.Head(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if head, err := outcomes.ReadCheckpoint(signed, verifierKey); err != nil || head != w.at.Head() {
			t.Errorf("the checkpoint says %+v (%v)", head, err)
		}
		verifier, err := note.NewVerifier(verifierKey)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open(signed, note.VerifierList(verifier))
		if err != nil {
			t.Fatal(err)
		}
		checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
		if err != nil || checkpoint.Origin != signer.Name() {
			t.Fatalf("%+v, %v", checkpoint, err)
		}
		for index, entry := range follower(t, server.URL).entries(checkpoint.Tree, int64(seen)) {
			if index != int64(seen) || !bytes.Equal(entry, w.leaves[seen]) {
				t.Fatalf("entry %d comes as %d", seen, index)
			}
			seen++
		}
		last := int64(len(w.leaves) - 1)
		entry, proof, err := follower(t, server.URL).Entry(t.Context(), checkpoint.Tree, last)
		if err != nil || !bytes.Equal(entry, w.leaves[last]) || tlog.CheckRecord(proof, checkpoint.N, checkpoint.Hash, last, tlog.RecordHash(entry)) != nil {
			t.Fatalf("entry %d of %d: %v", last, checkpoint.N, err)
		}
	}
	if seen < len(w.leaves)-256 { // it leaves the entries of an unfinished bundle to a later checkpoint
		t.Errorf("%d of %d entries were seen", seen, len(w.leaves))
	}
	changed := filepath.Join(string(w.files), "segment-000000000")
	content := must(os.ReadFile(changed))
	content[3] ^= 1
	write(t, changed, content)
	client := follower(t, server.URL)
	for range client.Entries(t.Context(), tlog.Tree{N: int64(w.at.Size), Hash: tlog.Hash(w.at.Head().Root)}, 0) {
		break
	}
	if client.Err() == nil {
		t.Error("a changed leaf is not found")
	}
}

type tileClient struct {
	*torchwood.Client
	t *testing.T
}

func follower(t *testing.T, url string) *tileClient {
	t.Helper()
	fetcher, err := torchwood.NewTileFetcher(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher, torchwood.WithTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return &tileClient{client, t}
}

// entries yields the entries of a tree, which must come without an error.
func (c *tileClient) entries(tree tlog.Tree, start int64) func(func(int64, []byte) bool) {
	return func(yield func(int64, []byte) bool) {
		for index, entry := range c.Entries(c.t.Context(), tree, start) {
			if !yield(index, entry) {
				return
			}
		}
		if err := c.Err(); err != nil {
			c.t.Fatal(err)
		}
	}
}

// TestTiler: tiles computed from leaves are those that the log serves, with paths that torchwood reads; all files of a tree are there, and no others.
func TestTiler(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	w.grow(segment + 700)
	for _, size := range []uint64{1, 255, 256, 257, segment, segment + 256, segment + 700} {
		var tiler outcomes.Tiler
		files := map[string][]byte{}
		keep := func(path string, tile []byte) error {
			files[path] = slices.Clone(tile)
			return nil
		}
		for path := range outcomes.Bundles(size) {
			bundle := must(w.log.File(path, size))
			files[path] = bundle
			if err := tiler.Add(must(outcomes.ReadBundle(bundle)), keep); err != nil {
				t.Fatal(err)
			}
		}
		head, err := tiler.Finish(keep)
		if err != nil || head.Size != size || head.Root != must(w.log.Root(size)) {
			t.Fatalf("%d leaves: %+v, %v", size, head, err)
		}
		for path, content := range files { // any order
			tile, err := torchwood.ParseTilePath(path)
			if err != nil || torchwood.TilePath(tile) != path {
				t.Fatalf("%s: %v", path, err)
			}
			if served, err := w.log.File(path, size); err != nil || !bytes.Equal(served, content) {
				t.Fatalf("%s is served with %d bytes, and has %d (%v)", path, len(served), len(content), err)
			}
		}
	}
}

// TestPathsOfNoTile asks for files that are not there, under names of all kinds.
func TestPathsOfNoTile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.grow(300)
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/1", "tile/0/0001", "tile/0/001", "tile/0/001.p/45", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01",
		"tile/1/000", "tile/1/000.p/2", "tile/8/000", "tile/64/000.p/1", "tile/entries/001", "tile/entries/001.p/45", "tile/-1/000", "tile/entries/../../x", "tile/0/x000/000",
		"tile/0/999", "tile/data/000", "tile/entries/x999/x999/x999/x999/x999/x999/999", "checkpoint", strings.Repeat("tile/", 1000),
	} {
		if content, err := w.log.File(path, w.at.Size); types.CodeOf(err) != types.CodeNotFound {
			t.Errorf("%.40q has %d bytes (%v)", path, len(content), err)
		}
	}
	for _, path := range []string{"tile/0/000", "tile/0/000.p/1", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/000.p/255", "tile/entries/001.p/44"} {
		if _, err := w.log.File(path, w.at.Size); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := w.log.File("tile/0/000", 255); err == nil {
		t.Error("a tile is served before the tree has it")
	}
}

// TestExport brings a folder up to date, and finds files in it that were changed.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	dir, fetched := t.TempDir(), 0
	export := func() (int, error) {
		size := w.at.Size
		return outcomes.Export(dir, types.LogHead{}, w.at.Head(), func(path string) ([]byte, error) {
			fetched++
			return w.log.File(path, size)
		})
	}
	w.grow(600)
	if fresh, err := export(); err != nil || fresh != 7 || fetched != 3 { // two bundles and a part, their tiles, and a part of level 1
		t.Fatalf("%d new files, %d fetched, %v", fresh, fetched, err)
	}
	if fresh, err := export(); err != nil || fresh != 0 || fetched != 3 {
		t.Fatalf("%d new files, %d fetched, %v", fresh, fetched, err)
	}
	w.grow(200)
	if fresh, err := export(); err != nil || fresh != 5 || fetched != 5 {
		t.Fatalf("%d new files, %d fetched, %v", fresh, fetched, err)
	}
	for _, path := range []string{"tile/0/000", "tile/1/000.p/3", "tile/entries/000", "tile/entries/003.p/32"} {
		file := filepath.Join(dir, path)
		content := must(os.ReadFile(file))
		write(t, file, append([]byte{content[0], content[1], content[2] ^ 1}, content[3:]...))
		if _, err := export(); err == nil {
			t.Errorf("%s was changed, and nothing is said", path)
		}
		write(t, file, content)
	}
	other := w.at.Head()
	other.Root[0] ^= 1
	if _, err := outcomes.Export(dir, types.LogHead{}, other, nil); err == nil || !strings.Contains(err.Error(), "have the root") {
		t.Errorf("another root: %v", err)
	}
}

// TestExportOfARewrittenLog: a node that changes, or takes back, a leaf that an earlier export has is found, though all it says now is consistent.
func TestExportOfARewrittenLog(t *testing.T) {
	t.Parallel()
	honest, forked := newWorld(t, 9), newWorld(t, 10)
	honest.grow(256 + 100)
	forked.grow(256 + 200)
	for _, size := range []uint64{1, 100, 255, 256, 257, 356} {
		dir := t.TempDir()
		from := func(w *world, before types.LogHead, size uint64) error {
			_, err := outcomes.Export(dir, before, types.LogHead{Size: size, Root: must(w.log.Root(size))}, func(path string) ([]byte, error) { return w.log.File(path, size) })
			return err
		}
		before := types.LogHead{Size: size, Root: must(honest.log.Root(size))}
		if err := errors.Join(from(honest, types.LogHead{}, size), from(honest, before, size), from(honest, before, 356)); err != nil {
			t.Fatalf("%d: %v", size, err)
		}
		dir = t.TempDir() // so that no full bundle tells
		for _, now := range []uint64{size, 456} {
			if err := from(forked, before, now); err == nil || !strings.Contains(err.Error(), "a log only grows") {
				t.Errorf("%d of %d are others: %v", size, now, err)
			}
		}
		if err := from(honest, before, size-1); err == nil || !strings.Contains(err.Error(), "a log only grows") {
			t.Errorf("one of %d is taken back: %v", size, err)
		}
	}
	for name, change := range map[string]func([]byte) []byte{
		"no leaf":       func([]byte) []byte { return nil },
		"one too many":  func(b []byte) []byte { return append(slices.Clone(b), 0, 0) },
		"half a bundle": func([]byte) []byte { return must(honest.log.File("tile/entries/000.p/100", 356)) },
	} {
		dir := t.TempDir()
		_, err := outcomes.Export(dir, types.LogHead{}, types.LogHead{Size: 256, Root: must(honest.log.Root(256))}, func(path string) ([]byte, error) { return change(must(honest.log.File(path, 356))), nil })
		if _, missing := os.Stat(filepath.Join(dir, "tile/entries/000")); err == nil || !strings.Contains(err.Error(), "leaves, not 256") || !errors.Is(missing, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v", name, err, missing)
		}
	}
}

// TestForgedCheckpoint changes a checkpoint, and signs one by another key.
func TestForgedCheckpoint(t *testing.T) {
	t.Parallel()
	head := types.LogHead{Size: 5, Root: types.Hash{1}}
	key, verifierKey, err := note.GenerateKey(rand.Reader, "town")
	if err != nil {
		t.Fatal(err)
	}
	signer := must(note.NewSigner(key))
	good := must(outcomes.Checkpoint(head, signer))
	for i := range len(good) - 4 { // the last digits of base64 have room for bits that mean nothing
		bad := slices.Clone(good)
		bad[i] ^= 1
		if got, err := outcomes.ReadCheckpoint(bad, verifierKey); err == nil {
			t.Fatalf("byte %d is changed, and it says %+v", i, got)
		}
	}
	_, otherKey, err := note.GenerateKey(rand.Reader, "town")
	if err != nil {
		t.Fatal(err)
	}
	for name, verifier := range map[string]string{"another key": otherKey, "no key": "town"} {
		if _, err := outcomes.ReadCheckpoint(good, verifier); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, text := range []string{"town\n5\n", "town\nfive\nAAAA\n", "other\n5\nAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "town\n5\nAQAA\n"} {
		signed := must(note.Sign(&note.Note{Text: text}, signer))
		if _, err := outcomes.ReadCheckpoint(signed, verifierKey); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func FuzzReadBundle(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 0})
	f.Add([]byte{0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, bundle []byte) {
		leaves, err := outcomes.ReadBundle(bundle)
		if err != nil {
			return
		}
		var again []byte
		for _, leaf := range leaves {
			again = append(append(again, byte(len(leaf)>>8), byte(len(leaf))), leaf...)
		}
		if !bytes.Equal(again, bundle) {
			t.Fatalf("%x was read as %x", bundle, again)
		}
	})
}
