package receipt_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/internal/chain"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/outcomes"
	"lockstep/internal/receipt"
	"lockstep/types"
)

const chainID = "town"

// validators are keys with the set that they make.
type validators struct {
	keys map[string]ed25519.PrivKey // by address
	set  *cmttypes.ValidatorSet
}

func newValidators(names ...string) *validators {
	v := &validators{keys: map[string]ed25519.PrivKey{}}
	var list []*cmttypes.Validator
	for _, name := range names {
		key := ed25519.GenPrivKeyFromSecret([]byte(name))
		v.keys[string(key.PubKey().Address())] = key
		list = append(list, cmttypes.NewValidator(key.PubKey(), 1))
	}
	v.set = cmttypes.NewValidatorSet(list)
	return v
}

// sign makes a header and its commit. The first so many validators are absent.
func (v *validators) sign(t testing.TB, height int64, app types.Hash, next *validators, absent int) *cmttypes.SignedHeader {
	t.Helper()
	hash := slices.Repeat([]byte{7}, 32)
	header := &cmttypes.Header{
		Version: cmtversion.Consensus{Block: 11, App: 1}, ChainID: chainID, Height: height, Time: time.Unix(1_800_000_000+height%1_000_000, 0).UTC(),
		LastBlockID:    cmttypes.BlockID{Hash: hash, PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash}},
		LastCommitHash: hash, DataHash: hash, ValidatorsHash: v.set.Hash(), NextValidatorsHash: next.set.Hash(), ConsensusHash: hash,
		AppHash: app[:], LastResultsHash: hash, EvidenceHash: hash, ProposerAddress: v.set.Validators[0].Address,
	}
	id := cmttypes.BlockID{Hash: header.Hash(), PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash}}
	commit := &cmttypes.Commit{Height: height, BlockID: id}
	for i, validator := range v.set.Validators {
		if i < absent {
			commit.Signatures = append(commit.Signatures, cmttypes.NewCommitSigAbsent())
			continue
		}
		vote := &cmttypes.Vote{
			Type: cmtproto.PrecommitType, Height: height, BlockID: id, Timestamp: header.Time.Add(time.Millisecond), ValidatorAddress: validator.Address, ValidatorIndex: int32(i),
		}
		signature, err := v.keys[string(validator.Address)].Sign(cmttypes.VoteSignBytes(chainID, vote.ToProto()))
		if err != nil {
			t.Fatal(err)
		}
		commit.Signatures = append(commit.Signatures, cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: validator.Address, Timestamp: vote.Timestamp, Signature: signature,
		})
	}
	return &cmttypes.SignedHeader{Header: header, Commit: commit}
}

// light is a signed header with its validators, as the engine encodes them.
func (v *validators) light(t testing.TB, signed *cmttypes.SignedHeader) chain.LightBlock {
	t.Helper()
	header, commit, set := v.encode(t, signed)
	return chain.LightBlock{
		SignedHeader: chain.SignedHeader{Height: uint64(signed.Height), Header: header, Commit: commit}, Hash: types.Hash(signed.Hash()), Validators: set,
	}
}

// encode encodes a signed header and the set as the engine does.
func (v *validators) encode(t testing.TB, signed *cmttypes.SignedHeader) (header, commit, encoded []byte) {
	t.Helper()
	header, err := signed.Header.ToProto().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if commit, err = signed.Commit.ToProto().Marshal(); err != nil {
		t.Fatal(err)
	}
	set, err := v.set.ToProto()
	if err != nil {
		t.Fatal(err)
	}
	if encoded, err = set.Marshal(); err != nil {
		t.Fatal(err)
	}
	return header, commit, encoded
}

// genesis writes a genesis file of the validators.
func (v *validators) genesis(t testing.TB) string {
	t.Helper()
	doc := cmttypes.GenesisDoc{ChainID: chainID, GenesisTime: time.Unix(1_800_000_000, 0).UTC(), InitialHeight: 1, ConsensusParams: cmttypes.DefaultConsensusParams(), AppState: json.RawMessage("{}")}
	for _, validator := range v.set.Validators {
		doc.Validators = append(doc.Validators, cmttypes.GenesisValidator{Address: validator.Address, PubKey: validator.PubKey, Power: 1})
	}
	file := filepath.Join(t.TempDir(), "genesis.json")
	if err := doc.SaveAs(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func (v *validators) trust(t testing.TB) *chain.Trust {
	t.Helper()
	trust, err := chain.TrustGenesis(v.genesis(t))
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// story is a released trade.
func story() *types.Trade {
	asset := party.Euro()
	agreement := types.Agreement{
		ChainID: chainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{Commodity: "energy", Unit: types.UnitWattHour, Quantity: 5000, Zone: "feeder 7"},
		Asset: asset.ID(), Price: 150, Deposit: 15, Bond: 5, Instalments: 1, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{PayBy: 1_800_000_000_000, DeliverBy: 1_800_000_100_000, ReadingBy: 1_800_000_200_000, ConfirmBy: 1_800_000_300_000},
	}
	trade := &types.Trade{Agreement: agreement, Phase: types.PhaseReleased, Height: 12, Digest: party.Secret("clara").Digest(1), Released: 1, Preimage: party.Secret("clara")}
	for i, kind := range []types.StepKind{types.StepAgreed, types.StepPaid, types.StepDelivered, types.StepReleased, types.StepCollected} {
		trade.Steps = append(trade.Steps, types.Step{Kind: kind, At: 1_799_999_000_000 + types.Time(1000*i), Tx: types.TxID{byte(i + 1)}})
	}
	return trade
}

// newReceipt proves a story among so many leaves, signed by validators.
func newReceipt(t testing.TB, v *validators, leaves int, height int64, absent int) *receipt.Receipt {
	t.Helper()
	trade := story()
	r := &receipt.Receipt{Trade: trade.ID(), Index: uint64(leaves / 2), State: types.Hash{9}}
	outcome := types.Outcome{Height: 20, At: 1_799_999_900_000, Tx: types.TxID{5}, Effects: []types.Effect{&types.Ended{Event: types.EventCollected.Number(), Trade: trade}}}
	r.Leaf = types.Encode(&outcome)
	var all [][]byte
	for i := range leaves {
		leaf := []byte{byte(i), byte(i >> 8)}
		if uint64(i) == r.Index {
			leaf = r.Leaf
		}
		all = append(all, leaf)
	}
	r.Log, r.Path = types.LogHead{Size: uint64(leaves), Root: root(all)}, prove(all, int(r.Index))
	light := v.light(t, v.sign(t, height, types.AppHash(r.State, r.Log), v, absent))
	r.Header, r.Commit = light.Header, light.Commit
	return r
}

// prove computes the path of a leaf by the definition of RFC 6962, 2.1.1.
func prove(leaves [][]byte, index int) []types.Hash {
	if len(leaves) == 1 {
		return nil
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	if index < k {
		return append(prove(leaves[:k], index), root(leaves[k:]))
	}
	return append(prove(leaves[k:], index-k), root(leaves[:k]))
}

func root(leaves [][]byte) types.Hash {
	batch, err := outcomes.Mark{}.Extend(leaves)
	if err != nil {
		panic(err)
	}
	return batch.To.Head().Root
}
