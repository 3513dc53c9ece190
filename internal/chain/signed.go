package chain

import (
	"fmt"

	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// SignedHeader is the header of a block with the signatures of its validators, both in Protobuf.
type SignedHeader struct {
	Height         uint64
	Header, Commit []byte
}

// LightBlock is a signed header with its validators.
type LightBlock struct {
	SignedHeader
	Hash       types.Hash
	Validators []byte // in Protobuf
}

// SignedHeader returns the header of a block, which has the app hash of the block before. Height 0 is the newest block.
func (c *Chain) SignedHeader(height uint64) (SignedHeader, error) {
	signed, err := c.signed(int64(height))
	if err != nil {
		return SignedHeader{}, err
	}
	return encodeSigned(signed)
}

func (c *Chain) signed(height int64) (*cmttypes.SignedHeader, error) {
	blocks := c.engine.BlockStore()
	newest := blocks.Height()
	if height == 0 {
		height = newest
	}
	if height < 1 || height > newest {
		return nil, types.Refuse(types.CodeNotFound, "there is no block %d yet, the newest is %d", height, newest)
	}
	commit := blocks.LoadBlockCommit(height)
	if height == newest || commit == nil {
		commit = blocks.LoadSeenCommit(height)
	}
	meta := blocks.LoadBlockMeta(height)
	if meta == nil || commit == nil {
		return nil, types.Refuse(types.CodePruned, "this node does not keep the header of block %d: it keeps those from %d on; ask a node that keeps all (\"keep\": \"all\")", height, blocks.Base())
	}
	return &cmttypes.SignedHeader{Header: &meta.Header, Commit: commit}, nil
}

func encodeSigned(signed *cmttypes.SignedHeader) (encoded SignedHeader, err error) {
	encoded.Height = uint64(signed.Height)
	if encoded.Header, err = signed.Header.ToProto().Marshal(); err == nil {
		encoded.Commit, err = signed.Commit.ToProto().Marshal()
	}
	return encoded, err
}

// LightBlock returns a header with its signatures and validators. Height 0 is the newest block.
func (c *Chain) LightBlock(height uint64) (LightBlock, error) {
	signed, err := c.signed(int64(height))
	if err != nil {
		return LightBlock{}, err
	}
	environment, err := c.engine.ConfigureRPC()
	if err != nil {
		return LightBlock{}, fmt.Errorf("reach the engine's state: %w", err)
	}
	validators, err := environment.StateStore.LoadValidators(signed.Height)
	if err != nil {
		return LightBlock{}, types.Refuse(types.CodeNotFound, "this node does not keep the validators of block %d: %v", signed.Height, err)
	}
	return encodeLight(signed, validators)
}

func encodeLight(signed *cmttypes.SignedHeader, validators *cmttypes.ValidatorSet) (light LightBlock, err error) {
	if light.SignedHeader, err = encodeSigned(signed); err != nil {
		return light, err
	}
	light.Hash = types.Hash(signed.Hash())
	set, err := validators.ToProto()
	if err == nil {
		light.Validators, err = set.Marshal()
	}
	return light, err
}
