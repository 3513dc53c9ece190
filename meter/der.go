package meter

import "math/big"

// Tags of the ASN.1 types we read (X.690).
const (
	tagInteger   = 0x02
	tagBitString = 0x03
	tagOID       = 0x06
	tagSequence  = 0x30
)

// maxDER bounds a length: no key and no signature that we read comes near it, so two length bytes are all we ever need.
const maxDER = 1 << 16

// derElement takes one element off the front of b. Its length must be definite and minimal, as DER wants (X.690 10.1).
func derElement(b []byte, tag byte) (body, rest []byte, err error) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, refuse(CodeSignatureForm, "no DER element with tag %02x", tag)
	}
	length, header := int(b[1]), 2
	if length >= 0x80 {
		count := length - 0x80
		if count == 0 {
			return nil, nil, refuse(CodeNotCanonical, "indefinite length")
		}
		if count > 2 || len(b) < 2+count {
			return nil, nil, refuse(CodeSignatureForm, "a DER length that is cut off or beyond %d", maxDER)
		}
		length = 0
		for _, digit := range b[2 : 2+count] {
			length = length<<8 | int(digit)
		}
		if length < 0x80 || count == 2 && length < 0x100 {
			return nil, nil, refuse(CodeNotCanonical, "a length in more bytes than it needs")
		}
		header += count
	}
	if len(b)-header < length {
		return nil, nil, refuse(CodeSignatureForm, "a DER element that is cut off")
	}
	return b[header : header+length], b[header+length:], nil
}

// derPositive takes a positive integer off the front of b, in its one canonical form: no sign bit, no needless zero
// byte (X.690 8.3.2). Zero passes; the range of r and s is checked where the curve is known.
func derPositive(b []byte, name string) (n *big.Int, rest []byte, err error) {
	body, rest, err := derElement(b, tagInteger)
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) == 0:
		return nil, nil, refuse(CodeNotCanonical, "%s has no bytes", name)
	case body[0] >= 0x80:
		return nil, nil, refuse(CodeNotCanonical, "%s is negative as DER writes it: its top bit is set and no zero byte comes before", name)
	case len(body) > 1 && body[0] == 0 && body[1] < 0x80:
		return nil, nil, refuse(CodeNotCanonical, "%s begins with a needless zero byte", name)
	}
	return new(big.Int).SetBytes(body), rest, nil
}

// parseDERSignature reads SEQUENCE { r INTEGER, s INTEGER } (SEC 1 C.8) in canonical DER and nothing else. Meters in
// the field also write forms that some readers repair; a ledger can't, because its nodes must agree on which bytes are
// a signature. Its errors have code [CodeSignatureForm] or [CodeNotCanonical].
func parseDERSignature(b []byte) (r, s *big.Int, err error) {
	body, rest, err := derElement(b, tagSequence)
	if err != nil {
		return nil, nil, err
	}
	if len(rest) != 0 {
		return nil, nil, refuse(CodeNotCanonical, "%d bytes follow the signature", len(rest))
	}
	if r, body, err = derPositive(body, "r"); err != nil {
		return nil, nil, err
	}
	if s, body, err = derPositive(body, "s"); err != nil {
		return nil, nil, err
	}
	if len(body) != 0 {
		return nil, nil, refuse(CodeNotCanonical, "%d bytes follow s", len(body))
	}
	return r, s, nil
}

// oidECPublicKey is 1.2.840.10045.2.1 (RFC 5480 2.1.1).
const oidECPublicKey = "\x2a\x86\x48\xce\x3d\x02\x01"

// parseSPKI reads a SubjectPublicKeyInfo of an elliptic curve that is given by name (RFC 5480 2), and returns the
// name's OID and the point as SEC 1 writes it. ok is false for everything else.
func parseSPKI(b []byte) (oid, point []byte, ok bool) {
	info, rest, err := derElement(b, tagSequence)
	if err != nil || len(rest) != 0 {
		return nil, nil, false
	}
	algorithm, info, err := derElement(info, tagSequence)
	if err != nil {
		return nil, nil, false
	}
	kind, algorithm, err := derElement(algorithm, tagOID)
	if err != nil || string(kind) != oidECPublicKey {
		return nil, nil, false
	}
	oid, algorithm, err = derElement(algorithm, tagOID)
	if err != nil || len(algorithm) != 0 {
		return nil, nil, false
	}
	point, info, err = derElement(info, tagBitString)
	if err != nil || len(info) != 0 || len(point) < 2 || point[0] != 0 { // the first byte counts unused bits
		return nil, nil, false
	}
	return oid, point[1:], true
}

// appendDER appends an element whose body is short enough for a length of one or two bytes, as all ours are.
func appendDER(dst []byte, tag byte, body []byte) []byte {
	dst = append(dst, tag)
	if len(body) >= 0x80 {
		dst = append(dst, 0x81)
	}
	return append(append(dst, byte(len(body))), body...)
}
