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
