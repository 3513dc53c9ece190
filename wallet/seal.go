package wallet

import (
	"io"
	"strings"

	"filippo.io/age"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/oasisprotocol/curve25519-voi/primitives/x25519"

	"lockstep/types"
)

// Seal returns a writer that encrypts to the holder of a key, in the age format, and writes to out. The content is complete when the writer
// is closed. The recipient is the key's point on Curve25519, so a seller needs nothing but the buyer's key in the trade; see [Account.Unseal].
func Seal(to types.PublicKey, out io.Writer) (io.WriteCloser, error) {
	if err := to.Check("recipient"); err != nil {
		return nil, err
	}
	point, ok := x25519.EdPublicKeyToX25519(to[:])
	if !ok {
		return nil, types.Refuse(types.CodeWeakKey, "%s is not a point of the curve: nothing can be sealed to it", to)
	}
	text, err := bech32.EncodeFromBase256("age", point)
	if err != nil {
		return nil, err
	}
	recipient, err := age.ParseX25519Recipient(text)
	if err != nil {
		return nil, err
	}
	return age.Encrypt(out, recipient)
}

// Unseal returns a reader of the content that [Seal] encrypted to the account's key. An error, also one of reading, means that the content
// is not for this account, or that it was changed or cut off.
func (a *Account) Unseal(in io.Reader) (io.Reader, error) {
	identity, err := a.identity()
	if err != nil {
		return nil, err
	}
	opened, err := age.Decrypt(in, identity)
	if err != nil {
		return nil, refuse(ReasonSealed, "the sealed file can't be opened with key %s: it is for another key, or it was changed or cut off on the way (%v)", a.key, err)
	}
	return opened, nil
}

// identity is the account's key on Curve25519.
func (a *Account) identity() (age.Identity, error) {
	scalar := x25519.EdPrivateKeyToX25519(a.private)
	defer clear(scalar)
	text, err := bech32.EncodeFromBase256("age-secret-key-", scalar)
	if err != nil {
		return nil, err
	}
	return age.ParseX25519Identity(strings.ToUpper(text))
}
