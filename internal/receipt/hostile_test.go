package receipt_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/internal/chain"
	"lockstep/internal/receipt"
	"lockstep/types"
)

// TestHeaderWithoutHash: the engine gives a header that names no validators no hash at all, and takes a commit without one for it. Such a header is
// refused.
func TestHeaderWithoutHash(t *testing.T) {
	t.Parallel()
	v := four()
	signed := v.sign(t, 21, types.Hash{1}, v, 0)
	signed.Header.ValidatorsHash = nil
	signed.Commit.BlockID.Hash = nil
	header, commit, validators := v.encode(t, signed)
	r := newReceipt(t, v, 300, 21, 0)
	r.Header, r.Commit = header, commit
	wantFault(t, "from genesis", r.Verify(v.trust(t)), receipt.PartHeader)
	wantFault(t, "from a header", r.Verify(chain.TrustHeader(21, types.Hash{})), receipt.PartHeader)
	light := chain.LightBlock{SignedHeader: chain.SignedHeader{Height: 21, Header: header, Commit: commit}, Validators: validators}
	for _, trust := range []*chain.Trust{v.trust(t), chain.TrustHeader(21, types.Hash{})} {
		if err := trust.Follow(&light); !errors.Is(err, chain.ErrHeader) {
			t.Errorf("%v", err)
		}
	}
}

// TestVotesAgainst: a signature for no block, or one that stands twice, does not count for the header.
func TestVotesAgainst(t *testing.T) {
	t.Parallel()
	v := four()
	for name, change := range map[string]func(signatures []cmttypes.CommitSig){
		"no block": func(s []cmttypes.CommitSig) { s[1].BlockIDFlag = cmttypes.BlockIDFlagNil },
		"twice":    func(s []cmttypes.CommitSig) { s[0] = s[1] },
		"in place of another": func(s []cmttypes.CommitSig) {
			s[0] = s[1]
			s[0].ValidatorAddress = v.set.Validators[0].Address
		},
	} {
		r := newReceipt(t, v, 300, 21, 1)
		signed := v.sign(t, 21, types.AppHash(r.State, r.Log), v, 1)
		change(signed.Commit.Signatures)
		r.Commit = v.light(t, signed).Commit
		wantFault(t, name, r.Verify(v.trust(t)), receipt.PartCommit)
	}
}

// TestHostileGenesis: a genesis file from anybody is refused if the engine can make no set of its validators.
func TestHostileGenesis(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(four().genesis(t))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := strings.Index(string(text), `"validators"`), strings.Index(string(text), `"app_hash"`)
	key := func(size int) string {
		return `{"type": "tendermint/PubKeyEd25519", "value": "` + strings.Repeat("AAAA", size/3) + "AAA=" + `"}`
	}
	one := func(key, power string) string { return `{"pub_key": ` + key + `, "power": "` + power + `"}` }
	for name, validators := range map[string]string{
		"no key":         `{"power": "1"}`,
		"null":           "null",
		"short key":      one(key(6), "1"),
		"no validator":   "",
		"twice":          one(key(30), "1") + "," + one(key(30), "1"),
		"negative power": one(key(30), "-1"),
		"huge power":     one(key(30), "9223372036854775807"),
		"no power":       one(key(30), "0"),
	} {
		hostile := slices.Concat(text[:begin], []byte(`"validators": [`+validators+`], `), text[end:])
		file := filepath.Join(t.TempDir(), "genesis.json")
		if err := os.WriteFile(file, hostile, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := chain.TrustGenesis(file); err == nil || !strings.Contains(err.Error(), "validator") {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := chain.ReadGenesis(hostile); err == nil || !strings.Contains(err.Error(), "validator") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoReceipt: a file of another kind is named as such, not as a receipt that was changed.
func TestNoReceipt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"time=2026-11-27 level=INFO\n", "\n", "{\"a\": 1}\n", "lockstep trust v1 00000000\n"} {
		if _, err := receipt.Parse(text); err == nil || !strings.Contains(err.Error(), "the file is none") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
