package types_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// smallOrder is every encoding of the eight points of small order: first the eight canonical ones, then those that write
// y as y+p or zero with a sign. Source: ZIP-215 and its test vectors.
func smallOrder() []string {
	return []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",

		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
}

// edgeSignatures is all pairs of a small-order key A and a small-order R with S = 0. By ZIP-215 each is valid for every message.
func edgeSignatures(t testing.TB) []types.Signature {
	var list []types.Signature
	for _, a := range smallOrder() {
		for _, r := range smallOrder() {
			signature := types.Signature{Key: types.PublicKey(unhex(t, a))}
			copy(signature.Bytes[:], unhex(t, r))
			list = append(list, signature)
		}
	}
	return list
}

// numbered makes different transactions.
func numbered(n int) *types.Tx {
	body := sampleBody()
	body.Memo = fmt.Sprint(n)
	return types.NewTx(body)
}

func verifySingly(tx *types.Tx) bool {
	good := func(message []byte, signatures ...types.Signature) bool {
		return !slices.ContainsFunc(signatures, func(s types.Signature) bool { return !types.VerifyEd25519(s.Key, message, s.Bytes[:]) })
	}
	for _, action := range tx.Body.Actions {
		if a, ok := action.(*types.Agree); ok && !good(a.Message(tx.Body.ChainID), a.Mandates.Producer, a.Mandates.Consumer) {
			return false
		}
		if a, ok := action.(*types.Split); ok && !good(a.Message(tx.Body.ChainID), a.Mandates.Producer, a.Mandates.Consumer) {
			return false
		}
	}
	return good(types.SigningMessage(tx.BodyBytes()), tx.Signatures...)
}

// verifiers are all ways to check transactions together: with no memory, with one that is always too small and with one that
// knows every key after a while.
func verifiers() map[string]func(...*types.Tx) []bool {
	return map[string]func(...*types.Tx) []bool{
		"without memory": types.VerifySignatures, "with few keys": types.NewVerifier(2).Verify, "with all keys": types.NewVerifier(1000).Verify,
	}
}

// TestZIP215 is the reason for the library: all 196 edge cases are valid, one by one, in a batch, and beside a bad one.
func TestZIP215(t *testing.T) {
	t.Parallel()
	var txs []*types.Tx
	for i, signature := range edgeSignatures(t) {
		tx := numbered(i).WithSignature(signature)
		txs = append(txs, tx)
		if !verifySingly(tx) {
			t.Errorf("single: key %x with R %x is refused", signature.Key[:], signature.Bytes[:32])
		}
	}
	bad := sampleTx()
	bad.Signatures[0].Bytes[0] ^= 1
	for name, verify := range verifiers() {
		for _, tx := range txs {
			if !verify(tx)[0] {
				t.Errorf("%s, alone: %x is refused", name, tx.Signatures[0])
			}
		}
		if verdicts := verify(txs...); slices.Contains(verdicts, false) {
			t.Errorf("%s, in one batch: %v", name, verdicts)
		}
		verdicts := verify(append(txs, bad)...)
		if verdicts[len(txs)] || slices.Contains(verdicts[:len(txs)], false) {
			t.Errorf("%s, beside a bad one: %v", name, verdicts)
		}
	}
}

// order is l, the order of the base point, little-endian. S must be below it (RFC 8032 5.1.7), or every signature had a twin.
const order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

func TestSignaturesRefused(t *testing.T) {
	t.Parallel()
	good := sampleTx()
	one := types.Signature{Key: types.PublicKey(unhex(t, smallOrder()[0]))}
	copy(one.Bytes[:], one.Key[:])
	for name, corrupt := range map[string]func(*types.Signature){
		"R changed":            func(s *types.Signature) { s.Bytes[0] ^= 1 },
		"S changed":            func(s *types.Signature) { s.Bytes[40] ^= 1 },
		"key of somebody else": func(s *types.Signature) { s.Key = keyOf("producer") },
		"key not a point":      func(s *types.Signature) { s.Key = types.PublicKey{2} },
		"R not a point":        func(s *types.Signature) { copy(s.Bytes[:32], append([]byte{2}, make([]byte, 31)...)) },
		"all zero":             func(s *types.Signature) { *s = types.Signature{Key: s.Key} },
		"S plus the order":     func(s *types.Signature) { addOrder(t, s) },
		"S is the order":       func(s *types.Signature) { *s = one; copy(s.Bytes[32:], unhex(t, order)) },
	} {
		signature := good.Signatures[0]
		corrupt(&signature)
		tx := types.NewTx(good.Body, signature)
		if verifySingly(tx) {
			t.Errorf("%s: accepted", name)
		}
		for how, verify := range verifiers() {
			for range 2 { // the second time the key is known
				if verify(tx)[0] {
					t.Errorf("%s, %s: accepted", name, how)
				}
			}
			if verdicts := verify(good, tx, good); !slices.Equal(verdicts, []bool{true, false, true}) {
				t.Errorf("%s, %s, between two good ones: %v", name, how, verdicts)
			}
		}
	}
	for _, length := range []int{0, 63, 65} {
		if types.VerifyEd25519(keyOf("consumer"), nil, make([]byte, length)) {
			t.Errorf("a signature of %d bytes is accepted", length)
		}
	}
}

