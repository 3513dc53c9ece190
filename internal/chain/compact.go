package chain

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// Compact returns the parts of a light block without everything that follows from the others: the addresses and the hash that a commit repeats, and the
// addresses and priorities of validators. [ExpandLight] adds them again.
func (l *LightBlock) Compact() (commit, validators []byte, err error) {
	var c cmtproto.Commit
	if err := c.Unmarshal(l.Commit); err != nil {
		return nil, nil, faulty(ErrCommit, "it can't be read: %w", err)
	}
	c.Height, c.BlockID.Hash = 0, nil
	for i := range c.Signatures {
		c.Signatures[i].ValidatorAddress = nil
	}
	if commit, err = c.Marshal(); err != nil {
		return nil, nil, err
	}
	var set cmtproto.ValidatorSet
	if err := set.Unmarshal(l.Validators); err != nil {
		return nil, nil, faulty(ErrSet, "the validators can't be read: %w", err)
	}
	decoded, err := cmttypes.ValidatorSetFromProto(&set)
	if err != nil {
		return nil, nil, faulty(ErrSet, "the validators can't be read: %w", err)
	}
	return commit, compactSet(decoded), nil
}

// compactSet writes each validator as its key and its power.
func compactSet(set *cmttypes.ValidatorSet) (encoded []byte) {
	for _, validator := range set.Validators {
		encoded = binary.AppendUvarint(append(encoded, validator.PubKey.Bytes()...), uint64(validator.VotingPower))
	}
	return encoded
}

// ExpandLight returns a light block from its header and the parts that [LightBlock.Compact] made. It takes each part in one form only.
func ExpandLight(height uint64, encodedHeader, commit, validators []byte) (light LightBlock, err error) {
	set, err := expandSet(validators)
	if err != nil {
		return light, err
	}
	var h cmtproto.Header
	if err := h.Unmarshal(encodedHeader); err != nil {
		return light, faulty(ErrHeader, "it can't be read: %w", err)
	}
	header, err := cmttypes.HeaderFromProto(&h)
	if err != nil {
		return light, faulty(ErrHeader, "it can't be read: %w", err)
	}
	if uint64(header.Height) != height {
		return light, faulty(ErrHeader, "it is of block %d, and not of block %d", header.Height, height)
	}
	var c cmtproto.Commit
	if err := c.Unmarshal(commit); err != nil {
		return light, faulty(ErrCommit, "it can't be read: %w", err)
	}
	again, err := c.Marshal()
	if err != nil || !bytes.Equal(again, commit) || c.Height != 0 || len(c.BlockID.Hash) > 0 || len(c.Signatures) != set.Size() {
		return light, faulty(ErrCommit, "it is not in its one encoding, or not of these validators")
	}
	c.Height, c.BlockID.Hash = header.Height, header.Hash()
	for i := range c.Signatures {
		signature := &c.Signatures[i]
		if len(signature.ValidatorAddress) > 0 {
			return light, faulty(ErrCommit, "it is not in its one encoding")
		}
		if signature.BlockIdFlag != cmtproto.BlockIDFlagAbsent {
			signature.ValidatorAddress = set.Validators[i].Address
		}
	}
	light = LightBlock{SignedHeader: SignedHeader{Height: height, Header: encodedHeader}}
	if hash := header.Hash(); len(hash) == len(light.Hash) {
		light.Hash = types.Hash(hash)
	}
	if light.Commit, err = c.Marshal(); err != nil {
		return light, err
	}
	encoded, err := set.ToProto()
	if err == nil {
		light.Validators, err = encoded.Marshal()
	}
	return light, err
}

// expandSet reads a set of validators, which may come from anybody.
func expandSet(encoded []byte) (*cmttypes.ValidatorSet, error) {
	var listed []cmttypes.GenesisValidator
	for rest := encoded; len(rest) > 0; {
		if len(rest) <= ed25519.PubKeySize {
			return nil, faulty(ErrSet, "the validators are cut off")
		}
		power, length := binary.Uvarint(rest[ed25519.PubKeySize:])
		if length <= 0 || power > uint64(cmttypes.MaxTotalVotingPower) {
			return nil, faulty(ErrSet, "validator %d has no power that can be", len(listed))
		}
		listed = append(listed, cmttypes.GenesisValidator{PubKey: ed25519.PubKey(bytes.Clone(rest[:ed25519.PubKeySize])), Power: int64(power)})
		rest = rest[ed25519.PubKeySize+length:]
	}
	if err := checkValidators(listed); err != nil {
		return nil, &fault{ErrSet, err}
	}
	validators := make([]*cmttypes.Validator, len(listed))
	for i := range listed {
		validators[i] = cmttypes.NewValidator(listed[i].PubKey, listed[i].Power)
	}
	set := cmttypes.NewValidatorSet(validators)
	if !bytes.Equal(compactSet(set), encoded) {
		return nil, &fault{ErrSet, errors.New("the validators are not in their order")}
	}
	return set, nil
}
