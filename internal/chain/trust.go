package chain

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	cmtmath "github.com/cometbft/cometbft/libs/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// The parts of a signed header, for the errors of [Trust.Check].
var (
	ErrHeader = errors.New("header") // can't be read, or is of another ledger
	ErrCommit = errors.New("commit") // the signatures are not the validators' under this header
	ErrSet    = errors.New("set")    // the validators are not those that the reader trusts
)

// fault is a fault of one kind, whose text does not repeat the kind.
type fault struct{ kind, err error }

func faulty(kind error, format string, args ...any) error {
	return &fault{kind, fmt.Errorf(format, args...)}
}

// Error returns the fault without its kind.
func (f *fault) Error() string { return f.err.Error() }

// Unwrap returns the kind and the cause.
func (f *fault) Unwrap() []error { return []error{f.kind, f.err} }

// Trust is the set of validators that a reader of headers trusts. It begins with a genesis file or with a header that the reader has from
// elsewhere, and follows changes of the set by light blocks. It knows no trusting period: old validators that still have their keys can forge the blocks that come
// after them. So a recent header is the better begin.
type Trust struct {
	chainID string
	height  int64                  // of the last header that was followed; that before the first block at genesis
	next    []byte                 // hash of the validators of the next block
	set     *cmttypes.ValidatorSet // nil before the light block of the trusted header is known
	header  *trustedHeader
}

// trustedHeader is a header that the reader trusts without signatures.
type trustedHeader struct {
	height int64
	hash   types.Hash
}

// CheckedHeader has the facts of a header for readers outside this package.
type CheckedHeader struct {
	ChainID    string
	Height     uint64
	Time       time.Time
	AppHash    types.Hash // of the block before
	Hash       types.Hash
	Signers    int // of Validators
	Validators int
}

// TrustGenesis trusts the validators of a genesis file.
func TrustGenesis(file string) (*Trust, error) {
	genesis, err := loadGenesis(file)
	if err != nil {
		return nil, err
	}
	return trustValidators(genesis), nil
}

// TrustGenesisOf trusts the validators of the content of a genesis file, which may come from anybody: its hash must be known.
func TrustGenesisOf(content []byte, hash types.Hash) (*Trust, error) {
	shown, _, err := ReadGenesis(content)
	if err != nil {
		return nil, err
	}
	if shown != hash {
		return nil, faulty(ErrSet, "the genesis has the hash %s, and not %s", shown, hash)
	}
	genesis, _, err := parseGenesis(content)
	if err != nil {
		return nil, err
	}
	return trustValidators(genesis), nil
}

func trustValidators(genesis *cmttypes.GenesisDoc) *Trust {
	validators := make([]*cmttypes.Validator, len(genesis.Validators))
	for i, v := range genesis.Validators {
		validators[i] = cmttypes.NewValidator(v.PubKey, v.Power)
	}
	set := cmttypes.NewValidatorSet(validators)
	return &Trust{chainID: genesis.ChainID, height: genesis.InitialHeight - 1, set: set, next: set.Hash()}
}

// ParseTrusted reads a trusted header, written as HEIGHT:HASH.
func ParseTrusted(text string) (height uint64, hash types.Hash, err error) {
	number, digits, found := strings.Cut(text, ":")
	height, err = strconv.ParseUint(number, 10, 62)
	if !found || err != nil || height == 0 || hash.UnmarshalText([]byte(digits)) != nil {
		return 0, hash, types.Refuse(types.CodeMalformed, "%q is not HEIGHT:HASH, such as 1200:9f86d0... with 64 hexadecimal digits", text)
	}
	return height, hash, nil
}

// TrustHeader trusts the header of a height by its hash.
func TrustHeader(height uint64, hash types.Hash) *Trust {
	return &Trust{header: &trustedHeader{int64(height), hash}}
}

