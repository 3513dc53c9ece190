package snapshot

import (
	"crypto/sha256"
	"fmt"

	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
	"lockstep/types/canon"
)

// Format is the version of head and stream.
const Format = 1

// ChunkBytes is the size of each chunk but the last one.
const ChunkBytes = 4 << 20

const (
	maxLinks  = 1 << 10
	maxChunks = 1 << 20 // 4 TiB
)

// Head describes a snapshot: the state at a checkpoint, and the changes of the blocks up to the one in which the sum of that state enters the commitment.
type Head struct {
	Height     uint64        // of the checkpoint
	State      types.Hash    // the state hash of its block
	Log        types.LogHead // of the log of outcomes there
	Checkpoint types.Hash    // of the whole state, see [ledger.Accumulator.StateHash]
	Links      []Link        // of the blocks behind it, in order
	End        outcomes.Mark // where the last of them leaves the log of outcomes
	Chunks     []types.Hash
	Bytes      uint64 // of all chunks
}

// Link has the hashes of a block behind the checkpoint.
type Link struct {
	Changes types.Hash
	Log     types.LogHead
}

// Fields is the stored form, see [canon.Value].
func (h *Head) Fields(c *canon.Coder) {
	c.Array(8)
	canon.Number(c, "height", &h.Height)
	c.Bytes("state", h.State[:])
	canon.Part(c, "log", &h.Log, (*types.LogHead).Fields)
	c.Bytes("checkpoint", h.Checkpoint[:])
	canon.LongList(c, "links", &h.Links, maxLinks, (*Link).Fields)
	canon.Part(c, "end", &h.End, (*outcomes.Mark).Fields)
	canon.LongList(c, "chunks", &h.Chunks, maxChunks, func(hash *types.Hash, c *canon.Coder) { c.Bytes("chunk", hash[:]) })
	canon.Number(c, "bytes", &h.Bytes)
}

// Fields is the stored form, see [canon.Value].
func (l *Link) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("changes", l.Changes[:])
	canon.Part(c, "log", &l.Log, (*types.LogHead).Fields)
}

// Last is the height of the block that the snapshot leads to.
func (h *Head) Last() uint64 { return h.Height + uint64(len(h.Links)) }

// Hash names the snapshot.
func (h *Head) Hash() types.Hash { return sha256.Sum256(types.Encode(h)) }

// Check proves a head by the app hash of its last block, which the caller trusts: from then on each hash in it but those of the chunks is that of the ledger. It returns
// the state hash of the last block.
func (h *Head) Check(checkpoints ledger.Checkpoints, trusted types.Hash) (state types.Hash, err error) {
	if !checkpoints.At(h.Height) || uint64(len(h.Links)) != checkpoints.Delay {
		return state, fmt.Errorf("the snapshot is of block %d with %d blocks behind it; the ledger has a checkpoint every %d blocks, whose sum enters %d blocks later",
			h.Height, len(h.Links), checkpoints.Every, checkpoints.Delay)
	}
	if want := (h.Bytes + ChunkBytes - 1) / ChunkBytes; uint64(len(h.Chunks)) != want || h.Bytes == 0 {
		return state, fmt.Errorf("the snapshot has %d chunks, and its %d bytes need %d", len(h.Chunks), h.Bytes, want)
	}
	app := types.AppHash(h.State, h.Log)
	for i, link := range h.Links {
		next := ledger.Link{Height: h.Height + uint64(i) + 1, Before: app, Changes: link.Changes}
		if i == len(h.Links)-1 {
			next.Checkpoint = h.Checkpoint
		}
		state = next.Hash()
		app = types.AppHash(state, link.Log)
	}
	if app != trusted {
		return state, fmt.Errorf("the snapshot leads to the app hash %s of block %d, and the trusted one is %s", app, h.Last(), trusted)
	}
	if !h.End.Valid() || h.End.Head() != h.Links[len(h.Links)-1].Log {
		return state, fmt.Errorf("the snapshot leaves the log of outcomes at another place than block %d", h.Last())
	}
	return state, nil
}
