package meter

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"
	"testing"
)

func TestCurveConstants(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		g := newGroup(c)
		if !g.p.ProbablyPrime(32) || !g.n.ProbablyPrime(32) {
			t.Error("p or n is not prime")
		}
		if !g.onCurve(&g.base.x, &g.base.y) {
			t.Error("the base point is not on the curve")
		}
		if sum := g.mulSum(g.n, new(big.Int), &g.base); !sum.infinite() {
			t.Error("n times the base point is not infinity")
		}
		// Cofactor 1: n is within the bounds of Hasse for the whole group, and twice n is not.
		trace := new(big.Int).Sub(new(big.Int).Add(g.p, big.NewInt(1)), g.n)
		if bound := new(big.Int).Lsh(g.p, 2); new(big.Int).Mul(trace, trace).Cmp(bound) > 0 {
			t.Error("n is not the order of the whole group")
		}
	})
}

// Points published by others: 2·base of secp256k1, and the key pairs of RFC 7027 A.1 and A.2 and of RFC 6979 A.2.3.
func TestPublishedPoints(t *testing.T) {
	tests := []struct {
		curve        Curve
		scalar, x, y string
	}{
		{Secp256k1, "2",
			"c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
			"1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a"},
		{BrainpoolP256r1, "81db1ee100150ff2ea338d708271be38300cb54241d79950f77b063039804f1d",
			"44106e913f92bc02a1705d9953a8414db95e1aaa49e81d9e85f929a8e3100be5",
			"8ab4846f11caccb73ce49cbdd120f5a900a69fd32c272223f789ef10eb089bdc"},
		{BrainpoolP384r1, "1e20f5e048a5886f1f157c74e91bde2b98c8b52d58e5003d57053fc4b0bd65d6f15eb5d1ee1610df870795143627d042",
			"68b665dd91c195800650cdd363c625f4e742e8134667b767b1b476793588f885ab698c852d4a6e77a252d6380fcaf068",
			"55bc91a39c9ec01dee36017b7d673a931236d2f1f5c83942d049e3fa20607493e0d038ff2fd30c2ab67d15c85f7faa59"},
		{Secp192r1, "6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4",
			"ac2c77f529f91689fea0ea5efec7f210d8eea0b9e047ed56",
			"3bc723e57670bd4887ebc732c523063d0a7c957bc97c1c43"},
		{Secp256r1, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
			"60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
			"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"},
	}
	for _, test := range tests {
		t.Run(test.curve.String(), func(t *testing.T) {
			g := newGroup(test.curve)
			x, y := g.affine(g.mulSum(unhex(t, test.scalar), new(big.Int), &g.base))
			if x.Cmp(unhex(t, test.x)) != 0 || y.Cmp(unhex(t, test.y)) != 0 {
				t.Errorf("%x, %x", x, y)
			}
		})
	}
}

// Signatures of RFC 6979 with SHA-256 of "sample": made again from the published k, and verified.
func TestPublishedSignatures(t *testing.T) {
	tests := []struct {
		curve           Curve
		secret, k, r, s string
	}{
		{Secp192r1, "6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4", // A.2.3
			"32b1b6d7d42a05cb449065727a84804fb1a3e34d8f261496",
			"4b0b8ce98a92866a2820e20aa6b75b56382e0f9bfd5ecb55",
			"ccdb006926ea9565cbadc840829d8c384e06de1f1e381b85"},
		{Secp256r1, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", // A.2.5
			"a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
			"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
			"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
		{Secp384r1, "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5", // A.2.6
			"180ae9f9aec5438a44bc159a1fcb277c7be54fa20e7cf404b490650a8acc414e375572342863c899f9f2edf9747a9b60",
			"21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd",
			"f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0"},
	}
	digest := sha256.Sum256([]byte("sample"))
	for _, test := range tests {
		t.Run(test.curve.String(), func(t *testing.T) {
			meter := signerWith(test.curve, unhex(t, test.secret))
			r, s := meter.signWith(unhex(t, test.k), digest[:])
			if r.Cmp(unhex(t, test.r)) != 0 || s.Cmp(unhex(t, test.s)) != 0 {
				t.Errorf("signed %x, %x", r, s)
			}
			if !verifyECDSA(test.curve, meter.key.point, digest[:], r, s) {
				t.Error("refused by verifyECDSA")
			}
			if !verifyGeneric(test.curve, meter.key.point, digest[:], r, s) {
				t.Error("refused by verifyGeneric")
			}
		})
	}
}

// The exceptions of the addition formulas.
func TestAdditionExceptions(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		g := newGroup(c)
		equal := func(p, q *point) bool {
			if p.infinite() || q.infinite() {
				return p.infinite() == q.infinite()
			}
			px, py := g.affine(p)
			qx, qy := g.affine(q)
			return px.Cmp(qx) == 0 && py.Cmp(qy) == 0
		}
		multiple := func(n int64) *point { return g.mulSum(big.NewInt(n), new(big.Int), &g.base) }
		var doubled, sum, none point
		doubled.copy(&g.base)
		g.double(&doubled)
		sum.copy(&g.base)
		g.addPoint(&sum, &g.base)
		if !equal(&sum, &doubled) || !equal(&sum, multiple(2)) {
			t.Error("P + P is not 2P")
		}
		g.addPoint(&sum, &none)
		g.addPoint(&none, &sum)
		if !equal(&sum, &none) || !equal(&sum, multiple(2)) {
			t.Error("infinity is not neutral")
		}
		minus := new(big.Int).Sub(g.n, big.NewInt(2))
		g.addPoint(&sum, g.mulSum(minus, new(big.Int), &g.base))
		if !sum.infinite() {
			t.Error("2P - 2P is not infinity")
		}
		if g.double(&sum); !sum.infinite() {
			t.Error("twice infinity is not infinity")
		}
		// With q = base the two scalars just add up, also where the running sum meets the table's entries.
		for u := range int64(9) {
			for v := range int64(9) {
				if !equal(g.mulSum(big.NewInt(u), big.NewInt(v), &g.base), multiple(u+v)) {
					t.Errorf("%d P + %d P", u, v)
				}
			}
		}
	})
}

