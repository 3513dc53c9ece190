package types_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"pgregory.net/rapid"

	"lockstep/types"
)

// weak finds weak keys by the library's own arithmetic.
func weak(t *testing.T, key types.PublicKey) bool {
	t.Helper()
	var compressed curve.CompressedEdwardsY
	if _, err := compressed.SetBytes(key[:]); err != nil {
		t.Fatal(err)
	}
	if !compressed.IsCanonicalVartime() {
		return true
	}
	var point curve.EdwardsPoint
	if _, err := point.SetCompressedY(&compressed); err != nil {
		return false // no point at all: nobody can sign in its name
	}
	return point.IsSmallOrder()
}

// fromY writes a number as a key.
func fromY(y *big.Int, sign byte) (key types.PublicKey) {
	y.FillBytes(key[:])
	slices.Reverse(key[:])
	key[31] |= sign
	return key
}

// Every key that is of small order or not canonical is refused, and no other: the table against the curve.
func TestWeakKeys(t *testing.T) {
	t.Parallel()
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order8, _ := new(big.Int).SetString("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16)
	refused := 0
	for _, around := range []*big.Int{new(big.Int), prime, order8, new(big.Int).Sub(prime, order8)} {
		for off := int64(-300); off < 300; off++ {
			y := new(big.Int).Add(around, big.NewInt(off))
			if y.Sign() < 0 || y.BitLen() > 255 {
				continue
			}
			for _, sign := range []byte{0, 0x80} {
				key := fromY(y, sign)
				want := weak(t, key)
				if got := key.Check("party"); (got != nil) != want || want && types.CodeOf(got) != types.CodeWeakKey {
					t.Errorf("%x: %v, it is weak: %v", key[:], got, want)
				}
				if want {
					refused++
				}
			}
		}
	}
	if refused != 2*(5+19) { // y of five points and 19 numbers from the prime on, with either sign
		t.Errorf("%d keys are refused", refused)
	}
	for _, b := range []int{0, 1, 15, 30, 31} { // numbers near the prime that differ in one byte
		key := fromY(new(big.Int).Sub(prime, big.NewInt(1)), 0)
		key[b] ^= 1
		if got := key.Check("party") != nil; got != weak(t, key) {
			t.Errorf("%x: refused: %v", key[:], got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		key := types.PublicKey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "key"))
		key[31] = rapid.SampledFrom([]byte{0, 0x05, 0x7a, 0x7f, 0x80, 0x85, 0xfa, 0xff, key[31]}).Draw(rt, "last")
		if refused := key.Check("party") != nil; refused != weak(t, key) {
			rt.Fatalf("%x: refused: %v", key[:], refused)
		}
	})
}

// Anybody can sign in the name of a key of small order: that is why nothing may be its.
func TestAnybodySignsForSmallOrder(t *testing.T) {
	t.Parallel()
	key := types.PublicKey{1}     // the neutral point
	signature := make([]byte, 64) // R is the neutral point too, and s is zero
	signature[0] = 1
	if !types.VerifyEd25519(key, []byte("pay everything to mallory"), signature) {
		t.Fatal("the signature is refused: the check of keys may be needless")
	}
	if types.CodeOf(key.Check("party")) != types.CodeWeakKey {
		t.Error("the key is accepted")
	}
}
