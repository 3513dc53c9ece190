package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	"github.com/cometbft/cometbft/light/store"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

const lightChain = "town"

// headerChain is a ledger of headers alone, whose validators change. Header h is made one second after header h-1.
type headerChain struct {
	t     testing.TB
	begin time.Time
	sets  func(height int64) []string // names of the validators
	app   byte                        // differs between forks
	asked []uint64
}

func newHeaders(t testing.TB, sets func(height int64) []string) *headerChain {
	return &headerChain{t: t, begin: time.Unix(1_800_000_000, 0).UTC(), sets: sets}
}

// the same four validators for all heights.
func four(int64) []string { return []string{"a", "b", "c", "d"} }

// shifting replaces one of four validators at each tenth height.
func shifting(height int64) (names []string) {
	for i := range int64(4) {
		names = append(names, fmt.Sprint(height/10+i))
	}
	return names
}

func keyOf(name string) ed25519.PrivKey { return ed25519.GenPrivKeyFromSecret([]byte(name)) }

func setOf(names []string) *cmttypes.ValidatorSet {
	var list []*cmttypes.Validator
	for _, name := range names {
		list = append(list, cmttypes.NewValidator(keyOf(name).PubKey(), 1))
	}
	return cmttypes.NewValidatorSet(list)
}

func (h *headerChain) at(height int64) time.Time {
	return h.begin.Add(time.Duration(height) * time.Second)
}

// signed is the header of a height with the signatures of some validators.
func (h *headerChain) signed(height int64, signers []string) *cmttypes.LightBlock {
	h.t.Helper()
	set, same := setOf(h.sets(height)), bytes.Repeat([]byte{7}, 32)
	header := &cmttypes.Header{
		Version: cmtversion.Consensus{Block: 11, App: 1}, ChainID: lightChain, Height: height, Time: h.at(height),
		LastBlockID: cmttypes.BlockID{Hash: same, PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: same}}, LastCommitHash: same, DataHash: same,
		ValidatorsHash: set.Hash(), NextValidatorsHash: setOf(h.sets(height + 1)).Hash(), ConsensusHash: same, AppHash: bytes.Repeat([]byte{h.app}, 32),
		LastResultsHash: same, EvidenceHash: same, ProposerAddress: set.Validators[0].Address,
	}
	id := cmttypes.BlockID{Hash: header.Hash(), PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: same}}
	commit := &cmttypes.Commit{Height: height, BlockID: id}
	for i, validator := range set.Validators {
		at := slices.IndexFunc(signers, func(name string) bool { return bytes.Equal(keyOf(name).PubKey().Address(), validator.Address) })
		if at < 0 {
			commit.Signatures = append(commit.Signatures, cmttypes.NewCommitSigAbsent())
			continue
		}
		vote := &cmttypes.Vote{Type: cmtproto.PrecommitType, Height: height, BlockID: id, Timestamp: header.Time, ValidatorAddress: validator.Address, ValidatorIndex: int32(i)}
		signature, err := keyOf(signers[at]).Sign(cmttypes.VoteSignBytes(lightChain, vote.ToProto()))
		if err != nil {
			h.t.Fatal(err)
		}
		commit.Signatures = append(commit.Signatures, cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: validator.Address, Timestamp: vote.Timestamp, Signature: signature,
		})
	}
	return &cmttypes.LightBlock{SignedHeader: &cmttypes.SignedHeader{Header: header, Commit: commit}, ValidatorSet: set}
}

func (h *headerChain) block(height int64) LightBlock {
	h.t.Helper()
	return h.encode(h.signed(height, h.sets(height)))
}

func (h *headerChain) encode(block *cmttypes.LightBlock) LightBlock {
	h.t.Helper()
	encoded, err := encodeLight(block.SignedHeader, block.ValidatorSet)
	if err != nil {
		h.t.Fatal(err)
	}
	return encoded
}

// from answers as a node whose newest block has a height.
func (h *headerChain) from(newest *int64) Fetch {
	return func(_ context.Context, height uint64) (LightBlock, error) {
		if height == 0 {
			height = uint64(*newest)
		}
		if height > uint64(*newest) {
			return LightBlock{}, types.Refuse(types.CodeNotFound, "there is no block %d yet", height)
		}
		h.asked = append(h.asked, height)
		return h.block(int64(height)), nil
	}
}

func (h *headerChain) trustAt(height int64) *Trust {
	return TrustHeader(uint64(height), types.Hash(h.signed(height, nil).Hash()))
}

func (h *headerChain) genesis() *Trust {
	set := setOf(h.sets(1))
	return &Trust{chainID: lightChain, set: set, next: set.Hash()}
}

var lightSettings = LightOptions{Period: time.Hour, Drift: 10 * time.Second}

