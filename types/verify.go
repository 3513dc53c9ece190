package types

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"
)

// One option set for single and batched checks, so that no two nodes can disagree on a signature (ZIP-215).
func verifyOptions() *ed25519.Options { return &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215} }

// SigningMessage is what a party signs: the domain and the body's bytes.
func SigningMessage(body []byte) []byte { return appendSigningMessage(nil, body) }

func appendSigningMessage(to, body []byte) []byte {
	return append(append(to, domainSignature...), body...)
}

// VerifyEd25519 checks one signature by the ZIP-215 rule.
func VerifyEd25519(key PublicKey, message, signature []byte) bool {
	return ed25519.VerifyWithOptions(key[:], message, signature, verifyOptions())
}

// Verifier checks the signatures of transactions. It remembers the keys that it met last in the form that is quickest to
// check with, for most transactions come from keys that have signed before. It may be used by several goroutines.
type Verifier struct {
	keys *cache.Verifier // nil: none are remembered
}

// NewVerifier remembers up to so many keys, at about 2 KiB each.
func NewVerifier(keys int) *Verifier {
	return &Verifier{cache.NewVerifier(cache.NewLRUCache(max(keys, 1)))}
}

// VerifySignatures is [Verifier.Verify] for once, with nothing remembered.
func VerifySignatures(txs ...*Tx) []bool { return new(Verifier).Verify(txs...) }

// Verify checks every signature of every transaction and returns, for each transaction, whether all of its own are good.
// Whatever is checked together, and whether a key was known, the same rule is followed (ZIP-215): the verdict on a
// transaction depends on it alone.
func (v *Verifier) Verify(txs ...*Tx) []bool {
	good := make([]bool, len(txs))
	owners := make([]int, 0, len(txs)) // of all signatures in order: indexes into txs
	for i, tx := range txs {
		good[i] = true
		for range tx.Signatures {
			owners = append(owners, i)
		}
	}
	switch len(owners) {
	case 0:
	case 1: // a batch of one costs twice as much
		tx := txs[owners[0]]
		good[owners[0]] = v.verifyOne(tx.Signatures[0], SigningMessage(tx.body))
	default:
		for j, ok := range v.verifyBatch(txs, len(owners)) {
			good[owners[j]] = good[owners[j]] && ok
		}
	}
	return good
}

func (v *Verifier) verifyOne(s Signature, message []byte) bool {
	if v.keys == nil {
		return VerifyEd25519(s.Key, message, s.Bytes[:])
	}
	return v.keys.VerifyWithOptions(s.Key[:], message, s.Bytes[:], verifyOptions())
}

func (v *Verifier) verifyBatch(txs []*Tx, signatures int) []bool {
	batch := ed25519.NewBatchVerifierWithCapacity(signatures)
	add := batch.AddWithOptions
	if v.keys != nil {
		add = func(key ed25519.PublicKey, message, signature []byte, options *ed25519.Options) {
			v.keys.AddWithOptions(batch, key, message, signature, options)
		}
	}
	options := verifyOptions()
	var message []byte // hashed at once, so its memory serves the next transaction too
	for _, tx := range txs {
		message = appendSigningMessage(message[:0], tx.body)
		for i := range tx.Signatures {
			add(tx.Signatures[i].Key[:], message, tx.Signatures[i].Bytes[:], options)
		}
	}
	_, each := batch.Verify(nil)
	return each
}
