package meter

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
)

// Leading bytes of a point (SEC 1 2.3.3).
const (
	pointEven         = 2
	pointOdd          = 3
	pointUncompressed = 4
)

// A Key is a meter's public key for OCMF: a point of a known curve, or a bare point that takes the curve of the record.
// Keys are comparable; the zero value is no key.
type Key struct {
	curve Curve  // 0 if not known
	point string // x || y if the curve is known, else as SEC 1 2.3.3 writes it
}

// ParseKey reads a key from text: its bytes in hex or base64, in one of the forms that [keyText] lists. [ParseKeyBytes]
// lists the accepted forms.
func ParseKey(text string) (Key, error) {
	raw, err := keyText(text)
	if err != nil {
		return Key{}, err
	}
	return ParseKeyBytes(raw)
}

// ParseKeyBytes reads a SubjectPublicKeyInfo in DER, which names its curve, or a bare point: uncompressed, compressed
// (SEC 1 2.3.3), or x || y without the leading byte as some meters print it. A point must be on its curve. Its errors
// have code [CodeKey] or [CodeKeyPoint].
func ParseKeyBytes(raw []byte) (Key, error) {
	if oid, encoded, ok := parseSPKI(raw); ok {
		for _, c := range curves() {
			if c.params().oid != string(oid) {
				continue
			}
			if !fits(string(encoded), c) {
				return Key{}, refuse(CodeKeyPoint, "the key's point is neither compressed nor uncompressed")
			}
			return Key{point: string(encoded)}.On(c)
		}
		return Key{}, refuse(CodeKey, "a key on a curve that OCMF does not have (OID %x)", oid)
	}
	key := Key{point: string(raw)}
	anySize := false
	for _, c := range curves() {
		if len(raw) == 2*c.size() {
			key.point = string(append([]byte{pointUncompressed}, raw...))
		}
		if !fits(key.point, c) {
			continue
		}
		anySize = true
		if _, err := key.On(c); err == nil {
			return key, nil
		}
	}
	if anySize {
		return Key{}, refuse(CodeKeyPoint, "a bare point of %d bytes that is on no curve of that size", len(raw))
	}
	return Key{}, refuse(CodeKey, "%d bytes that are neither a SubjectPublicKeyInfo of an elliptic curve nor a point", len(raw))
}

// fits tells whether encoded has the length and the leading byte of a point of c.
func fits(encoded string, c Curve) bool {
	if encoded == "" {
		return false
	}
	switch encoded[0] {
	case pointUncompressed:
		return len(encoded) == 1+2*c.size()
	case pointEven, pointOdd:
		return len(encoded) == 1+c.size()
	}
	return false
}

// Curve is the key's curve, or 0 for a bare point.
func (k Key) Curve() Curve { return k.curve }

// On returns the key as one of curve c: a bare point finds its curve here. The errors are [CodeCurve] if the key is of
// another curve or size, and [CodeKeyPoint] if its point is not on c.
func (k Key) On(c Curve) (Key, error) {
	if k.curve == c && c != 0 {
		return k, nil
	}
	if k.curve != 0 {
		return Key{}, refuse(CodeCurve, "the record is signed on %v and the key is on %v", c, k.curve)
	}
	if c == 0 || !fits(k.point, c) {
		return Key{}, refuse(CodeCurve, "the key is not a point of %v", c)
	}
	g := newGroup(c)
	encoded := []byte(k.point[1:])
	x := new(big.Int).SetBytes(encoded[:g.size])
	var y *big.Int
	var ok bool
	if k.point[0] == pointUncompressed {
		y = new(big.Int).SetBytes(encoded[g.size:])
		ok = g.onCurve(x, y)
	} else {
		y, ok = g.decompress(x, uint(k.point[0]&1))
	}
	if !ok {
		return Key{}, refuse(CodeKeyPoint, "the key's point is not on %v", c)
	}
	xy := make([]byte, 2*g.size)
	x.FillBytes(xy[:g.size])
	y.FillBytes(xy[g.size:])
	return Key{curve: c, point: string(xy)}, nil
}

// SPKI is the key in its canonical form, a SubjectPublicKeyInfo in DER with the point uncompressed; nil for a bare
// point. A registry should store this: it is one and the same for each way to write a key.
func (k Key) SPKI() []byte {
	if k.curve == 0 {
		return nil
	}
	algorithm := appendDER(nil, tagOID, []byte(oidECPublicKey))
	algorithm = appendDER(algorithm, tagOID, []byte(k.curve.params().oid))
	encoded := append([]byte{0, pointUncompressed}, k.point...)
	info := appendDER(nil, tagSequence, algorithm)
	return appendDER(nil, tagSequence, appendDER(info, tagBitString, encoded))
}

// String is the SPKI in hex, or the bare point as SEC 1 writes it. [ParseKey] reads both.
func (k Key) String() string {
	if k.curve == 0 {
		return hex.EncodeToString([]byte(k.point))
	}
	return hex.EncodeToString(k.SPKI())
}

// pageID is the identity of a page: a key counts each page of each context once, in whichever form a record comes.
func pageID(key []byte, p Page) [32]byte {
	message := append([]byte("lockstep/meter-page/v1\x00"), byte(len(key)))
	message = append(append(message, key...), p.Context)
	return sha256.Sum256(binary.BigEndian.AppendUint64(message, p.Number))
}
