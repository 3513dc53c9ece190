// Package party holds the parties of tests: a name gives the same keys, secret, signatures and money in every test.
package party

import (
	"crypto/sha256"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/meter"
	"lockstep/types"
)

// PrivateKey returns the private key of a party.
func PrivateKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("a party called " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Key returns the public key of a party.
func Key(name string) types.PublicKey {
	return types.PublicKey(PrivateKey(name).Public().(ed25519.PublicKey))
}

// Secret returns the secret with which a party as a consumer unlocks a payment.
func Secret(name string) types.Secret { return sha256.Sum256([]byte("a secret called " + name)) }

// TreeDepth is the depth of [Tree].
const TreeDepth = 3

// Tree returns the tree of digests that the bids of a party bring, see [LeafSecret].
func Tree(name string) types.DigestTree {
	var digests []types.Hash
	for leaf := range uint16(1 << TreeDepth) {
		digests = append(digests, LeafSecret(name, leaf).Digest(1))
	}
	return types.NewDigestTree(digests)
}

// LeafSecret returns the secret with which a party unlocks the trade of a leaf of its bids.
func LeafSecret(name string, leaf uint16) types.Secret {
	return sha256.Sum256(fmt.Appendf(nil, "secret %d of the bids of %s", leaf, name))
}

// Signature returns the signature of a party under a message.
func Signature(name string, message []byte) types.Signature {
	return types.Signature{Key: Key(name), Bytes: types.SignatureBytes(ed25519.Sign(PrivateKey(name), message))}
}

// Sign returns a transaction of a body with the signatures of the named parties.
func Sign(body types.Body, names ...string) *types.Tx {
	tx := types.NewTx(body)
	for _, name := range names {
		tx = tx.WithSignature(Signature(name, types.SigningMessage(tx.BodyBytes())))
	}
	return tx
}

// Record returns a record of a register, signed by the meter whose key is that of the named party.
func Record(name, register string, n meter.Native) *meter.SignedNative {
	var err error
	if n.Register, err = meter.ParseOBIS(register); err != nil {
		panic(err)
	}
	n.Meter = Key(name)
	return &meter.SignedNative{Native: n, Signature: types.SignatureBytes(ed25519.Sign(PrivateKey(name), n.Bytes()))}
}

// Agree returns the action of an agreement that both named parties have signed, with mandates until a time. The producer submits it.
func Agree(agreement types.Agreement, until types.Time, producer, consumer string) *types.Agree {
	action := &types.Agree{Agreement: agreement, Mandates: types.Mandates{ValidUntil: until}, Submitter: Key(producer)}
	message := action.Message(agreement.ChainID)
	action.Mandates.Producer, action.Mandates.Consumer = Signature(producer, message), Signature(consumer, message)
	return action
}

// Euro returns an asset with two decimal places, issued by "issuer".
func Euro() types.Asset { return types.Asset{Issuer: Key("issuer"), Code: "EUR", Decimals: 2} }

// Output returns an output of euros that a party can spend.
func Output(name string, amount types.Amount) types.Output {
	euro := Euro()
	return types.Output{Asset: euro.ID(), Amount: amount, Lock: types.ToKey(Key(name))}
}

// Issue adds to a body the issue of an output of the amount for each named party, in their order, and signs it as "issuer".
func Issue(body types.Body, amount types.Amount, names ...string) *types.Tx {
	body.Actions = append(body.Actions, &types.Issue{Asset: Euro(), Amount: amount * types.Amount(len(names))})
	for _, name := range names {
		body.Outputs = append(body.Outputs, Output(name, amount))
	}
	return Sign(body, "issuer")
}
