package wallet

import (
	"encoding/hex"
	"reflect"
	"testing"

	"lockstep/types"
	"lockstep/types/canon"
)

// fullContent fills every field of a wallet file with a value of its own.
func fullContent() content {
	return content{
		Mark: walletMark, Entropy: [entropyBytes]byte{1, 2, 3}, Extra: "extra", Work: 17,
		Accounts: []AccountInfo{{Index: 0, Name: "main"}, {Index: 300, Name: "roof"}},
		Limits: storedLimits{
			Losses: []LossLimit{{Asset: types.AssetID{4}, Most: 1 << 40}}, MinBond: 500, NoBond: 1, MaxDeposit: 10_000,
			Fees: []FeeLimit{{Asset: types.AssetID{5}, Most: 7}},
		},
		Assets: []TrustedAsset{{Asset: types.Asset{Issuer: types.PublicKey{6}, Code: "EUR", Decimals: 2}, Label: "bank"}},
		Ledger: []PinnedLedger{{ChainID: "samplestadt", Genesis: types.Hash{8}, Params: types.Hash{9}}},
		Signed: []storedSignature{{Account: 300, File: []byte("proposal")}},
		Names:  []Named{{Key: types.PublicKey{11}, Label: "clara"}},
	}
}

func fullV2() contentV2 {
	full := fullContent()
	full.Mark, full.Names = walletMarkV2, nil
	return contentV2(full)
}

func fullV1() contentV1 {
	full := fullContent()
	return contentV1{
		Mark: walletMarkV1, Entropy: full.Entropy, Extra: full.Extra, Work: full.Work, Accounts: full.Accounts,
		Limits: limitsV1{Losses: full.Limits.Losses, MinBond: full.Limits.MinBond, NoBond: full.Limits.NoBond, MaxDeposit: full.Limits.MaxDeposit},
	}
}

// The encodings are frozen: a wallet file of an earlier program must open.
func TestContentEncoding(t *testing.T) {
	t.Parallel()
	now, second, first := fullContent(), fullV2(), fullV1()
	for _, c := range []struct {
		value, empty canon.Value
		frozen       string
	}{
		{&now, new(content), frozenContent},
		{&second, new(contentV2), frozenV2},
		{&first, new(contentV1), frozenV1},
	} {
		if encoded := hex.EncodeToString(types.Encode(c.value)); encoded != c.frozen {
			t.Errorf("%T is encoded as %s, frozen as %s", c.value, encoded, c.frozen)
		}
		frozen, err := hex.DecodeString(c.frozen)
		if err != nil {
			t.Fatal(err)
		}
		if err := types.Decode(frozen, c.empty); err != nil || !reflect.DeepEqual(c.empty, c.value) {
			t.Errorf("%T is decoded as %+v (%v), want %+v", c.value, c.empty, err, c.value)
		}
	}
}

const (
	frozenContent = "8a726c6f636b737465702077616c6c65742076335820010203000000000000000000000000000000000000000000000000000000000065657874726111828200" +
		"646d61696e8219012c64726f6f66858182582004000000000000000000000000000000000000000000000000000000000000001b00000100000000001901f401" +
		"19271081825820050000000000000000000000000000000000000000000000000000000000000007818283582006000000000000000000000000000000000000" +
		"0000000000000000000000000063455552026462616e6b81836b73616d706c657374616474582008000000000000000000000000000000000000000000000000" +
		"0000000000000058200900000000000000000000000000000000000000000000000000000000000000818219012c4870726f706f73616c818258200b00000000" +
		"00000000000000000000000000000000000000000000000000000065636c617261"
	frozenV2 = "89726c6f636b737465702077616c6c65742076325820010203000000000000000000000000000000000000000000000000000000000065657874726111828200" +
		"646d61696e8219012c64726f6f66858182582004000000000000000000000000000000000000000000000000000000000000001b00000100000000001901f401" +
		"19271081825820050000000000000000000000000000000000000000000000000000000000000007818283582006000000000000000000000000000000000000" +
		"0000000000000000000000000063455552026462616e6b81836b73616d706c657374616474582008000000000000000000000000000000000000000000000000" +
		"0000000000000058200900000000000000000000000000000000000000000000000000000000000000818219012c4870726f706f73616c"
	frozenV1 = "86726c6f636b737465702077616c6c65742076315820010203000000000000000000000000000000000000000000000000000000000065657874726111828200" +
		"646d61696e8219012c64726f6f66848182582004000000000000000000000000000000000000000000000000000000000000001b00000100000000001901f401" +
		"192710"
)
