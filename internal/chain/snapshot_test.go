package chain

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/internal/ledger"
	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestSnapshotByTheEngine offers the snapshot of one application to another as the engine does: a wrong app hash and an altered head are refused, an altered chunk is asked of
// another peer, and in the end both make the same blocks.
func TestSnapshotByTheEngine(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	w.store.MakeSnapshots(store.Snapshots{Folder: snapshot.Folder(t.TempDir()), Every: 1})
	a := w.application()
	checkpoints := ledger.StandardCheckpoints()
	last := int64(checkpoints.Every + checkpoints.Delay)
	var trusted []byte
	for height := int64(1); height <= last; height++ {
		trusted = a.block(t, height, w.mint(types.Amount(height), "peter"))
	}
	offered := awaitSnapshot(t, a)
	if offered.Height != uint64(last) || offered.Format != snapshot.Format {
		t.Fatalf("a snapshot of block %d in format %d is offered", offered.Height, offered.Format)
	}
	joined := newWorld(t)
	b := driven{joined.driven, a.begin}
	offer := func(offered *abci.Snapshot, trusted []byte) abci.ResponseOfferSnapshot_Result {
		t.Helper()
		response, err := b.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{Snapshot: offered, AppHash: trusted})
		if err != nil {
			t.Fatal(err)
		}
		return response.Result
	}
	apply := func(index uint32, chunk []byte) *abci.ResponseApplySnapshotChunk {
		t.Helper()
		response, err := b.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{Index: index, Chunk: chunk, Sender: "mallory"})
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	other, format := *offered, *offered
	other.Metadata = slices.Clone(offered.Metadata)
	other.Metadata[20] ^= 1
	format.Format++
	for name, refused := range map[string]struct {
		offered *abci.Snapshot
		trusted []byte
		want    abci.ResponseOfferSnapshot_Result
	}{
		"another app hash": {offered, bytes.Repeat([]byte{1}, 32), abci.ResponseOfferSnapshot_REJECT},
		"no app hash":      {offered, nil, abci.ResponseOfferSnapshot_REJECT},
		"another head":     {&other, trusted, abci.ResponseOfferSnapshot_REJECT},
		"another format":   {&format, trusted, abci.ResponseOfferSnapshot_REJECT_FORMAT},
		"nothing":          {nil, trusted, abci.ResponseOfferSnapshot_REJECT_FORMAT},
	} {
		if got := offer(refused.offered, refused.trusted); got != refused.want {
			t.Errorf("%s: %s, want %s", name, got, refused.want)
		}
	}
	chunk, err := a.LoadSnapshotChunk(ctx, &abci.RequestLoadSnapshotChunk{Height: offered.Height, Format: offered.Format})
	if err != nil || len(chunk.Chunk) == 0 {
		t.Fatalf("the chunk has %d bytes (%v)", len(chunk.Chunk), err)
	}
	if none, err := a.LoadSnapshotChunk(ctx, &abci.RequestLoadSnapshotChunk{Height: offered.Height, Format: offered.Format, Chunk: 1}); err != nil || none.Chunk != nil {
		t.Errorf("a chunk that is not there has %d bytes (%v)", len(none.Chunk), err)
	}
	if got := apply(0, chunk.Chunk); got.Result != abci.ResponseApplySnapshotChunk_RETRY_SNAPSHOT {
		t.Errorf("a chunk of no snapshot: %s", got.Result)
	}
	if got := offer(offered, trusted); got != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("the snapshot: %s", got)
	}
	altered := slices.Clone(chunk.Chunk)
	altered[len(altered)/2] ^= 1
	if got := apply(0, altered); got.Result != abci.ResponseApplySnapshotChunk_RETRY || !slices.Equal(got.RejectSenders, []string{"mallory"}) || !slices.Equal(got.RefetchChunks, []uint32{0}) {
		t.Errorf("an altered chunk: %+v", got)
	}
	if got := apply(0, chunk.Chunk); got.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
		t.Fatalf("the chunk: %s", got.Result)
	}
	if info, err := b.Info(ctx, nil); err != nil || info.LastBlockHeight != last || !bytes.Equal(info.LastBlockAppHash, trusted) {
		t.Errorf("the node is at block %d (%v)", info.LastBlockHeight, err)
	}
	mint := w.mint(5, "clara")
	if one, other := a.block(t, last+1, mint), b.block(t, last+1, mint); !bytes.Equal(one, other) {
		t.Error("the next block commits to another hash")
	}
	joined.check()
	if got := offer(offered, trusted); got != abci.ResponseOfferSnapshot_REJECT {
		t.Errorf("a node that has blocks is offered a snapshot: %s", got)
	}
}

func awaitSnapshot(t testing.TB, a driven) *abci.Snapshot {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		list, err := a.ListSnapshots(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Snapshots) > 0 {
			return list.Snapshots[0]
		}
	}
	t.Fatal("no snapshot was made")
	return nil
}