// Follow takes a later light block: from then on its validators are trusted. Those that are trusted so far must have signed it: all of a set that follows at
// once or has not changed, or else more than a third of their power.
func (t *Trust) Follow(light *LightBlock) error {
	header, commit, set, err := t.readLight(light)
	if err != nil {
		return err
	}
	if err := t.trusts(header, commit); err != nil {
		return err
	}
	if err := verifyCommit(header, commit, set); err != nil {
		return err
	}
	t.chainID, t.height, t.next, t.set = header.ChainID, header.Height, header.NextValidatorsHash, set
	return nil
}

// readLight decodes a light block, and checks that its parts belong together.
func (t *Trust) readLight(light *LightBlock) (*cmttypes.Header, *cmttypes.Commit, *cmttypes.ValidatorSet, error) {
	header, commit, err := t.read(light.Header, light.Commit)
	if err != nil {
		return nil, nil, nil, err
	}
	var encoded cmtproto.ValidatorSet
	if err := encoded.Unmarshal(light.Validators); err != nil {
		return nil, nil, nil, faulty(ErrSet, "the validators of block %d can't be read: %w", header.Height, err)
	}
	set, err := cmttypes.ValidatorSetFromProto(&encoded)
	if err != nil {
		return nil, nil, nil, faulty(ErrSet, "the validators of block %d can't be read: %w", header.Height, err)
	}
	if !bytes.Equal(set.Hash(), header.ValidatorsHash) {
		return nil, nil, nil, faulty(ErrSet, "the validators are not those that header %d names", header.Height)
	}
	return header, commit, set, nil
}

// trusts reports whether the trust so far covers the validators of a header.
func (t *Trust) trusts(header *cmttypes.Header, commit *cmttypes.Commit) error {
	switch {
	case t.set == nil:
		if header.Height != t.header.height || types.Hash(header.Hash()) != t.header.hash {
			return faulty(ErrSet, "block %d has the hash %x; the first light block must be that of the trusted header %d with the hash %s", header.Height, []byte(header.Hash()), t.header.height, t.header.hash)
		}
		return nil
	case header.Height <= t.height:
		return faulty(ErrSet, "block %d does not come after block %d, to which the validators are known", header.Height, t.height)
	case bytes.Equal(header.ValidatorsHash, t.set.Hash()), header.Height == t.height+1 && bytes.Equal(header.ValidatorsHash, t.next):
		return nil // the caller checks the signatures
	}
	if err := t.set.VerifyCommitLightTrusting(t.chainID, commit, cmtmath.Fraction{Numerator: 1, Denominator: 3}); err != nil {
		return faulty(ErrSet, "the validators of block %d are others than those of block %d, and a third of these has not signed it: add a light block between them (%w)", header.Height, t.height, err)
	}
	return nil
}

// ReadHeader returns the facts of a signed header, without a look at the signatures.
func ReadHeader(encodedHeader, encodedCommit []byte) (CheckedHeader, error) {
	header, _, err := new(Trust).read(encodedHeader, encodedCommit)
	if err != nil {
		return CheckedHeader{}, err
	}
	return factsOf(header), nil
}

// Check verifies a signed header. It must not be older than the light blocks that were followed.
func (t *Trust) Check(encodedHeader, encodedCommit []byte) (CheckedHeader, error) {
	header, commit, err := t.read(encodedHeader, encodedCommit)
	if err != nil {
		return CheckedHeader{}, err
	}
	checked := factsOf(header)
	trusted := t.header
	switch {
	case trusted == nil || trusted.height != header.Height:
	case trusted.hash != checked.Hash:
		return checked, faulty(ErrSet, "block %d has the hash %s here, and the trusted header has %s: the receipt is of another ledger, of a fork, or was changed", header.Height, checked.Hash, trusted.hash)
	case t.set == nil:
		return checked, nil
	}
	begin := t.height
	if t.set == nil {
		begin = trusted.height
	}
	switch {
	case header.Height < begin:
		return checked, faulty(ErrSet, "the header is of block %d, and the trust begins at block %d: export the receipt again, its leaf can be proved at a later block", header.Height, begin)
	case t.set == nil:
		return checked, faulty(ErrSet, "the validators of the trusted header %d are not known: pass its light block, which 'lockstep trust export' writes, with --trust", t.header.height)
	case !bytes.Equal(header.ValidatorsHash, t.set.Hash()):
		return checked, faulty(ErrSet, "the validators of block %d are not the trusted ones, those of block %d: pass the light blocks between them with --trust", header.Height, t.height)
	}
	if err := verifyCommit(header, commit, t.set); err != nil {
		return checked, err
	}
	checked.count(commit)
	return checked, nil
}