// TestLightClient follows headers from a trusted one and from the genesis, sequentially and skipping, with the same validators and with changing ones.
func TestLightClient(t *testing.T) {
	t.Parallel()
	for name, sets := range map[string]func(int64) []string{"same validators": four, "changing validators": shifting} {
		for _, sequential := range []bool{false, true} {
			for _, begin := range []int64{0, 3} {
				h, newest := newHeaders(t, sets), int64(100)
				options, trust := lightSettings, h.genesis()
				options.Sequential = sequential
				if begin > 0 {
					trust = h.trustAt(begin)
				}
				c := NewLightClient(trust, h.from(&newest), options)
				for _, newest = range []int64{50, 51, 200} {
					header, err := c.Newest(t.Context(), h.at(newest+1))
					if err != nil || header.Height != uint64(newest) || header.Hash != types.Hash(h.signed(newest, nil).Hash()) || header.Signers != 4 {
						t.Fatalf("%s, sequential %v, from %d to %d: %+v, %v", name, sequential, begin, newest, header, err)
					}
				}
				if header, err := c.At(t.Context(), 60, h.at(201)); err != nil || header.Height != 60 {
					t.Errorf("%s: header 60: %v", name, err)
				}
				if skipped := len(h.asked) < 100; skipped == sequential {
					t.Errorf("%s, sequential %v: %d headers were asked for", name, sequential, len(h.asked))
				}
			}
		}
	}
}

// TestLightClientAsTheEngines: the engine's own light client comes to the same headers by the same answers.
func TestLightClientAsTheEngines(t *testing.T) {
	t.Parallel()
	h, newest := newHeaders(t, shifting), int64(150)
	ours := NewLightClient(h.trustAt(3), h.from(&newest), lightSettings)
	for _, mode := range []light.Option{light.SequentialVerification(), light.SkippingVerification(light.DefaultTrustLevel)} {
		node := &engineProvider{h, newest}
		engines, err := light.NewClient(t.Context(), lightChain, light.TrustOptions{Period: time.Hour, Height: 3, Hash: h.signed(3, nil).Hash()}, node,
			[]provider.Provider{node}, &engineStore{}, mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, height := range []int64{9, 80, 150} {
			theirs, err := engines.VerifyLightBlockAtHeight(t.Context(), height, h.at(151))
			if err != nil {
				t.Fatal(err)
			}
			if header, err := ours.At(t.Context(), uint64(height), h.at(151)); err != nil || header.Hash != types.Hash(theirs.Hash()) {
				t.Errorf("header %d: %+v, %v", height, header, err)
			}
		}
	}
}

// TestLightClientRefuses: headers that no honest node shows are refused.
func TestLightClientRefuses(t *testing.T) {
	t.Parallel()
	h := newHeaders(t, four)
	other := newHeaders(t, func(int64) []string { return []string{"e", "f", "g", "h"} })
	for name, c := range map[string]struct {
		now  int64 // the second of the own clock
		show func(height int64) LightBlock
		want error
	}{
		"others have signed":    {101, func(height int64) LightBlock { return other.block(height) }, ErrCommit},
		"too few have signed":   {101, func(height int64) LightBlock { return h.encode(h.signed(height, []string{"a", "b"})) }, ErrCommit},
		"another height":        {101, func(height int64) LightBlock { return h.block(height - 1) }, ErrHeader},
		"from the future":       {89, h.block, ErrAhead},
		"a tick into the drift": {91, h.block, nil},
		"the period is over":    {3 + 3600, h.block, ErrExpired},
		"just within it":        {3 + 3599, h.block, nil},
		"another set": {101, func(height int64) LightBlock {
			l := h.block(height)
			l.Validators = other.block(height).Validators
			return l
		}, ErrSet},
		"another commit":     {101, func(height int64) LightBlock { l := h.block(height); l.Commit = h.block(height - 1).Commit; return l }, ErrCommit},
		"a height beside it": {101, func(height int64) LightBlock { l := h.block(height); l.Height++; return l }, ErrHeader},
	} {
		client := NewLightClient(h.trustAt(3), func(_ context.Context, height uint64) (LightBlock, error) {
			if height == 3 {
				return h.block(3), nil
			}
			if height == 0 {
				height = 100
			}
			return c.show(int64(height)), nil
		}, lightSettings)
		ask := client.Newest
		if name == "another height" {
			ask = func(ctx context.Context, now time.Time) (CheckedHeader, error) { return client.At(ctx, 100, now) }
		}
		header, err := ask(t.Context(), h.at(c.now))
		if (c.want == nil) != (err == nil) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, header, err)
		}
	}
}

// TestLightClientBegin: the first header must be the trusted one, and not too old; a genesis has no period.
func TestLightClientBegin(t *testing.T) {
	t.Parallel()
	h, newest := newHeaders(t, four), int64(3)
	wrong := TrustHeader(3, types.Hash{1})
	if _, err := NewLightClient(wrong, h.from(&newest), lightSettings).Newest(t.Context(), h.at(4)); !errors.Is(err, ErrSet) {
		t.Errorf("another hash: %v", err)
	}
	if _, err := NewLightClient(h.trustAt(3), h.from(&newest), lightSettings).Newest(t.Context(), h.at(3+3600)); !errors.Is(err, ErrExpired) {
		t.Errorf("an old header: %v", err)
	}
	if _, err := NewLightClient(h.genesis(), h.from(&newest), lightSettings).Newest(t.Context(), h.at(3+3600)); err != nil {
		t.Errorf("an old genesis: %v", err)
	}
	if _, err := NewLightClient(h.genesis(), h.from(&newest), lightSettings).Newest(t.Context(), h.at(3-11)); !errors.Is(err, ErrAhead) {
		t.Errorf("a first header of the future: %v", err)
	}
	c := NewLightClient(h.trustAt(3), h.from(&newest), lightSettings)
	if _, err := c.At(t.Context(), 2, h.at(4)); !errors.Is(err, ErrEarlier) {
		t.Errorf("a header before the trusted one: %v", err)
	}
}

