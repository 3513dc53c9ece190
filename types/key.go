package types

import (
	"encoding/hex"
	"errors"

	"github.com/btcsuite/btcd/btcutil/bech32"
)

// PublicKey is an Ed25519 public key (RFC 8032). Its text form is bech32m (BIP-350) with the prefix "lk".
type PublicKey [32]byte

// Signature is an Ed25519 signature together with the key that made it, so that it can be checked without the state
// (docs/adr/0002). The ledger compares the key with the one it needs.
type Signature struct {
	_     struct{}       `cbor:",toarray"`
	Key   PublicKey      `json:"key"`
	Bytes SignatureBytes `json:"bytes"`
}

// SignatureBytes is a signature as RFC 8032 writes it, in text 128 hexadecimal digits.
type SignatureBytes [64]byte

// MarshalText writes hexadecimal digits.
func (s SignatureBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads hexadecimal digits.
func (s *SignatureBytes) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(s)) {
		return Refuse(CodeMalformed, "a signature has 128 hexadecimal digits, this has %d characters", len(text))
	}
	if _, err := hex.Decode(s[:], text); err != nil {
		return Refuse(CodeMalformed, "a signature has 128 hexadecimal digits: %v", err)
	}
	return nil
}

const keyPrefix = "lk"

// bech32 calls its error detecting code the checksum; this one finds any single wrong character and up to four.
const keyTextLength = len(keyPrefix) + 1 + 52 + 6

func (k PublicKey) String() string {
	groups, err := bech32.ConvertBits(k[:], 8, 5, true)
	if err != nil {
		panic("types: 32 bytes always regroup: " + err.Error())
	}
	text, err := bech32.EncodeM(keyPrefix, groups)
	if err != nil {
		panic("types: 52 groups always encode: " + err.Error())
	}
	return text
}

// MarshalText writes the bech32m form.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the bech32m form; one wrong character is always noticed.
func (k *PublicKey) UnmarshalText(text []byte) error {
	key, err := ParseKey(string(text))
	if err == nil {
		*k = key
	}
	return err
}

// ParseKey reads the text form of a public key, "lk1" and 58 more characters.
func ParseKey(text string) (PublicKey, error) {
	bad := func(why string) (PublicKey, error) {
		return PublicKey{}, Refuse(CodeMalformed, "%q is not a key: %s", clip(text), why)
	}
	if len(text) != keyTextLength {
		return bad("a key is \"lk1\" and 58 more characters")
	}
	prefix, groups, version, err := bech32.DecodeGeneric(text)
	var checksum bech32.ErrInvalidChecksum
	switch {
	case errors.As(err, &checksum):
		return bad("its checksum is wrong, so at least one character is: compare it with the original")
	case err != nil:
		return bad(err.Error())
	case version != bech32.VersionM:
		return bad("its checksum is of the old kind (bech32, not bech32m)")
	case prefix != keyPrefix:
		return bad("it does not begin with \"lk1\"")
	}
	bytes, err := bech32.ConvertBits(groups, 5, 8, false)
	if err != nil || len(bytes) != 32 {
		return bad("it does not hold 32 bytes")
	}
	return PublicKey(bytes), nil
}

// Check refuses a key that nobody owns. Points of small order are no one's: by the rule of [Verifier] (ZIP-215) anybody can
// make signatures that they accept. Encodings that are not canonical are second names of a key. The role of the key
// goes into the error.
func (k PublicKey) Check(role string) error {
	if k.isWeak() {
		return Refuse(CodeWeakKey, "the key of the %s, %x, is of small order or not canonical: anybody could sign in its name", role, k[:])
	}
	return nil
}

// The prime of the field is 2^255 - 19. A key is y in little-endian order, with the sign of x in the highest bit.
const (
	signBit    = 0x80
	lowOfPrime = 0xed
)

// isWeak compares y with those of the eight points of small order, and with the prime. It takes a few nanoseconds for any
// other key, since their last bytes are few.
func (k PublicKey) isWeak() bool {
	k[31] &^= signBit
	switch k[31] {
	case 0x00, 0x05, 0x7a, 0x7f:
	default:
		return false
	}
	if k[31] == 0x7f { // at least 2^255 - 2^248
		full := true
		for _, b := range k[1:31] {
			full = full && b == 0xff
		}
		return full && k[0] >= lowOfPrime-1 // p - 1 is of order two; from p on nothing is canonical
	}
	for _, y := range smallOrder() {
		if k == y {
			return true
		}
	}
	return false
}

// smallOrder are the y of the points of order four, one and eight; p - 1, that of order two, is in isWeak.
func smallOrder() [4]PublicKey {
	return [4]PublicKey{
		{},
		{1},
		{
			0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
			0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
		},
		{
			0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
			0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
		},
	}
}
