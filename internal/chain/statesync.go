package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	sm "github.com/cometbft/cometbft/state"
	blockstore "github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"

	"lockstep/types"
)

// Sync lets an empty node begin with a snapshot of its peers instead of the first block. The snapshot is checked against headers that are verified.
type Sync struct {
	// Fetch asks a node for the light block of a height. Nothing of the answer is believed.
	Fetch func(ctx context.Context, height uint64) (LightBlock, error)
	// Height and Hash are those of a header that the operator trusts; zero for the genesis, from which validators that have left could forge headers.
	Height uint64
	Hash   types.Hash
}

// headers verifies the headers around a snapshot for the engine: it is a statesync.StateProvider.
type headers struct {
	sync    *Sync
	genesis string // file

	mu     sync.Mutex
	height uint64                  // of the snapshot
	blocks [3]*cmttypes.LightBlock // from that height on
}

// AppHash returns the app hash of a block, from the header after it.
func (h *headers) AppHash(ctx context.Context, height uint64) ([]byte, error) {
	blocks, err := h.verified(ctx, height)
	if err != nil {
		return nil, err
	}
	return blocks[1].AppHash, nil
}

// Commit returns the signatures of a block.
func (h *headers) Commit(ctx context.Context, height uint64) (*cmttypes.Commit, error) {
	blocks, err := h.verified(ctx, height)
	if err != nil {
		return nil, err
	}
	return blocks[0].Commit, nil
}

// State returns the engine's state after a block.
func (h *headers) State(ctx context.Context, height uint64) (state sm.State, err error) {
	blocks, err := h.verified(ctx, height)
	if err != nil {
		return state, err
	}
	doc, err := loadGenesis(h.genesis)
	if err != nil {
		return state, err
	}
	last, current, next := blocks[0], blocks[1], blocks[2]
	if !bytes.Equal(doc.ConsensusParams.Hash(), current.ConsensusHash) {
		return state, fmt.Errorf("block %d has other consensus parameters than the genesis: the node must read all blocks", current.Height)
	}
	params := *doc.ConsensusParams
	params.Version.App = current.Version.App // an upgrade changes it, and the header has it
	return sm.State{
		ChainID: doc.ChainID, InitialHeight: doc.InitialHeight, Version: cmtstate.Version{Consensus: current.Version, Software: version.TMCoreSemVer},
		LastBlockHeight: last.Height, LastBlockTime: last.Time, LastBlockID: last.Commit.BlockID,
		AppHash: current.AppHash, LastResultsHash: current.LastResultsHash,
		LastValidators: last.ValidatorSet, Validators: current.ValidatorSet, NextValidators: next.ValidatorSet, LastHeightValidatorsChanged: next.Height,
		ConsensusParams: params, LastHeightConsensusParamsChanged: current.Height,
	}, nil
}

// verified returns the light blocks of a height and of the two behind it.
func (h *headers) verified(ctx context.Context, height uint64) (*[3]*cmttypes.LightBlock, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.height == height {
		return &h.blocks, nil
	}
	trust, err := h.trust(ctx, height)
	if err != nil {
		return nil, err
	}
	var blocks [3]*cmttypes.LightBlock
	for i := range blocks {
		light, err := h.sync.Fetch(ctx, height+uint64(i))
		if err != nil {
			return nil, fmt.Errorf("ask for header %d: %w", height+uint64(i), err)
		}
		if err := trust.Follow(&light); err != nil {
			return nil, err
		}
		header, commit, err := trust.read(light.Header, light.Commit)
		if err != nil {
			return nil, err
		}
		if uint64(header.Height) != height+uint64(i) {
			return nil, fmt.Errorf("header %d is shown instead of %d", header.Height, height+uint64(i))
		}
		blocks[i] = &cmttypes.LightBlock{SignedHeader: &cmttypes.SignedHeader{Header: header, Commit: commit}, ValidatorSet: trust.set}
	}
	h.height, h.blocks = height, blocks
	return &h.blocks, nil
}

// trust returns the trust from which the headers follow.
func (h *headers) trust(ctx context.Context, height uint64) (*Trust, error) {
	if h.sync.Height == 0 {
		return TrustGenesis(h.genesis)
	}
	if h.sync.Height >= height {
		return nil, fmt.Errorf("the trusted header %d does not come before the snapshot of block %d: trust an earlier one, or wait for the next snapshot", h.sync.Height, height)
	}
	trust := TrustHeader(h.sync.Height, h.sync.Hash)
	light, err := h.sync.Fetch(ctx, h.sync.Height)
	if err != nil {
		return nil, err
	}
	return trust, trust.Follow(&light)
}

// forgetSync removes the engine's part of a snapshot when it has no block of its own yet: the engine can't continue there after a stop, and begins anew. The caller knows
// that the store has no block of its own either. The blocks go last, so that a crash in between leaves work for the next start.
func (c *Chain) forgetSync(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, blockDatabase+".db")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := dbm.NewGoLevelDBWithOpts(blockDatabase, dir, c.config.databaseOptions(blockDatabase))
	if err != nil {
		return databaseError(blockDatabase, dir, err)
	}
	height := blockstore.NewBlockStore(db).Height()
	if err := db.Close(); err != nil || height > 0 {
		return err
	}
	for _, name := range []string{"state", blockDatabase} {
		if err := os.RemoveAll(filepath.Join(dir, name+".db")); err != nil {
			return fmt.Errorf("begin with a snapshot anew: %w", err)
		}
	}
	return nil
}
