package meter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
)

// A signer is a meter of the tests: a private key with its signing parameters.
type signer struct {
	curve  Curve
	secret *big.Int
	key    Key
}

func newSigner(c Curve, seed string) signer {
	g := newGroup(c)
	return signerWith(c, g.scalar([]byte("secret "+seed)))
}

func signerWith(c Curve, secret *big.Int) signer {
	g := newGroup(c)
	x, y := g.affine(g.mulSum(secret, new(big.Int), &g.base))
	xy := append(x.FillBytes(make([]byte, g.size)), y.FillBytes(make([]byte, g.size))...)
	return signer{curve: c, secret: secret, key: Key{curve: c, point: string(xy)}}
}

// scalar makes a number in 1 to n-1 of any bytes.
func (g *group) scalar(b []byte) *big.Int {
	hash := sha256.Sum256(b)
	wide := new(big.Int).SetBytes(append(hash[:], hash[:]...))
	limit := new(big.Int).Sub(g.n, big.NewInt(1))
	return wide.Mod(wide, limit).Add(wide, big.NewInt(1))
}

// signWith signs with a given k (SEC 1 4.1.3).
func (s signer) signWith(k *big.Int, digest []byte) (r, t *big.Int) {
	g := newGroup(s.curve)
	x, _ := g.affine(g.mulSum(k, new(big.Int), &g.base))
	r = x.Mod(x, g.n)
	t = new(big.Int).Mul(r, s.secret)
	t.Add(t, g.hashToInt(digest))
	t.Mul(t, new(big.Int).ModInverse(k, g.n)).Mod(t, g.n)
	return r, t
}

func (s signer) sign(payload string) (r, t *big.Int) {
	digest := sha256.Sum256([]byte(payload))
	k := newGroup(s.curve).scalar([]byte("k " + s.secret.String() + payload))
	return s.signWith(k, digest[:])
}

func (s signer) der(payload string) []byte {
	r, t := s.sign(payload)
	return encodeDER(r, t)
}

func encodeDER(r, s *big.Int) []byte {
	integer := func(dst []byte, n *big.Int) []byte {
		return appendDER(dst, tagInteger, signByte(n))
	}
	return appendDER(nil, tagSequence, integer(integer(nil, r), s))
}

// signByte is n in bytes, with a zero before it if its top bit is set.
func signByte(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}

// record is a payload as a whole OCMF record.
func (s signer) record(payload string) string {
	return fmt.Sprintf(`OCMF|%s|{"SA":"ECDSA-%v-SHA256","SD":"%s"}`, payload, s.curve, hex.EncodeToString(s.der(payload)))
}

func eachCurve(t *testing.T, test func(t *testing.T, c Curve)) {
	for _, c := range curves() {
		t.Run(c.String(), func(t *testing.T) { test(t, c) })
	}
}

func unhex(t testing.TB, text string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(text, 16)
	if !ok {
		t.Fatalf("%q is not hex", text)
	}
	return n
}