// The generic verifier and the standard library agree on signatures of the standard library's kind and on broken ones.
func TestGenericAgreesWithStandardLibrary(t *testing.T) {
	for c, standard := range map[Curve]elliptic.Curve{Secp256r1: elliptic.P256(), Secp384r1: elliptic.P384()} {
		t.Run(c.String(), func(t *testing.T) {
			meter := newSigner(c, "agree")
			public, err := ecdsa.ParseUncompressedPublicKey(standard, append([]byte{pointUncompressed}, meter.key.point...))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				digest := sha256.Sum256([]byte{byte(i)})
				r, s := meter.signWith(newGroup(c).scalar([]byte{byte(i)}), digest[:])
				for _, change := range []func(){
					func() {},
					func() { s = new(big.Int).Sub(newGroup(c).n, s) }, // the other signature: good too
					func() { digest[i%32] ^= 1 << (i % 8) },
					func() { r, s = s, r },
				} {
					change()
					got, want := verifyGeneric(c, meter.key.point, digest[:], r, s), ecdsa.Verify(public, digest[:], r, s)
					if got != want {
						t.Fatalf("generic says %t and the standard library %t", got, want)
					}
				}
			}
		})
	}
}

func TestSignatureRange(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		g, meter := newGroup(c), newSigner(c, "range")
		digest := sha256.Sum256(nil)
		r, s := meter.signWith(g.scalar(nil), digest[:])
		if !verifyGeneric(c, meter.key.point, digest[:], r, s) {
			t.Fatal("a good signature is refused")
		}
		zero, over := new(big.Int), new(big.Int).Add(s, g.n)
		for _, pair := range [][2]*big.Int{{zero, s}, {r, zero}, {r, g.n}, {g.n, s}, {r, over}, {new(big.Int).Add(r, g.n), s}, {r, new(big.Int).Neg(s)}} {
			if verifyGeneric(c, meter.key.point, digest[:], pair[0], pair[1]) {
				t.Errorf("accepted r %x, s %x", pair[0], pair[1])
			}
		}
	})
}

// With r = s = 1 and a digest of n less the secret, the sum that a verifier makes is infinity and has no x.
func TestSumAtInfinity(t *testing.T) {
	meter, one := newSigner(Secp256k1, "infinity"), big.NewInt(1)
	digest := new(big.Int).Sub(newGroup(Secp256k1).n, meter.secret).FillBytes(make([]byte, 32))
	if verifyGeneric(Secp256k1, meter.key.point, digest, one, one) {
		t.Error("accepted")
	}
}

func TestDecompress(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		g := newGroup(c)
		for seed := range byte(8) {
			x, y := g.affine(g.mulSum(g.scalar([]byte{seed}), new(big.Int), &g.base))
			got, ok := g.decompress(x, y.Bit(0))
			if !ok || got.Cmp(y) != 0 {
				t.Errorf("y %x, want %x", got, y)
			}
			if other, ok := g.decompress(x, 1-y.Bit(0)); !ok || other.Add(other, y).Cmp(g.p) != 0 {
				t.Error("the other y is not -y")
			}
		}
		if _, ok := g.decompress(g.p, 0); ok {
			t.Error("accepted an x that is not below p")
		}
	})
}
