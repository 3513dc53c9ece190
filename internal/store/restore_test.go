package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// snapshots makes one at each checkpoint of a world that has no blocks yet.
func (w *world) snapshots() snapshot.Folder {
	folder := snapshot.Folder(w.t.TempDir())
	w.store.MakeSnapshots(store.Snapshots{Folder: folder, Every: 1, Keep: 1})
	return folder
}

// newest waits for the snapshot of a block.
func (w *world) newest(folder snapshot.Folder, height uint64) *snapshot.Head {
	w.t.Helper()
	w.store.AwaitSnapshot()
	heights, err := folder.Heights()
	if err != nil || !slices.Equal(heights, []uint64{height}) {
		w.t.Fatalf("there are snapshots of blocks %d, want of %d alone (%v)", heights, height, err)
	}
	head, err := folder.Head(height)
	if err != nil {
		w.t.Fatal(err)
	}
	return head
}

// chunks reads all chunks of a snapshot.
func chunks(t *testing.T, folder snapshot.Folder, head *snapshot.Head) (stream []byte) {
	t.Helper()
	for i := range head.Chunks {
		chunk, err := folder.Chunk(head.Last(), uint32(i))
		if err != nil {
			t.Fatal(err)
		}
		stream = append(stream, chunk...)
	}
	return stream
}

// busy makes blocks of all kinds of entries up to a height, among them trades that begin, go on and end in the blocks behind a checkpoint, and returns the commitments.
func (w *world) busy(until uint64) (commitments []types.Hash) {
	w.t.Helper()
	done := func() bool {
		w.store.AwaitSnapshot() // blocks come faster here than snapshots are written
		commitments = append(commitments, w.store.Commitment())
		return w.store.Height() >= until
	}
	mint := w.mint(110, "clara", "clara", "clara", "clara")
	w.must(mint)
	for nonce := uint32(0); !done(); nonce++ {
		switch {
		case nonce < 3 && w.store.Height()+7 < until:
			id := w.trade(uint64(nonce), types.Outpoint{Tx: mint.ID(), Index: nonce})
			if nonce != 1 {
				w.collect(id)
			}
		case nonce == 3:
			w.must(w.place("mallory"), w.agree(w.agreement(7)))
		default:
			w.block(w.mint(types.Amount(nonce), "peter"), w.pay(types.Outpoint{Tx: types.TxID{1}}, 1, "mallory", "peter"))
		}
	}
	return commitments
}

// restore fills an empty world from a stream, in pieces of random sizes.
func (w *world) restore(head *snapshot.Head, trusted types.Hash, stream []byte, random *rand.Rand) error {
	r, err := w.store.Restore(head, trusted)
	if err != nil {
		return err
	}
	for len(stream) > 0 && err == nil {
		size := min(1+random.IntN(3000), len(stream))
		err = r.Add(stream[:size])
		stream = stream[size:]
	}
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		if abortErr := r.Abort(); abortErr != nil {
			w.t.Fatal(abortErr)
		}
	}
	return err
}

// TestSnapshot takes a snapshot of a running ledger over into an empty store, which continues with the same commitments, also after a start.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, last := range []uint64{6, 14, 22} { // the blocks behind a checkpoint hold other steps of trades each time
		old := newWorld(t)
		folder := old.snapshots()
		old.busy(last + 1)
		head := old.newest(folder, last)
		block, err := old.store.Block(last)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		random := rand.New(rand.NewPCG(last, 1))
		if err := w.restore(head, block.Commitment, chunks(t, folder, head), random); err != nil {
			t.Fatal(err)
		}
		if w.store.Height() != last || w.store.Commitment() != block.Commitment || w.store.Base() != last {
			t.Fatalf("the store is at block %d after a snapshot of block %d", w.store.Height(), last)
		}
		if report := w.check(); report.Height != last || report.Blocks != 0 {
			t.Errorf("the check reports %+v", report)
		}
		if _, err := w.store.Block(last); types.CodeOf(err) != types.CodePruned {
			t.Errorf("the last block of the snapshot: %v", err)
		}
		w.time = start.Add(types.Duration(last) * second)
		old2 := newWorld(t) // the same blocks up to there
		old2.busy(last)
		old2.time = w.time
		for height := last + 1; height < last+12; height++ {
			txs := []*types.Tx{w.mint(types.Amount(height), "clara")}
			if one, other := old2.block(txs...), w.block(txs...); one.Commitment != other.Commitment {
				t.Fatalf("block %d commits to another hash after a snapshot of block %d", height, last)
			}
			if height == last+5 {
				w.check()
				w.close()
				w.open()
			}
		}
		w.check()
	}
}

// TestAlteredSnapshot changes a byte of the head or of the stream: each time the snapshot is refused, the store is empty, and takes the right one after that.
func TestAlteredSnapshot(t *testing.T) {
	t.Parallel()
	old := newWorld(t)
	folder := old.snapshots()
	const last = 14
	commitments := old.busy(last)
	head := old.newest(folder, last)
	trusted := commitments[len(commitments)-1]
	stream, encoded := chunks(t, folder, head), types.Encode(head)
	random := rand.New(rand.NewPCG(1, 1))
	ofChunks := len(encoded) - 5 - 34*len(head.Chunks) // their hashes and their length assign blame, and prove nothing
	for at := range ofChunks {
		altered := slices.Clone(encoded)
		altered[at] ^= 1 << random.IntN(8)
		other := new(snapshot.Head)
		if types.Decode(altered, other) != nil {
			continue
		}
		if _, err := other.Check(quick, trusted); err == nil && other.End.Bytes == head.End.Bytes {
			t.Errorf("a head with another byte %d is taken: %+v", at, other)
		}
	}
	w := newWorld(t)
	for at := 0; at < len(stream); at += 1 + random.IntN(40) {
		altered := slices.Clone(stream)
		altered[at] ^= 1 << random.IntN(8)
		if err := w.restore(head, trusted, altered, random); err == nil {
			t.Fatalf("a snapshot with another byte %d of %d is taken", at, len(stream))
		}
		if w.store.Height() != 0 {
			t.Fatalf("byte %d: the store is at block %d", at, w.store.Height())
		}
	}
	for _, stream := range [][]byte{nil, stream[:len(stream)-1], append(slices.Clone(stream), 0)} {
		if err := w.restore(head, trusted, stream, random); err == nil {
			t.Errorf("a stream of %d bytes is taken", len(stream))
		}
	}
	r, err := w.store.Restore(head, trusted)
	if err == nil {
		err = r.Add(stream[:len(stream)/2])
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Crash(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.check() // empty
	if err := w.restore(head, trusted, stream, random); err != nil {
		t.Fatal(err)
	}
	w.check()
	if err := w.restore(head, trusted, stream, random); err != nil { // again: the engine may have lost its part in a crash
		t.Fatal(err)
	}
	w.check()
	w.time = start.Add(1000 * second)
	w.must(w.mint(1, "peter"))
	if _, err := w.store.Restore(head, trusted); err == nil {
		t.Error("a store that has blocks takes a snapshot")
	}
}
