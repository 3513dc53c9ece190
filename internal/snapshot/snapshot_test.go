package snapshot

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// written is the entries that a test has put into a stream.
type written struct {
	state  []ledger.Change
	blocks [][]ledger.Change
	ended  int
}

// reader collects the entries that it reads.
func (w *written) reader() *Reader {
	return &Reader{
		State: func(entries []ledger.Change) error { w.state = append(w.state, entries...); return nil },
		Ended: func() error { w.ended++; return nil },
		Block: func(changes []ledger.Change) error { w.blocks = append(w.blocks, changes); return nil },
	}
}

func (w *written) stream() (stream []byte) {
	for _, entry := range w.state {
		stream = AppendEntry(stream, entry.Key, entry.New)
	}
	stream = AppendEnd(stream)
	for _, block := range w.blocks {
		stream = AppendBlock(stream, block)
	}
	return stream
}

func sample() *written {
	w := &written{ended: 1}
	for i := range 300 {
		w.state = append(w.state, ledger.Change{Key: fmt.Sprintf("key %06d", i), New: bytes.Repeat([]byte{byte(i)}, i*100)})
	}
	w.blocks = [][]ledger.Change{
		nil, {{Key: "a", New: []byte{}}, {Key: "b", Old: []byte{}}, {Key: "c", Old: []byte{1}, New: []byte{2, 3}}}, nil, {{Key: "a", Old: []byte{}, New: bytes.Repeat([]byte{7}, 1000)}},
	}
	return w
}

func same(a, b *written) bool {
	equal := func(x, y ledger.Change) bool {
		return x.Key == y.Key && bytes.Equal(x.Old, y.Old) && bytes.Equal(x.New, y.New) && (x.Old == nil) == (y.Old == nil) && (x.New == nil) == (y.New == nil)
	}
	return a.ended == b.ended && slices.EqualFunc(a.state, b.state, equal) &&
		slices.EqualFunc(a.blocks, b.blocks, func(x, y []ledger.Change) bool { return slices.EqualFunc(x, y, equal) })
}

// TestFolder writes snapshots of several chunks, reads them in order, and refuses damaged files.
func TestFolder(t *testing.T) {
	t.Parallel()
	folder := Folder(t.TempDir())
	if heights, err := folder.Heights(); err != nil || len(heights) > 0 {
		t.Fatal(heights, err)
	}
	want := sample()
	stream := want.stream()
	if len(stream) <= ChunkBytes {
		t.Fatalf("%d bytes are one chunk", len(stream))
	}
	for _, height := range []uint64{1000, 5, 90} {
		w, err := Create(folder)
		if err != nil {
			t.Fatal(err)
		}
		for rest := stream; len(rest) > 0; {
			piece := rest[:min(len(rest), 3<<20)]
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
			rest = rest[len(piece):]
		}
		if err := w.Finish(Head{Height: height - 4, Links: make([]Link, 4)}); err != nil {
			t.Fatal(err)
		}
	}
	unfinished, err := Create(folder)
	if err == nil {
		_, err = unfinished.Write(make([]byte, ChunkBytes+1))
	}
	if err != nil {
		t.Fatal(err)
	}
	if heights, err := folder.Heights(); err != nil || !slices.Equal(heights, []uint64{1000, 90, 5}) {
		t.Errorf("there are snapshots of %d (%v)", heights, err)
	}
	head, err := folder.Head(90)
	if err != nil || head.Bytes != uint64(len(stream)) || len(head.Chunks) != (len(stream)+ChunkBytes-1)/ChunkBytes {
		t.Fatalf("the head is %+v (%v)", head, err)
	}
	got := new(written)
	r := got.reader()
	for i := range head.Chunks {
		chunk, err := folder.Chunk(90, uint32(i))
		if err == nil {
			err = r.Add(chunk)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Finish(len(want.blocks)); err != nil || !same(got, want) {
		t.Errorf("the stream comes back changed (%v)", err)
	}
	if err := r.Finish(len(want.blocks) + 1); err == nil {
		t.Error("a block is missing, and nothing is said")
	}
	if _, err := folder.Chunk(90, uint32(len(head.Chunks))); err == nil {
		t.Error("there is a chunk too many")
	}
	if err := folder.Check(); err != nil {
		t.Error(err)
	}
	if err := folder.Trim(1); err != nil {
		t.Fatal(err)
	}
	if heights, err := folder.Heights(); err != nil || !slices.Equal(heights, []uint64{1000}) {
		t.Errorf("there are snapshots of %d (%v)", heights, err)
	}
	for _, name := range []string{chunkFile(1), headFile} {
		path := filepath.Join(folder.path(1000), name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		altered := slices.Clone(content)
		altered[len(altered)/3] ^= 1
		for _, damaged := range [][]byte{altered, content[:len(content)-1], nil} {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := folder.Check(); err == nil || !strings.Contains(err.Error(), "remove the folder "+folder.path(1000)) {
				t.Errorf("%s has other bytes, and the check says: %v", name, err)
			}
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(folder.path(1000), folder.path(999)); err != nil {
		t.Fatal(err)
	}
	if err := folder.Check(); err == nil {
		t.Error("a snapshot stands under another height")
	}
}

// FuzzReader reads streams of all kinds in two pieces: it ends with an error or with the entries of the stream, the same as in one piece.
func FuzzReader(f *testing.F) {
	f.Add(sample().stream()[:2000], uint16(7))
	small := &written{state: []ledger.Change{{Key: "a", New: []byte{1}}, {Key: "b", New: []byte{}}}, blocks: sample().blocks}
	f.Add(small.stream(), uint16(3))
	f.Add([]byte{1, 'b', 0, 1, 'a', 0}, uint16(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, uint16(0))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		whole, parts := new(written), new(written)
		one, other := whole.reader(), parts.reader()
		err := one.Add(stream)
		at := min(int(cut), len(stream))
		otherErr := other.Add(stream[:at])
		if otherErr == nil {
			otherErr = other.Add(stream[at:])
		}
		if (err == nil) != (otherErr == nil) {
			t.Fatalf("in one piece: %v, in two: %v", err, otherErr)
		}
		if err == nil && one.Finish(one.blocks) == nil && (!same(whole, parts) || other.Finish(one.blocks) != nil) {
			t.Error("in two pieces another stream comes")
		}
	})
}

// FuzzHead reads heads of all kinds.
func FuzzHead(f *testing.F) {
	f.Add(types.Encode(&Head{Height: 128, Links: make([]Link, 32), Chunks: []types.Hash{{1}}, Bytes: 5}))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		head := new(Head)
		if types.Decode(encoded, head) != nil {
			return
		}
		if !bytes.Equal(types.Encode(head), encoded) {
			t.Errorf("%x is read as %+v", encoded, head)
		}
		if _, err := head.Check(ledger.StandardCheckpoints(), types.Hash{1}); err == nil {
			t.Error("a head of nothing is taken")
		}
	})
}
