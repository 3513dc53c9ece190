package chain

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	abci "github.com/cometbft/cometbft/abci/types"

	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// restoring is a snapshot that the store takes over.
type restoring struct {
	*store.Restore
	head *snapshot.Head
	next uint32 // chunk
}

// ListSnapshots returns the snapshots that this node offers to its peers.
func (a *application) ListSnapshots(context.Context, *abci.RequestListSnapshots) (*abci.ResponseListSnapshots, error) {
	folder, response := a.store.Snapshots(), new(abci.ResponseListSnapshots)
	if folder == "" {
		return response, nil
	}
	heights, err := folder.Heights()
	if err != nil {
		return nil, err
	}
	for _, height := range heights {
		head, err := folder.Head(height)
		if err != nil {
			a.logger.Warn("a snapshot is not offered", "why", err)
			continue
		}
		hash := head.Hash()
		response.Snapshots = append(response.Snapshots, &abci.Snapshot{
			Height: height, Format: snapshot.Format, Chunks: uint32(len(head.Chunks)), Hash: hash[:], Metadata: types.Encode(head),
		})
	}
	return response, nil
}

// LoadSnapshotChunk returns a chunk of a snapshot, or none when this node has it no more.
func (a *application) LoadSnapshotChunk(_ context.Context, request *abci.RequestLoadSnapshotChunk) (*abci.ResponseLoadSnapshotChunk, error) {
	response, folder := new(abci.ResponseLoadSnapshotChunk), a.store.Snapshots()
	if request.Format != snapshot.Format || folder == "" {
		return response, nil
	}
	var err error
	if response.Chunk, err = folder.Chunk(request.Height, request.Chunk); err != nil {
		a.logger.Warn("a peer asked for a chunk of a snapshot that this node can't send", "why", err)
	}
	return response, nil
}

// OfferSnapshot takes a snapshot whose head is proved by the app hash of its last block, which the engine has from a verified header.
func (a *application) OfferSnapshot(_ context.Context, request *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	offered := request.Snapshot
	if offered == nil || offered.Format != snapshot.Format {
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT_FORMAT}, nil
	}
	if err := a.abandon(); err != nil {
		return nil, err
	}
	head := new(snapshot.Head)
	err := types.Decode(offered.Metadata, head)
	switch hash := head.Hash(); {
	case err != nil:
	case string(hash[:]) != string(offered.Hash) || head.Last() != offered.Height || uint64(offered.Chunks) != uint64(len(head.Chunks)) || len(request.AppHash) != len(types.Hash{}):
		err = errors.New("its head is of another snapshot than the one that is offered")
	default:
		restore, restoreErr := a.store.Restore(head, types.Hash(request.AppHash))
		if err = restoreErr; err == nil {
			a.restoring = &restoring{Restore: restore, head: head}
		}
	}
	if err != nil {
		a.logger.Warn("a snapshot of a peer is refused", "height", offered.Height, "why", err)
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT}, nil
	}
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ACCEPT}, nil
}

// abandon gives up a snapshot that is being taken over.
func (a *application) abandon() error {
	if a.restoring == nil {
		return nil
	}
	restore := a.restoring
	a.restoring = nil
	return restore.Abort()
}

// ApplySnapshotChunk adds the next chunk. A chunk with another hash than the head says is its sender's fault, and is asked for again; a snapshot whose chunks have their
// hashes, and whose sum is another than the ledger's, is its maker's.
func (a *application) ApplySnapshotChunk(_ context.Context, request *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	r := a.restoring
	if r == nil || request.Index != r.next {
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_RETRY_SNAPSHOT}, a.abandon()
	}
	if sha256.Sum256(request.Chunk) != r.head.Chunks[r.next] {
		a.logger.Warn("a peer has sent a wrong chunk of a snapshot; it is asked of another", "peer", request.Sender, "chunk", request.Index)
		return &abci.ResponseApplySnapshotChunk{
			Result: abci.ResponseApplySnapshotChunk_RETRY, RefetchChunks: []uint32{request.Index}, RejectSenders: []string{request.Sender},
		}, nil
	}
	err := r.Add(request.Chunk)
	if r.next++; err == nil && int(r.next) == len(r.head.Chunks) {
		if err = r.Finish(); err == nil {
			a.restoring = nil
			return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, a.restored()
		}
	}
	switch {
	case err == nil:
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
	case types.CodeOf(err) == types.CodeUnavailable:
		a.failure.set(fmt.Errorf("take over a snapshot: %w", err))
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, a.abandon()
	}
	a.logger.Warn("a snapshot of a peer is refused", "height", r.head.Last(), "why", err)
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT}, a.abandon()
}

// restored lets clock and pool begin at the state of a snapshot.
func (a *application) restored() error {
	head, err := a.store.Head()
	if err != nil {
		return err
	}
	a.clock.decided(head.Clock().BlockTime.Std())
	a.logger.Info("the state is taken over from a snapshot", "height", head.Height(), slog.String("commitment", head.Commitment().String()))
	a.pool.turn.Lock()
	defer a.pool.turn.Unlock()
	return errors.Join(head.Close(), a.pool.resetCheckState())
}