func factsOf(header *cmttypes.Header) CheckedHeader {
	return CheckedHeader{
		ChainID: header.ChainID, Height: uint64(header.Height), Time: header.Time, AppHash: types.Hash(header.AppHash), Hash: types.Hash(header.Hash()),
	}
}

// count counts the signers of a commit, which has a place for each validator.
func (h *CheckedHeader) count(commit *cmttypes.Commit) {
	h.Validators = len(commit.Signatures)
	for _, signature := range commit.Signatures {
		if signature.BlockIDFlag == cmttypes.BlockIDFlagCommit {
			h.Signers++
		}
	}
}

// read decodes a header and a commit, each in its one form, and checks that they belong together and to the trusted ledger.
func (t *Trust) read(encodedHeader, encodedCommit []byte) (*cmttypes.Header, *cmttypes.Commit, error) {
	var headerProto cmtproto.Header
	if err := headerProto.Unmarshal(encodedHeader); err != nil {
		return nil, nil, faulty(ErrHeader, "it can't be read: %w", err)
	}
	header, err := cmttypes.HeaderFromProto(&headerProto)
	if err == nil {
		err = header.ValidateBasic()
	}
	if again, encodeErr := headerProto.Marshal(); err == nil && (encodeErr != nil || !bytes.Equal(again, encodedHeader)) {
		err = errors.New("it is not in its one encoding")
	}
	if err == nil && len(header.ValidatorsHash) == 0 { // the engine gives no hash to such a header, and a commit may name none
		err = errors.New("it names no validators")
	}
	if err == nil && len(header.AppHash) != len(types.Hash{}) {
		err = fmt.Errorf("its app hash has %d bytes", len(header.AppHash))
	}
	if err != nil {
		return nil, nil, faulty(ErrHeader, "it can't be read: %w", err)
	}
	if t.chainID != "" && header.ChainID != t.chainID {
		return nil, nil, faulty(ErrHeader, "it is of ledger %q, trusted is %q", header.ChainID, t.chainID)
	}
	var commitProto cmtproto.Commit
	if err := commitProto.Unmarshal(encodedCommit); err != nil {
		return nil, nil, faulty(ErrCommit, "it can't be read: %w", err)
	}
	commit, err := cmttypes.CommitFromProto(&commitProto)
	if again, encodeErr := commitProto.Marshal(); err == nil && (encodeErr != nil || !bytes.Equal(again, encodedCommit)) {
		err = errors.New("it is not in its one encoding")
	}
	if err != nil {
		return nil, nil, faulty(ErrCommit, "it can't be read: %w", err)
	}
	if commit.Height != header.Height || !bytes.Equal(commit.BlockID.Hash, header.Hash()) {
		return nil, nil, faulty(ErrCommit, "it signs block %d with the hash %x, and the header is block %d with the hash %x", commit.Height, []byte(commit.BlockID.Hash), header.Height, []byte(header.Hash()))
	}
	return &header, commit, nil
}

// verifyCommit checks every signature of a commit, and that more than two thirds of the power of a set have signed.
func verifyCommit(header *cmttypes.Header, commit *cmttypes.Commit, set *cmttypes.ValidatorSet) error {
	if err := set.VerifyCommit(header.ChainID, commit.BlockID, header.Height, commit); err != nil {
		return faulty(ErrCommit, "%w", err)
	}
	for i, signature := range commit.Signatures { // the engine finds keys by their place alone
		if address := set.Validators[i].Address; signature.BlockIDFlag != cmttypes.BlockIDFlagAbsent && !bytes.Equal(signature.ValidatorAddress, address) {
			return faulty(ErrCommit, "signature %d names validator %s, the set has %s there", i, signature.ValidatorAddress, address)
		}
	}
	return nil
}
