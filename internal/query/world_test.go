package query_test

import (
	"crypto/sha256"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/types"
)

const second = types.Span(1000)

func privateKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("a party called " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicKey(name string) types.PublicKey {
	return types.PublicKey(privateKey(name).Public().(ed25519.PublicKey))
}

func secretOf(name string) types.Secret { return sha256.Sum256([]byte("a secret called " + name)) }

func sign(body types.Body, names ...string) *types.Tx {
	tx := types.NewTx(body)
	for _, name := range names {
		tx = tx.WithSignature(types.Signature{
			Key:   publicKey(name),
			Bytes: [64]byte(ed25519.Sign(privateKey(name), types.SigningMessage(tx.BodyBytes()))),
		})
	}
	return tx
}

// agreeing is an agreement of peter and clara that both have signed, submitted by one.
func agreeing(agreement types.Agreement, until types.Time, submitter string) *types.Agree {
	action := &types.Agree{Agreement: agreement, Mandates: types.Mandates{ValidUntil: until}, Submitter: publicKey(submitter)}
	message := action.Message(agreement.ChainID)
	for name, to := range map[string]*types.Signature{"peter": &action.Mandates.Producer, "clara": &action.Mandates.Consumer} {
		*to = types.Signature{Key: publicKey(name), Bytes: [64]byte(ed25519.Sign(privateKey(name), message))}
	}
	return action
}

func euro() types.Asset { return types.Asset{Issuer: publicKey("issuer"), Code: "EUR", Decimals: 2} }

func output(name string, amount types.Amount) types.Output {
	asset := euro()
	return types.Output{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(publicKey(name))}
}