// TestLightClientForks: a node can't go back, nor show another header at a height; a witness finds a fork that a node hides.
func TestLightClientForks(t *testing.T) {
	t.Parallel()
	h, newest := newHeaders(t, four), int64(50)
	fork := newHeaders(t, four)
	fork.app = 9
	shown := h
	c := NewLightClient(h.trustAt(3), func(ctx context.Context, height uint64) (LightBlock, error) {
		if height == 3 {
			return h.block(3), nil
		}
		return shown.from(&newest)(ctx, height)
	}, lightSettings)
	if _, err := c.Newest(t.Context(), h.at(51)); err != nil {
		t.Fatal(err)
	}
	newest = 40
	if header, err := c.Newest(t.Context(), h.at(51)); err != nil || header.Height != 50 {
		t.Errorf("after an older header the newest is %d, %v", header.Height, err)
	}
	newest, shown = 50, fork
	if _, err := c.Newest(t.Context(), h.at(51)); !errors.Is(err, ErrFork) || !strings.Contains(err.Error(), "block 50") {
		t.Errorf("another header of block 50: %v", err)
	}
	withWitness := func(witness Fetch) error {
		options := lightSettings
		options.Witnesses = []Fetch{witness}
		_, err := NewLightClient(h.trustAt(3), h.from(&newest), options).Newest(t.Context(), h.at(51))
		return err
	}
	stranger := newHeaders(t, func(int64) []string { return []string{"e"} })
	for name, c := range map[string]struct {
		witness Fetch
		want    error
	}{
		"the same": {h.from(&newest), nil},
		"a fork":   {fork.from(&newest), ErrFork},
		"a liar":   {stranger.from(&newest), nil},
		"one that is behind": {func(context.Context, uint64) (LightBlock, error) {
			return LightBlock{}, types.Refuse(types.CodeNotFound, "there is no block yet")
		}, nil},
	} {
		if err := withWitness(c.witness); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLightClientMemory: the remembered headers are bounded.
func TestLightClientMemory(t *testing.T) {
	t.Parallel()
	h, newest := newHeaders(t, func(int64) []string { return []string{"a"} }), int64(0)
	c := NewLightClient(h.trustAt(3), h.from(&newest), lightSettings)
	for newest = 3; newest < maxHeaders+20; newest++ {
		if _, err := c.Newest(t.Context(), h.at(newest)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.known) > maxHeaders+2 || len(c.order) > maxHeaders {
		t.Errorf("%d headers are remembered", len(c.known))
	}
}

// engineProvider lets the engine's light client ask for headers.
type engineProvider struct {
	*headerChain
	newest int64
}

func (p *engineProvider) ChainID() string { return lightChain }

func (p *engineProvider) LightBlock(_ context.Context, height int64) (*cmttypes.LightBlock, error) {
	if height == 0 {
		height = p.newest
	}
	return p.signed(height, p.sets(height)), nil
}

func (p *engineProvider) ReportEvidence(context.Context, cmttypes.Evidence) error { return nil }

// engineStore is a store of the engine's light client in memory.
type engineStore struct{ blocks []*cmttypes.LightBlock } // by height

func (s *engineStore) SaveLightBlock(block *cmttypes.LightBlock) error {
	s.blocks = append(s.blocks, block)
	slices.SortFunc(s.blocks, func(a, b *cmttypes.LightBlock) int { return int(a.Height - b.Height) })
	return nil
}

func (s *engineStore) DeleteLightBlock(int64) error { return nil }

func (s *engineStore) LightBlock(height int64) (*cmttypes.LightBlock, error) {
	for _, block := range s.blocks {
		if block.Height == height {
			return block, nil
		}
	}
	return nil, store.ErrLightBlockNotFound
}

func (s *engineStore) height(at int) (int64, error) {
	if len(s.blocks) == 0 {
		return -1, nil
	}
	return s.blocks[at].Height, nil
}

func (s *engineStore) LastLightBlockHeight() (int64, error)  { return s.height(len(s.blocks) - 1) }
func (s *engineStore) FirstLightBlockHeight() (int64, error) { return s.height(0) }

func (s *engineStore) LightBlockBefore(height int64) (*cmttypes.LightBlock, error) {
	for _, block := range slices.Backward(s.blocks) {
		if block.Height < height {
			return block, nil
		}
	}
	return nil, store.ErrLightBlockNotFound
}

func (s *engineStore) Prune(uint16) error { return nil }
func (s *engineStore) Size() uint16       { return uint16(len(s.blocks)) }