func addOrder(t *testing.T, s *types.Signature) {
	carry := 0
	for i, b := range unhex(t, order) {
		carry += int(s.Bytes[32+i]) + int(b)
		s.Bytes[32+i] = byte(carry)
		carry >>= 8
	}
}

// TestVerdictsAgree: the verdict on a transaction is the same in any batch and alone.
func TestVerdictsAgree(t *testing.T) {
	t.Parallel()
	edges, all := edgeSignatures(t), verifiers()
	rapid.Check(t, func(t *rapid.T) {
		var txs []*types.Tx
		for i := range rapid.IntRange(0, 8).Draw(t, "transactions") {
			tx := numbered(i)
			switch rapid.IntRange(0, 3).Draw(t, "mandates") {
			case 0:
				body := tx.Body
				body.Actions = append(slices.Clone(body.Actions), sampleAgree(), sampleSplit())
				tx = types.NewTx(body)
			case 1:
				agree, body := sampleAgree(), tx.Body
				bytes := rapid.SampledFrom([]*types.SignatureBytes{&agree.Mandates.Producer.Bytes, &agree.Mandates.Consumer.Bytes}).Draw(t, "bad one")
				bytes[rapid.IntRange(0, 63).Draw(t, "byte of it")] ^= 1
				body.Actions = append(slices.Clone(body.Actions), agree)
				tx = types.NewTx(body)
			}
			for range rapid.IntRange(0, 3).Draw(t, "signatures") {
				switch rapid.IntRange(0, 3).Draw(t, "kind") {
				case 0:
					tx = sign(tx, rapid.SampledFrom([]string{"producer", "consumer"}).Draw(t, "signer"))
				case 1:
					tx = tx.WithSignature(rapid.SampledFrom(edges).Draw(t, "edge"))
				case 2: // half of all keys are no points
					tx = tx.WithSignature(signatures.Draw(t, "noise"))
				default:
					signature := sign(tx, "producer").Signatures[len(tx.Signatures)]
					signature.Bytes[rapid.IntRange(0, 63).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
					tx = tx.WithSignature(signature)
				}
			}
			txs = append(txs, tx)
		}
		for name, verify := range all {
			for i, verdict := range verify(txs...) {
				if alone := verifySingly(txs[i]); verdict != alone {
					t.Fatalf("%s, transaction %d is good: %t in the batch, %t alone; %x", name, i, verdict, alone, txs[i].Bytes())
				}
			}
		}
	})
}

// The domain keeps a signature over other bytes of the same key from passing for one over a transaction.
func TestSignatureNeedsDomain(t *testing.T) {
	t.Parallel()
	signed := sampleTx()
	if types.VerifyEd25519(signed.Signatures[0].Key, signed.BodyBytes(), signed.Signatures[0].Bytes[:]) {
		t.Error("the signature fits the body without its domain")
	}
}

// Source: RFC 8032, 7.1, tests 1 to 3.
func TestRFC8032(t *testing.T) {
	t.Parallel()
	for i, c := range []struct{ key, message, signature string }{
		{
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
	} {
		key, message, signature := types.PublicKey(unhex(t, c.key)), unhex(t, c.message), unhex(t, c.signature)
		if !types.VerifyEd25519(key, message, signature) {
			t.Errorf("test %d is refused", i+1)
		}
		if types.VerifyEd25519(key, append(message, 0), signature) {
			t.Errorf("test %d fits another message", i+1)
		}
	}
}
