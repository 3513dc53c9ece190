package meter

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
)

// verifyECDSA tells whether (r, s) is key's signature over digest on curve c (SEC 1 4.1.4). The key is x || y of a
// point on the curve. P-256 and P-384 go to the standard library, which is ten times faster; the others to the group
// above. Tests hold the two against each other.
func verifyECDSA(c Curve, key string, digest []byte, r, s *big.Int) bool {
	switch c {
	case Secp256r1:
		return verifyStandard(elliptic.P256(), key, digest, r, s)
	case Secp384r1:
		return verifyStandard(elliptic.P384(), key, digest, r, s)
	default:
		return verifyGeneric(c, key, digest, r, s)
	}
}

func verifyStandard(c elliptic.Curve, key string, digest []byte, r, s *big.Int) bool {
	public, err := ecdsa.ParseUncompressedPublicKey(c, append([]byte{pointUncompressed}, key...))
	return err == nil && ecdsa.Verify(public, digest, r, s)
}

func verifyGeneric(c Curve, key string, digest []byte, r, s *big.Int) bool {
	g := newGroup(c)
	if !g.inRange(r) || !g.inRange(s) {
		return false
	}
	// u = e/s and v = r/s mod n; the signature is good if the x of u·base + v·key is r.
	u, v, inverse := g.hashToInt(digest), new(big.Int), new(big.Int).ModInverse(s, g.n)
	u.Mul(u, inverse).Mod(u, g.n)
	v.Mul(r, inverse).Mod(v, g.n)
	var q point
	q.set(new(big.Int).SetBytes([]byte(key[:g.size])), new(big.Int).SetBytes([]byte(key[g.size:])))
	sum := g.mulSum(u, v, &q)
	if sum.infinite() {
		return false
	}
	x, _ := g.affine(sum)
	return x.Mod(x, g.n).Cmp(r) == 0
}

// inRange tells whether a scalar of a signature is in 1 to n-1.
func (g *group) inRange(k *big.Int) bool { return k.Sign() > 0 && k.Cmp(g.n) < 0 }

// hashToInt is the digest as a number, of which only as many leading bits count as n has (SEC 1 4.1.3 step 5). That
// matters for the curves of 192 bits, whose meters hash with SHA-256 too.
func (g *group) hashToInt(digest []byte) *big.Int {
	e := new(big.Int).SetBytes(digest)
	if excess := 8*len(digest) - g.n.BitLen(); excess > 0 {
		e.Rsh(e, uint(excess))
	}
	return e
}
